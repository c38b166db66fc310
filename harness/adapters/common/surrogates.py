"""Surrogate halves in decoded JSON.

JSON may escape a character above U+FFFF as two halves (RFC 8259, section 7), and servers that
cut text by UTF-16 units send one half at the end of a delta and the other at the start of the
next. A lone half cannot be encoded as UTF-8, so none may leave an adapter.
"""

from __future__ import annotations

import json
import re

from mockserver.vocabulary.model import Json

_SURROGATE = re.compile("[\ud800-\udfff]")


def fix_surrogates(text: str) -> str:
    """Join the pairs of halves in ``text`` and turn each lone half into U+FFFD."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def fix_surrogates_in(value: Json) -> Json:
    """Do the same in all texts of a JSON value; one without halves is returned as it is."""
    text = json.dumps(value, ensure_ascii=False)
    fixed = fix_surrogates(text)
    return value if fixed is text else json.loads(fixed)


class SurrogateJoiner:
    """Joins halves over the pieces of one text: holds a trailing first half back."""

    def __init__(self) -> None:
        self._pending = ""

    def feed(self, piece: str) -> str:
        """Return what can be said now, which is nothing if only a first half came."""
        text = self._pending + piece
        self._pending = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return fix_surrogates(text[: len(text) - len(self._pending)])

    def close(self) -> str:
        """Return U+FFFD if a first half never found its second, else nothing."""
        pending, self._pending = self._pending, ""
        return fix_surrogates(pending)
