"""Surrogates in decoded JSON.

JSON may escape a character above U+FFFF as a pair of surrogates (RFC 8259, section 7), and
servers that split text by UTF-16 units send the first at the end of a delta and the second at
the start of the next. A lone surrogate cannot be encoded as UTF-8, so none may leave a client.
"""

from __future__ import annotations

import json
import re

from mockserver.vocabulary import Json

_SURROGATE = re.compile("[\ud800-\udfff]")


def fix_surrogates(text: str) -> str:
    """Join surrogate pairs in ``text`` and replace each lone surrogate by U+FFFD."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def fix_surrogates_in(value: Json) -> Json:
    """Fix all strings of a JSON value; one without surrogates is returned unchanged."""
    text = json.dumps(value, ensure_ascii=False)
    fixed = fix_surrogates(text)
    return value if fixed is text else json.loads(fixed)


class SurrogateJoiner:
    """Joins surrogate pairs that are split over pieces of one text."""

    def __init__(self) -> None:
        self._pending = ""

    @property
    def waits(self) -> bool:
        """Whether a first surrogate waits for its second."""
        return bool(self._pending)

    def feed(self, piece: str) -> str:
        """Return the text so far; a first surrogate at the end waits for the next piece."""
        text = self._pending + piece
        self._pending = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return fix_surrogates(text[: len(text) - len(self._pending)])

    def close(self) -> str:
        """Return U+FFFD if a first surrogate is still waiting, else an empty string."""
        pending, self._pending = self._pending, ""
        return fix_surrogates(pending)
