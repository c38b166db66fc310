"""Values that JSON schemas allow."""
