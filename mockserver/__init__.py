"""tapecheck's mock server: replays recorded HTTP streams byte for byte and chunk for chunk."""

from mockserver.cassettes.cassette import Cassette
from mockserver.errors import CassetteError, MockServerError, ServerStartError, SessionError
from mockserver.library.matcher import Part
from mockserver.library.session import Exchange, exchanges
from mockserver.serving.app import Limits
from mockserver.serving.journal import JournalEntry, Outcome
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
