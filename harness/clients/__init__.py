"""Clients under test: what they declare, how they are found and called."""
