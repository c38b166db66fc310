"""tapecheck's mock server: replays recorded HTTP streams byte for byte and chunk for chunk.

The public names are imported when they are first used, so that a program that needs only the
vocabulary does not load an HTTP server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.lazy import lazy_face

if TYPE_CHECKING:
    from mockserver.cassettes.cassette import Cassette
    from mockserver.errors import CassetteError, MockServerError, ServerStartError, SessionError
    from mockserver.library.outcome import Outcome
    from mockserver.library.rule import Part
    from mockserver.library.session import Exchange, exchanges
    from mockserver.serving.app import Limits
    from mockserver.serving.handle import SessionHandle
    from mockserver.serving.journal import JournalEntry
    from mockserver.serving.server import MockServer
    from mockserver.testing.answers import Answer
    from mockserver.testing.llm import Llm, llm

__all__ = [
    "Answer",
    "Cassette",
    "CassetteError",
    "Exchange",
    "JournalEntry",
    "Limits",
    "Llm",
    "MockServer",
    "MockServerError",
    "Outcome",
    "Part",
    "ServerStartError",
    "SessionError",
    "SessionHandle",
    "exchanges",
    "llm",
]

_HOMES = {
    "cassettes.cassette": ("Cassette",),
    "errors": ("CassetteError", "MockServerError", "ServerStartError", "SessionError"),
    "library.rule": ("Part",),
    "library.outcome": ("Outcome",),
    "library.session": ("Exchange", "exchanges"),
    "serving.app": ("Limits",),
    "serving.journal": ("JournalEntry",),
    "serving.handle": ("SessionHandle",),
    "serving.server": ("MockServer",),
    "testing.answers": ("Answer",),
    "testing.llm": ("Llm", "llm"),
}

__getattr__ = lazy_face(__name__, _HOMES)
