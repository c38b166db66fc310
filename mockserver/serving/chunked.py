"""Reads a chunked body (RFC 9112, section 7.1) for :mod:`mockserver.serving.verify`. No I/O.

HTTP libraries hand on the bytes; this keeps the chunks apart. It shares no code with the writer.
"""

from __future__ import annotations

#: The longest line that says a size; hexadecimal digits, and what may follow them.
_LONGEST_LINE = 4096


class ChunkedBody:
    """The chunks so far. ``over``: the last one has come."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0
        self.over = False
        self._buffer = bytearray()
        #: How many bytes of the buffer must be there before reading on.
        self._needed = 0

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection. Raises ``ValueError`` for what is no chunked body."""
        self._buffer += data
        if len(self._buffer) < self._needed:
            return
        whole, at = bytes(self._buffer), 0
        self._needed = 0
        while not self.over:
            line_end = whole.find(b"\r\n", at, at + _LONGEST_LINE)
            if line_end < 0:
                if len(whole) - at >= _LONGEST_LINE:
                    raise ValueError("the line with the size of a chunk does not end")
                break
            size = _size(whole[at:line_end])
            start = line_end + 2
            stop = start + size
            if len(whole) < stop + 2:
                self._needed = stop + 2 - at
                break
            if whole[stop : stop + 2] != b"\r\n":
                where = "trailers" if size == 0 else "bytes behind a chunk"
                raise ValueError(f"{where}: {whole[stop : stop + 40]!r}")
            at = stop + 2
            if size == 0:
                self.over = True
                break
            self.chunks.append(whole[start:stop])
            self.size += size
        if self.over and at < len(whole):
            raise ValueError(f"bytes behind the last chunk: {whole[at : at + 40]!r}")
        del self._buffer[:at]

    @property
    def unfinished(self) -> bytes:
        """What has come of a chunk that is not complete."""
        line, mark, data = bytes(self._buffer).partition(b"\r\n")
        return data[: _size(line)] if mark else b""


def _size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip(b" \t")
    if not digits or not _HEXADECIMAL.issuperset(digits):
        raise ValueError(f"no size of a chunk: {line[:40]!r}")
    return int(digits, 16)


_HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")
