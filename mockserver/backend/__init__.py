"""Answers that nobody recorded."""

from mockserver.backend import notation
from mockserver.backend.backend import Backend
from mockserver.backend.evidence import Seen
from mockserver.backend.refusing import REFUSED
from mockserver.backend.reply import ANSWER_HEADER, Given
from mockserver.backend.settings import Settings

__all__ = ["ANSWER_HEADER", "REFUSED", "Backend", "Given", "Seen", "Settings", "notation"]
