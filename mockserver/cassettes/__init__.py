"""The cassette format: its types, reading and writing it, and other tools' files."""

from mockserver.cassettes import foreign, loading, yaml_reader
from mockserver.cassettes.cassette import Cassette, End, Headers, Interaction, Origin, Request
from mockserver.cassettes.rechunk import rechunk
from mockserver.cassettes.yaml_reader import KeyPath, YamlDocument, line_of

__all__ = [
    "Cassette",
    "End",
    "Headers",
    "Interaction",
    "KeyPath",
    "Origin",
    "Request",
    "YamlDocument",
    "foreign",
    "line_of",
    "loading",
    "rechunk",
    "yaml_reader",
]
