"""Join the texts that a body sends piece by piece, as deltas of its events.

A client joins them, too, so a secret may be split over pieces: no single piece looks like a
secret, or only its beginning does.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from mockserver.cassettes.yaml_reader import KeyPath
from mockserver.dialects.registry import form
from mockserver.secrets import find
from mockserver.secrets.find import Known
from mockserver.wire.documents import NOT_JSON, Document, documents, leaves

#: A comment line of an event stream, without its colon and the blank behind it.
_COMMENT = re.compile(rb"^: ?([^\r\n]*)", re.M)
#: No random key repeats so many characters.
_LONG = 8


@dataclass(frozen=True, slots=True)
class Channel:
    """Pieces that a client joins. ``path`` names the fields that they come from.

    As in :mod:`mockserver.secrets.find`, a character represents a byte.
    """

    path: str
    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        """The joined pieces."""
        return "".join(self.pieces)

    def split_secrets(self, known: Known) -> Iterator[tuple[str, str]]:
        """Yield kind and mark of the secrets that are split over several pieces."""
        bounds = list(accumulate(map(len, self.pieces)))[:-1]
        text = self.text
        for found in find.find(text, known):
            # The first bound behind the start, if any, must be before the stop.
            near = bisect_right(bounds, found.start)
            if found.kind != find.MASKED and near < len(bounds) and bounds[near] < found.stop:
                yield found.kind, found.mark(text)


def channels(body: bytes, content_type: str | None, *, single: bool) -> Iterator[Channel]:
    """Yield the texts that the decoded ``body`` sends in more than one piece.

    Pieces are joined if they have the same path in events of the same type: once for each
    numbered item, and once over all, because not every server numbers correctly. ``single``:
    the texts of a body of one document are pieces, too, as in an answer; in a request they
    are messages, each complete.
    """
    found = _documents(body, content_type)
    for lines in {d.lines for d in found if len(d.lines) > 1}:
        yield Channel("data", tuple(map(_bytewise, lines)))
    comments = _COMMENT.findall(body)
    if len(comments) > 1:
        yield Channel("comments", tuple(c.decode("latin-1") for c in comments))
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
    """Return whether it is one text, sent once or in every event, such as an id."""
    return len(pieces) == 1 or (len(set(pieces)) == 1 and len(pieces[0]) >= _LONG)


def _documents(body: bytes, content_type: str | None) -> list[Document]:
    """Return the documents of a body, even if its type is wrong."""
    found = documents(body, content_type)
    for other in ("text/event-stream", "application/x-ndjson"):
        if all(d.data is NOT_JSON for d in found):
            reading = documents(body, other)
            if any(d.data is not NOT_JSON for d in reading):
                return reading
    return found


def _value(document: Document) -> Any:
    """Return the JSON value of a document, or its plain text."""
    if isinstance(document.data, dict | list | str):
        return document.data
    raw = document.text.encode("latin-1").decode("utf-8", "replace").strip("\r\n")
    # Some clients join the lines of an event without a line end, which keeps a string whole.
    text = "".join(document.lines) if document.lines else raw
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text
    # Digits alone may be a piece of a key.
    return data if isinstance(data, dict | list | str) else text


def _leaves(data: Any) -> list[tuple[KeyPath, Any]]:
    try:
        return list(leaves(data))
    except RecursionError:
        # Nothing real is nested so deep; the undivided body is still searched.
        return []


def _keys(data: Any, path: KeyPath, names: tuple[str, ...]) -> Iterator[Hashable]:
    """Yield the keys that the pieces of one text share."""
    kind = str(data.get("type")) if isinstance(data, dict) else ""
    numbers = tuple(_numbers(data, path))
    yield kind, names, numbers
    yield kind, names
    if kind.startswith(form().delta_openers):
        # The first piece may be in the event that opens what is numbered.
        yield names[-1], numbers


def _numbers(data: Any, path: KeyPath) -> Iterator[Any]:
    known = form().delta_numbers
    for step in path:
        if isinstance(data, dict):
            # In a fixed order, independent of that of the fields.
            found = (data[name] for name in sorted(known & data.keys()))
            yield from (value for value in found if isinstance(value, int | str))
        data = data[step]


def _bytewise(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")
