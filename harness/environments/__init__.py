"""Environments of third-party clients: which there are, making them, starting clients in them."""
