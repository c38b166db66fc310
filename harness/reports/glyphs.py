"""Replace marks that a terminal cannot show by ASCII."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import IO

#: Name of the error handler, for streams that are opened or reconfigured elsewhere.
ERRORS = "tapecheck-glyphs"
_WORDS = {
    "✓": "ok",
    "✗": "FAIL",
    "–": "-",
    "─": "-",
    "…": "...",
    "→": "->",
    "┊": "|",
    "│": "|",
    "“": '"',
    "”": '"',
    "’": "'",
}


def _in_words(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding lacks: words for marks, escapes for the rest."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    escaped = (_WORDS.get(c) or c.encode("ascii", "backslashreplace").decode() for c in characters)
    return "".join(escaped), error.end


codecs.register_error(ERRORS, _in_words)


def showable(text: str, encoding: str | None) -> str:
    """Return the text as a stream of that encoding shows it, to know its width."""
    return text.encode(encoding or "utf-8", ERRORS).decode(encoding or "utf-8")


def show_marks(streams: Iterable[IO[str]]) -> None:
    """Make streams write words for marks that they cannot show, instead of failing."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=ERRORS)
