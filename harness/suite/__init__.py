"""Scenarios: their types, files, schemas, and the patterns that select them."""
