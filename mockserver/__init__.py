"""tapecheck's mock server: replays recorded HTTP streams byte for byte and chunk for chunk.

The public names are imported when they are first used, so that a program that needs only the
vocabulary does not load an HTTP server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.cassettes.cassette import Cassette
    from mockserver.errors import CassetteError, MockServerError, ServerStartError, SessionError
    from mockserver.library.matcher import Part
    from mockserver.library.outcome import Outcome
    from mockserver.library.session import Exchange, exchanges
    from mockserver.serving.app import Limits
    from mockserver.serving.journal import JournalEntry
    from mockserver.serving.server import MockServer, SessionHandle

__all__ = [
    "Cassette",
    "CassetteError",
    "Exchange",
    "JournalEntry",
    "Limits",
    "MockServer",
    "MockServerError",
    "Outcome",
    "Part",
    "ServerStartError",
    "SessionError",
    "SessionHandle",
    "exchanges",
]

_HOMES = {
    "cassettes.cassette": ("Cassette",),
    "errors": ("CassetteError", "MockServerError", "ServerStartError", "SessionError"),
    "library.matcher": ("Part",),
    "library.outcome": ("Outcome",),
    "library.session": ("Exchange", "exchanges"),
    "serving.app": ("Limits",),
    "serving.journal": ("JournalEntry",),
    "serving.server": ("MockServer", "SessionHandle"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"mockserver.{home}"), name)
    raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
