"""Wire formats, a folder each."""
