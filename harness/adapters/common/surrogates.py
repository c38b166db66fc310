"""Surrogate halves in decoded JSON.

JSON may escape a character above U+FFFF as two halves (RFC 8259, section 7), and servers that
cut text by UTF-16 units send one half at the end of a delta and the other at the start of the
next. A lone half cannot be encoded as UTF-8, so none may leave an adapter.
"""

from __future__ import annotations

import json
import re

from mockserver.vocabulary.model import Json

_HALF = re.compile("[\ud800-\udfff]")


def mend(text: str) -> str:
    """Join the pairs of halves in ``text`` and turn each lone half into U+FFFD."""
    if not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def mend_json(value: Json) -> Json:
    """Do the same in all texts of a JSON value; one without halves is returned as it is."""
    text = json.dumps(value, ensure_ascii=False)
    mended = mend(text)
    return value if mended is text else json.loads(mended)


class Joiner:
    """Joins halves over the pieces of one text: holds a trailing first half back."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what can be said now, which is nothing if only a first half came."""
        text = self._held + piece
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return mend(text[: len(text) - len(self._held)])

    def close(self) -> str:
        """Return U+FFFD if a first half never found its second, else nothing."""
        held, self._held = self._held, ""
        return mend(held)
