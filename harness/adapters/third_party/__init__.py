"""Clients of others behind the client protocol, each a few lines, and the kit that they share."""
