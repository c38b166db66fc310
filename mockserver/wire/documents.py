"""The JSON documents inside a body: one for each event of a stream, or the body itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from mockserver.cassettes.yaml_reader import KeyPath
from mockserver.wire import eventstream, sse
from mockserver.wire.body import Media, media_of
from mockserver.wire.sse import NOT_JSON as NOT_JSON

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_DATA = re.compile(rb"(?:\xef\xbb\xbf)?data: ?")


@dataclass(frozen=True)
class Document:
    """A document with its event name (empty outside of event streams) and offset in the body.

    ``text`` has one character for each byte from ``start`` on (latin-1); what is not part of
    the document is blank. ``lines`` are the data lines of an event; empty outside of streams.
    """

    event: str
    text: str
    start: int
    lines: tuple[str, ...] = ()

    @cached_property
    def data(self) -> Any:
        """The parsed document, or :data:`NOT_JSON`."""
        return self.parsed()

    def parsed(self) -> Any:
        """Return what :attr:`data` has, without keeping it."""
        try:
            return json.loads(self.text.encode("latin-1"))
        except (ValueError, RecursionError):
            return NOT_JSON

    def strings(self) -> Iterator[tuple[KeyPath, int, int]]:
        """Yield path, start and stop in the body of every string value, without its quotes."""
        for path, start, stop in self.values():
            if start > self.start and self.text[start - 1 - self.start] == '"':
                yield path, start, stop

    def values(self) -> Iterator[tuple[KeyPath, int, int]]:
        """Yield path, start and stop in the body of every value that contains no other.

        A string stands without its quotes; numbers, ``true``, ``false`` and ``null`` as they are.
        """
        if self.data is NOT_JSON:
            return
        path: list[str | int] = []
        key_due = False
        for match in _TOKEN.finditer(self.text):
            token = match.group()
            match token[0]:
                case "{":
                    path.append("")
                    key_due = True
                case "[":
                    path.append(0)
                    key_due = False
                case "}" | "]":
                    path.pop()
                    key_due = False
                case ",":
                    last = path[-1]
                    key_due = isinstance(last, str)
                    if isinstance(last, int):
                        path[-1] = last + 1
                case ":":
                    pass
                case '"' if key_due:
                    path[-1] = json.loads(token.encode("latin-1"))
                    key_due = False
                case '"':
                    yield tuple(path), self.start + match.start() + 1, self.start + match.end() - 1
                case _:
                    yield tuple(path), self.start + match.start(), self.start + match.end()


def documents(body: bytes, content_type: str | None) -> list[Document]:
    """Split a decoded body into its documents; events without data have none."""
    # Bodies of ``wire.body`` are cached; a body that is searched for secrets must not be.
    match media_of(content_type, body):
        case Media.SSE:
            return [
                Document(
                    block.event,
                    _event_text(body, block.span),
                    block.span[0],
                    tuple(block.data.split("\n")),
                )
                for block in sse.decode(body)
                if block.data is not None
            ]
        case Media.NDJSON:
            ends = [0, *sse.line_ends(body), len(body)]
            return [_whole(body, *span) for span in pairwise(ends) if body[slice(*span)].strip()]
        case Media.AWS_FRAMES:
            return [
                Document(
                    frame.text(":event-type") or frame.text(":exception-type"),
                    frame.payload.decode("latin-1"),
                    frame.payload_start,
                )
                for frame in eventstream.frames(body)
                if frame.payload
            ]
        case Media.JSON_ARRAY | Media.OTHER:
            return [_whole(body, 0, len(body))] if body else []


def leaves(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield path and value of everything in ``data`` that contains nothing else."""
    match data:
        case dict() if data:
            for key, value in data.items():
                yield from leaves(value, (*path, key))
        case list() if data:
            for number, value in enumerate(data):
                yield from leaves(value, (*path, number))
        case _:
            yield path, data


def _whole(body: bytes, start: int, stop: int) -> Document:
    return Document("", body[start:stop].decode("latin-1"), start)


def _event_text(body: bytes, span: tuple[int, int]) -> str:
    event = body[slice(*span)].decode("latin-1")
    if event.startswith("data:") and "\r" not in event and event.find("\n") >= len(event) - 2:
        # Nearly every event has one line.
        return (
            event.removeprefix("data: ").rjust(len(event))
            if event[5:6] == " "
            else ("     " + event[5:])
        )
    parts = []
    for match in _LINE.finditer(body, *span):
        line = match.group()
        field = _DATA.match(line)
        value = line[field.end() :] if field else b""
        parts.append(value.decode("latin-1").rjust(len(line)))
    return "".join(parts)
