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
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from mockserver.dialects.registry import form
from mockserver.secrets import find, placeholder
from mockserver.secrets.find import Known
from mockserver.secrets.recent import SHORTEST, Recent, digest
from mockserver.wire.body import Media, media_of
from mockserver.wire.content_coding import is_binary
from mockserver.wire.documents import NOT_JSON, Document, documents

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


@dataclass(frozen=True, slots=True)
class Joined:
    """A secret in the joined text of a channel. ``split``: no piece has the whole of it.

    ``mark`` allows the text that was found, as in :mod:`mockserver.secrets.allowed`.
    """

    path: str
    kind: str
    mark: str
    split: bool


#: More characters of a key follow the placeholder that its beginning was replaced by.
BEHIND = "more characters of a key behind its placeholder"

_recent: Recent[tuple[Joined, ...]] = Recent(16)


def secrets(
    body: bytes, content_type: str | None, known: Known, *, single: bool
) -> tuple[Joined, ...]:
    """Return the secrets in the joined texts of a decoded body; see :func:`channels`."""

    def search() -> tuple[Joined, ...]:
        return tuple(
            found
            for channel in channels(body, content_type, single=single)
            for found in _in_channel(channel, known)
        )

    if len(body) < SHORTEST:
        return search()
    return _recent.get((digest(body), content_type, single, known), search)


def _in_channel(channel: Channel, known: Known) -> Iterator[Joined]:
    bounds = list(accumulate(map(len, channel.pieces)))[:-1]
    text = channel.text
    for found in find.find(text, known):
        # What its issuer has masked is no longer a secret.
        if found.kind != find.MASKED:
            # The first bound behind the start, if any, must be before the stop.
            near = bisect_right(bounds, found.start)
            split = near < len(bounds) and bounds[near] < found.stop
            yield Joined(channel.path, found.kind, found.mark(text), split)
    if placeholder.may_have(text):
        for piece, following in pairwise(filter(None, channel.pieces)):
            if _KEY_CHARACTER.match(following) and _ends_replaced(piece):
                yield Joined(channel.path, BEHIND, "", False)


#: A character of a key; the piece after a replaced key must not start with one.
_KEY_CHARACTER = re.compile(r"[A-Za-z0-9_\-.~+/=]")


def _ends_replaced(piece: str) -> bool:
    last = piece[max(piece.rfind("key_"), piece.rfind("keyREDACTED")) :]
    return placeholder.is_placeholder(last)


def channels(body: bytes, content_type: str | None, *, single: bool) -> Iterator[Channel]:
    """Yield the texts that the decoded ``body`` sends in more than one piece.

    Pieces are joined if they have the same path in events of the same type: once for each
    numbered item, and once over all, because not every server numbers correctly. ``single``:
    the texts of a body of one document are pieces, too, as in an answer; in a request they
    are messages, each complete.
    """
    if is_binary(body) and media_of(content_type, body) is not Media.AWS_FRAMES:
        return
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
    lists: dict[Hashable, list[list[str]]] = {}
    numbered = sorted(form().delta_numbers)
    openers = form().delta_openers
    for document in found:
        data = _value(document)
        kind = str(data.get("type")) if isinstance(data, dict) else ""
        opens = kind.startswith(openers)
        texts: list[_Text] = []
        # Nothing real is nested so deep; the undivided body is still searched.
        with suppress(RecursionError):
            _collect(data, (), (), numbered, texts)
        for names, numbers, value in texts:
            text = value if value.isascii() else _bytewise(value)
            place = kind, names, numbers
            if place not in lists:
                # Pieces of one text share one of these keys.
                keys: list[Hashable] = [place, (kind, names)]
                if opens:
                    # The first piece may be in the event that opens what is numbered.
                    keys.append((names[-1], numbers))
                for key in keys:
                    names_of.setdefault(key, names)
                lists[place] = [joined[key] for key in keys]
            for pieces in lists[place]:
                pieces.append(text)
    unique = {tuple(pieces): key for key, pieces in joined.items() if not _is_repeated(pieces)}
    for pieces_of, key in unique.items():
        yield Channel("/".join(names_of[key]), pieces_of)


#: The names on the way to a text, the numbers of what it belongs to, and the text.
_Text = tuple[tuple[str, ...], tuple[int | str, ...], str]


def _collect(
    data: Any,
    names: tuple[str, ...],
    numbers: tuple[int | str, ...],
    numbered: Sequence[str],
    texts: list[_Text],
) -> None:
    """Add every text of a document."""
    if isinstance(data, str):
        texts.append((names, numbers, data))
    elif isinstance(data, dict):
        for name in numbered:
            if name in data and isinstance(data[name], int | str):
                # In a fixed order, independent of that of the fields.
                numbers = (*numbers, data[name])
        for name, value in data.items():
            if isinstance(value, str | dict | list):
                _collect(value, (*names, name), numbers, numbered, texts)
    elif isinstance(data, list):
        for value in data:
            _collect(value, names, numbers, numbered, texts)


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
    # Not the document's own reading: all of them at once would stay in memory.
    data = document.parsed()
    if isinstance(data, dict | list | str):
        return data
    raw = document.text.encode("latin-1").decode("utf-8", "replace").strip("\r\n")
    # Some clients join the lines of an event without a line end, which keeps a string whole.
    text = "".join(document.lines) if document.lines else raw
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text
    # Digits alone may be a piece of a key.
    return data if isinstance(data, dict | list | str) else text


def _bytewise(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")
