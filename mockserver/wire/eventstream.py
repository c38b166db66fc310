"""AWS event streams: binary frames, byte-exact and without I/O. They are not server-sent events.

A frame is a prelude (its length, the length of its headers, and the CRC-32 of both), headers with
typed values, a payload, and the CRC-32 of all before; numbers are big-endian. Source: "Event
stream encoding", https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
and https://smithy.io/2.0/aws/amazon-eventstream.html.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from uuid import UUID

CONTENT_TYPE = "application/vnd.amazon.eventstream"
#: Bytes before the headers and behind the payload.
PRELUDE, CHECKSUM = 12, 4
#: The largest headers and payload, in bytes.
MOST_HEADERS, MOST_PAYLOAD = 128 * 1024, 24 * 1024**2

_PRELUDE = struct.Struct("!III")
_CRC = struct.Struct("!I")


class Kind(IntEnum):
    """The types of header values, by their numbers on the wire."""

    TRUE = 0
    FALSE = 1
    BYTE = 2
    SHORT = 3
    INTEGER = 4
    LONG = 5
    BYTES = 6
    TEXT = 7
    TIMESTAMP = 8
    UUID = 9


#: Numbers by type; a timestamp is in milliseconds.
_NUMBERS = {
    Kind.BYTE: struct.Struct("!b"),
    Kind.SHORT: struct.Struct("!h"),
    Kind.INTEGER: struct.Struct("!i"),
    Kind.LONG: struct.Struct("!q"),
    Kind.TIMESTAMP: struct.Struct("!q"),
}
_LENGTH = struct.Struct("!H")


@dataclass(frozen=True, slots=True)
class Header:
    """A header. The value of a timestamp is milliseconds since 1970."""

    name: str
    value: bool | int | bytes | str | UUID
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Frame:
    """A frame, its range in the byte stream and where its payload begins.

    ``problem`` says what is wrong with it, with the whole name of a header, which may be a secret;
    headers and payload are then what could be read.
    """

    headers: tuple[Header, ...]
    payload: bytes
    span: tuple[int, int]
    payload_start: int
    problem: str | None = None

    def text(self, name: str) -> str:
        """Return the value of a text header; empty if there is none."""
        return self._texts.get(name, "")

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {h.name: h.value for h in self.headers if isinstance(h.value, str)}


def encode(headers: Iterable[Header], payload: bytes) -> bytes:
    """Return the bytes of a frame. Raises ``ValueError`` for what is too long."""
    head = b"".join(map(_encoded, headers))
    if len(head) > MOST_HEADERS or len(payload) > MOST_PAYLOAD:
        raise ValueError(f"{len(head)} bytes of headers and {len(payload)} of payload do not fit")
    prelude = prelude_of(len(head), len(payload))
    return prelude + head + payload + checksum(prelude + head + payload)


def prelude_of(headers: int, payload: int) -> bytes:
    """Return the prelude of a frame with that many bytes of headers and of payload."""
    lengths = struct.pack("!II", PRELUDE + headers + payload + CHECKSUM, headers)
    return lengths + checksum(lengths)


def checksum(data: bytes) -> bytes:
    """Return the CRC-32 of some bytes."""
    return _CRC.pack(zlib.crc32(data))


class FrameDecoder:
    """Splits a byte stream into frames, in pieces of any size.

    Behind a prelude that is wrong nothing can be read: its frame is the last, and ends where the
    bytes do that had come by then.
    """

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._offset = 0
        self._lost = False

    @property
    def pending(self) -> int:
        """The number of bytes that have come of a frame that is not complete."""
        return len(self._waiting)

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that are complete."""
        if self._lost:
            return []
        self._waiting += data
        return list(self._frames())

    def _frames(self) -> Iterator[Frame]:
        start = 0
        while len(self._waiting) - start >= PRELUDE:
            prelude = bytes(self._waiting[start : start + PRELUDE])
            problem = _problem_of_prelude(prelude)
            total, headers, _ = _PRELUDE.unpack(prelude)
            if problem is not None:
                self._lost = True
                begin, end = self._offset + start, self._offset + len(self._waiting)
                start = len(self._waiting)
                yield Frame((), b"", (begin, end), end, problem)
                break
            if len(self._waiting) - start < total:
                break
            yield _frame(bytes(self._waiting[start : start + total]), headers, self._offset + start)
            start += total
        del self._waiting[:start]
        self._offset += start


def frames(data: bytes) -> tuple[Frame, ...]:
    """Return the complete frames of a body; one with a wrong prelude is the last."""
    return tuple(FrameDecoder().feed(data))


def frame_ends(data: bytes) -> list[int]:
    """Return the offsets after each frame; one with a wrong prelude has no end."""
    ends = []
    start = 0
    while start + PRELUDE <= len(data):
        prelude = data[start : start + PRELUDE]
        start += _PRELUDE.unpack(prelude)[0]
        if _problem_of_prelude(prelude) is not None or start > len(data):
            break
        ends.append(start)
    return ends


def _problem_of_prelude(prelude: bytes) -> str | None:
    total, headers, crc = _PRELUDE.unpack(prelude)
    if zlib.crc32(prelude[:8]) != crc:
        return "the checksum of a frame's prelude is wrong"
    payload = total - headers - PRELUDE - CHECKSUM
    if not (0 <= payload <= MOST_PAYLOAD and headers <= MOST_HEADERS):
        return f"a frame of {total} bytes with {headers} bytes of headers cannot be"
    return None


def _frame(data: bytes, headers: int, offset: int) -> Frame:
    payload_start = PRELUDE + headers
    problem = None
    found: tuple[Header, ...] = ()
    if checksum(data[:-CHECKSUM]) != data[-CHECKSUM:]:
        problem = "the checksum of a frame is wrong"
    else:
        try:
            found = tuple(_headers(data[PRELUDE:payload_start]))
        except ValueError as exc:
            problem = f"the headers of a frame are wrong: {exc}"
    return Frame(
        headers=found,
        payload=data[payload_start:-CHECKSUM],
        span=(offset, offset + len(data)),
        payload_start=offset + payload_start,
        problem=problem,
    )


def _headers(data: bytes) -> Iterator[Header]:
    reader = _Reader(data)
    seen = set()
    while reader.left:
        name = _utf8(reader.take(reader.take(1)[0]))
        if name in seen:
            raise ValueError(f"{name!r} is there twice")
        seen.add(name)
        yield _value(name, reader)


def _value(name: str, reader: _Reader) -> Header:
    number = reader.take(1)[0]
    if number > max(Kind):
        raise ValueError(f"{name!r} has a value of type {number}, which is not known")
    kind = Kind(number)
    value: bool | int | bytes | str | UUID
    match kind:
        case Kind.TRUE | Kind.FALSE:
            value = kind is Kind.TRUE
        case Kind.BYTES | Kind.TEXT:
            raw = reader.take(*_LENGTH.unpack(reader.take(2)))
            value = _utf8(raw) if kind is Kind.TEXT else raw
        case Kind.UUID:
            value = UUID(bytes=reader.take(16))
        case _:
            (value,) = _NUMBERS[kind].unpack(reader.take(_NUMBERS[kind].size))
    return Header(name, value, kind)


def _encoded(header: Header) -> bytes:
    name = header.name.encode()
    if not 0 < len(name) <= 0xFF:
        raise ValueError(f"the header name {header.name!r:.60} does not have 1 to 255 bytes")
    value = b""
    match header.kind, header.value:
        case (Kind.TRUE, True) | (Kind.FALSE, False):
            pass
        case (Kind.BYTES, bytes() as raw):
            value = _measured(raw)
        case (Kind.TEXT, str() as text):
            value = _measured(text.encode())
        case (Kind.UUID, UUID() as uuid):
            value = uuid.bytes
        case (kind, int() as number) if kind in _NUMBERS and not isinstance(number, bool):
            try:
                value = _NUMBERS[kind].pack(number)
            except struct.error as exc:
                raise ValueError(f"the header {header.name!r:.60}: {exc}") from None
        case _:
            raise ValueError(
                f"the header {header.name!r:.60} is no {header.kind.name}: {header.value!r:.60}"
            )
    return bytes([len(name)]) + name + bytes([header.kind]) + value


def _measured(data: bytes) -> bytes:
    if len(data) > 0x7FFF:
        raise ValueError(f"a header value of {len(data)} bytes is too long: at most 32767")
    return _LENGTH.pack(len(data)) + data


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValueError("a text is not UTF-8") from None


class _Reader:
    """Takes bytes from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise ValueError("a value goes beyond the end")
        self._at += count
        return self._data[self._at - count : self._at]
