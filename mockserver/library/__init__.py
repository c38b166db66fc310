"""Cassettes on disk: listed, opened, searched, and who gets which answer."""
