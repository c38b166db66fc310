"""Answers that nobody recorded."""

from mockserver.backend.backend import Backend
from mockserver.backend.evidence import Seen
from mockserver.backend.repeats import Repeat
from mockserver.backend.reply import ANSWER_HEADER, REFUSED, Given
from mockserver.backend.settings import Settings
from mockserver.backend.wording import SETTINGS, settings_of

__all__ = [
    "ANSWER_HEADER",
    "REFUSED",
    "SETTINGS",
    "Backend",
    "Given",
    "Repeat",
    "Seen",
    "Settings",
    "settings_of",
]
