"""Server-sent events and newline-delimited JSON, byte-exact and without I/O.

Follows the WHATWG HTML standard, "9.2.5 Parsing an event stream" and "9.2.6 Interpreting an
event stream". Two things are returned beyond it, because LLM servers need them: fields that
the standard ignores (llama.cpp sends errors as ``error: {...}``), and the block that a stream
left unfinished at its end (several servers omit the last blank line after ``[DONE]``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

#: Marks data that is not JSON.
NOT_JSON = object()
BOM = b"\xef\xbb\xbf"
_KEEPALIVES = frozenset({"ping", "keepalive", "keep-alive", "keep_alive", "heartbeat"})
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Block:
    """The fields between two blank lines. A browser dispatches it only if ``data`` is set.

    ``id`` is the last event id in force, ``retry`` is in milliseconds. ``ignored`` has the
    lines with unknown field names. ``span`` is the block's range in the byte stream, from its
    first line to the end of its blank line. ``malformed``: some bytes were not UTF-8 and
    became U+FFFD.
    """

    event: str
    data: str | None
    id: str
    retry: int | None
    ignored: tuple[str, ...]
    span: tuple[int, int]
    malformed: bool

    @cached_property
    def json(self) -> Any:
        """The data as JSON, not to be changed; :data:`NOT_JSON` for anything else."""
        return _parsed((self.data or "").strip())

    @property
    def is_keepalive(self) -> bool:
        """Whether the event only fills the wait.

        Gateways send the comment ``: ping`` as data, or a ping with a date. A JSON object or list
        under such a name may be an answer, so that is no keep-alive, and neither is ``[DONE]``.
        """
        if self.data is None:
            return False
        if self.event.lower() in _KEEPALIVES:
            return not isinstance(self.json, dict | list) and self.data.strip() != "[DONE]"
        return all(line.startswith(":") for line in self.data.split("\n"))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    # The same event comes again on every wire of its answer.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NOT_JSON


class LineSplitter:
    """Splits a byte stream into lines at LF, CR and CRLF, in pieces of any size.

    A CR ends its line at once; an LF that follows in the next piece belongs to it. Each line
    comes with the offset just after its end, which counts that LF only if it has arrived.
    """

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._offset = 0
        self._after_cr = False

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield ``(line, end offset)`` for every line that ``data`` completes."""
        start = 0
        if self._after_cr and data:
            self._after_cr = False
            if data.startswith(b"\n"):
                start = 1
        base = self._offset
        self._offset += len(data)
        for match in _LINE_END.finditer(data, start):
            line = data[start : match.start()]
            if self._tail:
                line = b"".join((*self._tail, line))
                self._tail.clear()
            start = match.end()
            self._after_cr = start == len(data) and match.group() == b"\r"
            yield line, base + start
        if start < len(data):
            self._tail.append(data[start:])

    def close(self) -> tuple[bytes, int] | None:
        """Return the last line if the stream ended without ending it."""
        if not self._tail:
            return None
        line = b"".join(self._tail)
        self._tail.clear()
        return line, self._offset


class Decoder:
    """Turns the bytes of an event stream into blocks."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._first = True
        self._id = ""
        self._start = 0
        self._clear()

    def feed(self, data: bytes) -> list[Block]:
        """Return the blocks that ``data`` completes. Blocks with no field at all are left out."""
        blocks = []
        for line, end in self._lines.feed(data):
            if line and not self._is_bom_only(line):
                self._field(line)
                continue
            block = self._block(end)
            if block is not None:
                blocks.append(block)
        return blocks

    def close(self) -> Block | None:
        """Return the unfinished block at the end of the stream, if there is one.

        The standard discards it; a client that must distinguish complete from truncated answers
        cannot.
        """
        last = self._lines.close()
        end = self._start
        if last is not None:
            end = last[1]
            self._field(last[0])
        return self._block(end)

    def _clear(self) -> None:
        self._event = ""
        self._data: list[str] | None = None
        self._retry: int | None = None
        self._ignored: list[str] = []
        self._malformed = False
        self._pending_id = self._id

    def _is_bom_only(self, line: bytes) -> bool:
        return self._first and line == BOM

    def _field(self, raw: bytes) -> None:
        if self._first:
            self._first = False
            raw = raw.removeprefix(BOM)
        try:
            line = raw.decode()
        except UnicodeDecodeError:
            line = raw.decode(errors="replace")
            self._malformed = True
        name, _, value = line.partition(":")
        if not name:
            return
        value = value.removeprefix(" ")
        match name:
            case "data":
                if self._data is None:
                    self._data = []
                self._data.append(value)
            case "event":
                self._event = value
            case "id":
                if "\0" not in value:
                    self._pending_id = value
            case "retry":
                if value.isascii() and value.isdigit():
                    self._retry = int(value)
            case _:
                self._ignored.append(line)

    def _block(self, end: int) -> Block | None:
        self._first = False
        self._id = self._pending_id
        block = None
        if self._data is not None or self._event or self._ignored or self._retry is not None:
            block = Block(
                event=self._event or "message",
                data=None if self._data is None else "\n".join(self._data),
                id=self._id,
                retry=self._retry,
                ignored=tuple(self._ignored),
                span=(self._start, end),
                malformed=self._malformed,
            )
        self._start = end
        self._clear()
        return block


def decode(body: bytes) -> list[Block]:
    """Decode a whole body, with the unfinished block at its end if there is one."""
    decoder = Decoder()
    blocks = decoder.feed(body)
    last = decoder.close()
    return blocks if last is None else [*blocks, last]


def encode(
    data: str, *, event: str | None = None, event_id: str | None = None, retry: int | None = None
) -> bytes:
    """Encode one event with LF line ends, one ``data`` line for each line of ``data``.

    Raises ``ValueError`` for what the format cannot carry: line ends in ``event`` or ``event_id``,
    NUL in ``event_id``, and CR in ``data`` (it would come back as LF).
    """
    for name, value in (("event", event), ("id", event_id)):
        if value is not None and re.search(r"[\r\n]", value):
            raise ValueError(f"an event stream cannot carry line breaks in {name}: {value!r}")
    if event_id is not None and "\0" in event_id:
        raise ValueError("an event stream cannot carry NUL in id: every reader ignores it")
    if "\r" in data:
        raise ValueError("an event stream cannot carry CR in data")
    lines = []
    if event is not None:
        lines.append(f"event: {event}")
    if event_id is not None:
        lines.append(f"id: {event_id}")
    if retry is not None:
        lines.append(f"retry: {retry}")
    lines += [f"data: {line}" for line in data.split("\n")]
    return "\n".join((*lines, "", "")).encode()


def event_ends(body: bytes) -> list[int]:
    """Return the offsets after each blank line, where an event stream can be split.

    Blank lines in a row belong to the event before them; so do comments to the one after.
    """
    ends: list[int] = []
    previous_blank = False
    start = 0
    for match in _LINE_END.finditer(body):
        blank = match.start() == start or body[start : match.start()] == BOM
        start = match.end()
        if blank and previous_blank and ends:
            ends[-1] = start
        elif blank:
            ends.append(start)
        previous_blank = blank
    return ends


def line_ends(body: bytes) -> list[int]:
    """Return the offsets after each line of newline-delimited JSON (LF only: JSON allows CR)."""
    return [match.end() for match in re.finditer(rb"\n", body)]
