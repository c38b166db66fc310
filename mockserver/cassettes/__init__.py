"""The cassette format: its types, reading and writing it, and other tools' files."""
