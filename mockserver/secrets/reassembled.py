"""What a body says piece by piece: the deltas of its events, put together.

No client sees an event alone, and a secret may lie in pieces: nothing in any one of them looks
like it, or what does is only its beginning.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from mockserver.dialects.registry import form
from mockserver.secrets import find
from mockserver.secrets.find import Known
from mockserver.wire.documents import NOT_JSON, Document, Path, documents, leaves

#: No random key has the same so many characters over and over.
_LONG = 8


@dataclass(frozen=True, slots=True)
class Channel:
    """Pieces that a client joins. ``path`` names the fields they stand in.

    As in :mod:`mockserver.secrets.find`, a character stands for a byte.
    """

    path: str
    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        """The pieces, put together."""
        return "".join(self.pieces)

    def split_secrets(self, known: Known) -> Iterator[str]:
        """Yield the kinds of the secrets that lie in more than one piece."""
        bounds = list(accumulate(map(len, self.pieces)))[:-1]
        for found in find.find(self.text, known):
            if found.kind != find.MASKED and any(found.start < b < found.stop for b in bounds):
                yield found.kind


def channels(body: bytes, content_type: str | None, *, single: bool) -> Iterator[Channel]:
    """Yield what the decoded ``body`` says in more than one piece.

    Pieces are joined where they stand at the same path in events of the same type; once for
    each thing that is numbered, and once over all, as not every server numbers rightly.
    ``single``: the texts in a body of one document are pieces as well, as in an answer; those
    in a question are messages, each a whole.
    """
    found = _documents(body, content_type)
    for lines in {d.lines for d in found if len(d.lines) > 1}:
        yield Channel("data", tuple(map(_bytewise, lines)))
    if len(found) < 2 and not single:
        return
    joined: defaultdict[Hashable, list[str]] = defaultdict(list)
    names_of: dict[Hashable, tuple[str, ...]] = {}
    for document in found:
        data = _value(document)
        for path, value in _leaves(data):
            if isinstance(value, str):
                names = tuple(step for step in path if isinstance(step, str))
                for key in _keys(data, path, names):
                    names_of.setdefault(key, names)
                    joined[key].append(_bytewise(value))
    texts = {tuple(pieces): key for key, pieces in joined.items() if not _is_repeated(pieces)}
    for pieces, key in texts.items():
        yield Channel("/".join(names_of[key]), pieces)


def _is_repeated(pieces: Sequence[str]) -> bool:
    """Whether it is one text, said once or in every event, such as an id."""
    return len(pieces) == 1 or (len(set(pieces)) == 1 and len(pieces[0]) >= _LONG)


def _documents(body: bytes, content_type: str | None) -> list[Document]:
    """The documents of a body, also of one that is not what its type says."""
    found = documents(body, content_type)
    for other in ("text/event-stream", "application/x-ndjson"):
        if all(d.data is NOT_JSON for d in found):
            reading = documents(body, other)
            if any(d.data is not NOT_JSON for d in reading):
                return reading
    return found


def _value(document: Document) -> Any:
    """What a document holds; if that is plain text, the text."""
    if isinstance(document.data, dict | list | str):
        return document.data
    raw = document.text.encode("latin-1").decode("utf-8", "replace").strip("\r\n")
    # Not every client puts a line end between the lines of an event, where it breaks a string.
    text = "".join(document.lines) if document.lines else raw
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text
    # Digits alone may be a piece of a key.
    return data if isinstance(data, dict | list | str) else text


def _leaves(data: Any) -> list[tuple[Path, Any]]:
    try:
        return list(leaves(data))
    except RecursionError:
        # So deep that nobody says anything there; as a whole it is searched all the same.
        return []


def _keys(data: Any, path: Path, names: tuple[str, ...]) -> Iterator[Hashable]:
    """Yield what the pieces of one text have in common."""
    kind = str(data.get("type")) if isinstance(data, dict) else ""
    numbers = tuple(_numbers(data, path))
    yield kind, names, numbers
    yield kind, names
    if kind.startswith(form().delta_openers):
        # The first piece may be in the event that opens what is numbered.
        yield names[-1], numbers


def _numbers(data: Any, path: Path) -> Iterator[Any]:
    known = form().delta_numbers
    for step in path:
        if isinstance(data, dict):
            # In one order, whatever that of the fields is.
            found = (data[name] for name in sorted(known & data.keys()))
            yield from (value for value in found if isinstance(value, int | str))
        data = data[step]


def _bytewise(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")
