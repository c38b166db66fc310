"""tapecheck's mock server: replays recorded HTTP streams byte for byte and chunk for chunk."""

from mockserver.app import Limits
from mockserver.cassette import Cassette
from mockserver.errors import CassetteError, MockServerError, ServerStartError, SessionError
from mockserver.journal import JournalEntry, Outcome
from mockserver.matcher import Part
from mockserver.server import MockServer, SessionHandle
from mockserver.session import Exchange, exchanges

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
