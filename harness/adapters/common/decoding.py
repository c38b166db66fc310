"""Undoes the content coding of an answer as its bytes arrive.

httpx does so for all codings, but of gzip it reads the first member only. A body may have many
(RFC 1952, section 2.2): some gateways compress every event by itself.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator

import httpx

_GZIP = ("gzip", "x-gzip")
_GZIP_WINDOW = 31


class GzipMembers:
    """Decodes gzip members one after the other; pieces may end anywhere. Pure."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._begun = True

    def feed(self, data: bytes) -> bytes:
        """Return what ``data`` adds to the body. Raises ``zlib.error`` for what is no gzip."""
        out = b""
        while data:
            if not self._begun:
                # Some writers fill the end up with zeros.
                data = data.lstrip(b"\0")
                self._begun = bool(data)
            out += self._member.decompress(data)
            if not self._member.eof:
                break
            data = self._member.unused_data
            self._member = zlib.decompressobj(_GZIP_WINDOW)
            self._begun = False
        return out


async def decoded(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield the decoded body. Raises ``httpx.HTTPError`` as httpx does."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in _GZIP or response.is_stream_consumed:
        async for data in response.aiter_bytes():
            yield data
        return
    members = GzipMembers()
    async for data in response.aiter_raw():
        try:
            piece = members.feed(data)
        except zlib.error as exc:
            raise httpx.DecodingError(str(exc), request=response.request) from exc
        if piece:
            yield piece
