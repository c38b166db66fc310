"""The cassette format: its types, reading and writing it, and other tools' files."""

from typing import TYPE_CHECKING

from mockserver.cassettes import loading, yaml_reader
from mockserver.cassettes.cassette import Cassette, End, Headers, Interaction, Origin, Request
from mockserver.cassettes.rechunk import rechunk
from mockserver.cassettes.yaml_reader import KeyPath, YamlDocument, line_of
from mockserver.lazy import lazy_face

if TYPE_CHECKING:
    from mockserver.cassettes import foreign

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

#: Readers of other tools' files are imported when somebody has one.
__getattr__ = lazy_face(__name__, {"foreign": ()})
