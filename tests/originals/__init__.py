"""What the originals of bundled clients do with the cases of docs/bugs.md."""
