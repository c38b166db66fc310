"""The faults of docs/bugs.md, each put into the bundled client that does the same work."""
