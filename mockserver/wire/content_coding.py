"""Undoes content codings (RFC 9110, section 8.4): gzip, deflate, br and zstd.

The bytes are not trusted. So they are decoded in small slices and up to a limit: a few
kilobytes can expand to gigabytes. br and zstd need libraries that are an extra of this package.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Protocol

from mockserver.errors import CodingError, NotEncodedError, TooLargeError

#: The most bytes that a body may decode to.
LIMIT = 64 * 1024 * 1024

#: How many bytes are decoded at a time: their output is in memory before the limit is
#: checked. gzip makes 1 MiB of them at most. Each gzip member copies the rest of its slice, so that
#: many small members in a large one would take the square of their number.
_SLICE = 1024
#: zstd makes 2 MiB at most of these.
_ZSTD_SLICE = 64
#: brotli has no bound, but takes a limit for the bytes that it returns at a time.
_BROTLI_OUTPUT = 64 * 1024

#: The largest window that zstd may ask memory for (RFC 9659, section 3).
_ZSTD_WINDOW = 8 * 1024 * 1024

_INSTALL = "install one with: pip install 'tapecheck[codings]'"


class _Decoder(Protocol):
    """Decodes one coding piece by piece; raises its own ``error`` for other data."""

    error: type[Exception]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in parts of bounded size."""

    def is_whole(self) -> bool:
        """Return whether everything that began has ended."""


def encoding_of(headers: Iterable[tuple[str, str]]) -> str:
    """Return the content codings that headers name, in the order in which they were applied."""
    return ", ".join(value for name, value in headers if name.lower() == "content-encoding")


def decompress(body: bytes, encoding: str) -> bytes:
    """Undo a content coding as :func:`decode` does; return the body itself if that fails."""
    try:
        return decode(body, encoding)
    except CodingError:
        return body


def decode(body: bytes, encoding: str, *, limit: int = LIMIT) -> bytes:
    """Undo the content codings in ``encoding``, which is what :func:`encoding_of` returns.

    Raises :class:`NotEncodedError` for a body that is not in that coding or is truncated,
    :class:`TooLargeError` beyond ``limit``, and :class:`CodingError` where there is no decoder.
    A body without coding is returned itself.
    """
    if not body or not _listed(encoding):
        return body
    return b"".join(decode_pieces([body], encoding, limit=limit))


def decode_pieces(pieces: Iterable[bytes], encoding: str, *, limit: int = LIMIT) -> list[bytes]:
    """Decode a body piece by piece, as a client does that reads a stream.

    Returns what each piece adds to the decoded body. Raises as :func:`decode` does.
    """
    parts = list(pieces)
    if not any(parts):
        return parts
    for coding in reversed(_listed(encoding)):
        parts = _decoded(parts, coding, limit)
    return parts


def is_known(encoding: str) -> bool:
    """Return whether all of these codings can be decoded, at least with the extra installed."""
    return all(coding in _DECODERS for coding in _listed(encoding))


def inflate(data: bytes, limit: int = LIMIT) -> bytes:
    """Decode what begins like gzip, zlib or zstd, up to ``limit``; return anything else itself.

    If the data does not decode to its end, the bytes themselves follow.
    """
    coding = next((c for start, c in _STARTS.items() if data.startswith(start)), None)
    if coding is None:
        return data
    out = bytearray()
    try:
        decoder = _DECODERS[coding]()
    except ImportError:
        return data
    try:
        for part in _fed(decoder, data):
            out += part
            if len(out) >= limit:
                return bytes(out[:limit])
        rest = b"" if decoder.is_whole() else data
    except decoder.error:
        rest = data
    return bytes(out) + rest


def _listed(encoding: str) -> list[str]:
    codings = map(str.strip, encoding.lower().split(","))
    return [coding for coding in codings if coding not in ("", "identity")]


def _decoded(pieces: list[bytes], coding: str, limit: int) -> list[bytes]:
    try:
        decoder = _DECODERS[coding]()
    except (KeyError, ImportError) as exc:
        if is_text(b"".join(pieces)):
            # Some recorders decode a body and keep the header.
            raise NotEncodedError(f"not encoded as {coding}") from None
        hint = _INSTALL if isinstance(exc, ImportError) else None
        raise CodingError(f"no decoder for {coding}", hint=hint) from None
    out = []
    size = 0
    try:
        for piece in pieces:
            plain = bytearray()
            for part in _fed(decoder, piece):
                plain += part
                size += len(part)
                if size > limit:
                    raise TooLargeError(f"over {limit} bytes when decoded from {coding}")
            out.append(bytes(plain))
    except decoder.error:
        raise NotEncodedError(f"not encoded as {coding}, or damaged") from None
    if not decoder.is_whole():
        raise NotEncodedError(f"encoded as {coding}, but truncated")
    return out


def _fed(decoder: _Decoder, data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _SLICE):
        yield from decoder.feed(data[start : start + _SLICE])


def is_text(body: bytes) -> bool:
    """Return whether a body is UTF-8."""
    decoder = _UTF_8()
    try:
        # A part at a time: the text is not needed, and a body may be large.
        for start in range(0, len(body), _PART):
            decoder.decode(body[start : start + _PART])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


_UTF_8 = codecs.getincrementaldecoder("utf-8")
_PART = 256 * 1024


def is_binary(body: bytes) -> bool:
    """Return whether a body is no text at all: a picture, sound, an archive.

    A text with a few broken bytes is one; one of 64 bytes that no text has is more than a few.
    """
    return 64 * (len(body) - len(body.translate(None, _IN_NO_TEXT))) > len(body)


#: The controls but tab, line ends, form feed and escape.
_IN_NO_TEXT = bytes(c for c in (*range(32), 127) if c not in b"\t\n\r\f\x1b")


class _Gzip:
    """Members one after the other, which count as one body (RFC 1952, section 2.2)."""

    error: type[Exception] = zlib.error

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._begun = False
        self._members = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if not self._begun and self._members:
                # Some writers pad the last member with zeros.
                data = data.lstrip(b"\0")
            self._begun = self._begun or bool(data)
            yield self._member.decompress(data)
            if not self._member.eof:
                return
            data = self._member.unused_data
            self._member = zlib.decompressobj(wbits=31)
            self._members += 1
            self._begun = False

    def is_whole(self) -> bool:
        return self._members > 0 and not self._begun


class _Deflate:
    """The zlib format, or the bare one that some senders take for it."""

    error: type[Exception] = zlib.error

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._stream is None:
            # The low half of zlib's first byte is 8 (RFC 1950, section 2.2).
            self._stream = zlib.decompressobj(15 if data[0] & 0x0F == 8 else -15)
        elif self._stream.eof:
            raise zlib.error("data after the end")
        yield self._stream.decompress(data)
        if self._stream.unused_data:
            raise zlib.error("data after the end")

    def is_whole(self) -> bool:
        return self._stream is not None and self._stream.eof


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        import brotli

        self.error: type[Exception] = brotli.error
        self._stream = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        part = self._stream.process(data, output_buffer_limit=_BROTLI_OUTPUT)
        while part:
            yield part
            if self._stream.is_finished():
                return
            # There may be more output, even when it accepts input: it reports that too early.
            part = self._stream.process(b"", output_buffer_limit=_BROTLI_OUTPUT)

    def is_whole(self) -> bool:
        return bool(self._stream.is_finished())


class _Zstd:
    """Frames one after the other (RFC 8878, section 3.1)."""

    def __init__(self) -> None:
        import zstandard

        self.error: type[Exception] = zstandard.ZstdError
        self._zstd = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._zstd.decompressobj()
        self._begun = False
        self._frames = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            self._begun = True
            yield self._frame.decompress(data[:_ZSTD_SLICE])
            data = data[_ZSTD_SLICE:]
            if self._frame.eof:
                data = self._frame.unused_data + data
                self._frame = self._zstd.decompressobj()
                self._frames += 1
                self._begun = False

    def is_whole(self) -> bool:
        return self._frames > 0 and not self._begun


_DECODERS: Mapping[str, Callable[[], _Decoder]] = MappingProxyType(
    {
        "gzip": _Gzip,
        "x-gzip": _Gzip,
        "deflate": _Deflate,
        "br": _Brotli,
        "zstd": _Zstd,
    }
)
#: How encoded data begins; brotli has no such mark.
_STARTS: Mapping[bytes, str] = MappingProxyType(
    {b"\x1f\x8b": "gzip", b"\x78": "deflate", b"\x28\xb5\x2f\xfd": "zstd"}
)
