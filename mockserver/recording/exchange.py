"""One exchange while it is recorded, in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mockserver.cassettes.cassette import (
    Chunk,
    End,
    Headers,
    Interaction,
    Origin,
    Request,
    Response,
    Wire,
    header_value,
)
from mockserver.recording.providers import DUMMY_KEY
from mockserver.secrets import find, learned
from mockserver.secrets.find import NOTHING_KNOWN, Known
from mockserver.wire.body import Media, media_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Status line and headers of a live answer, as received."""

    status: int
    reason: str
    headers: Headers
    http: str

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case."""
        return header_value(self.headers, name)


class Capture:
    """A request and its live answer. ``number`` is its position in the order of arrival.

    ``failure`` says why there was no answer at all. ``client_disconnected``: the client no
    longer reads. ``known`` secrets are masked in what people see. All methods belong to the
    event loop's thread.
    """

    def __init__(self, number: int, request: Request, known: Known = NOTHING_KNOWN) -> None:
        self.number = number
        self.request = request
        #: Method and path, for people.
        self.route = find.mask(f"{request.method} {request.url.path}", known)
        self.head: Head | None = None
        self.pieces: list[bytes] = []
        #: Bytes of the body so far.
        self.size = 0
        self.end: End | None = None
        self.failure: str | None = None
        self.client_disconnected = False
        #: What proved to the provider who asks.
        self.secrets: frozenset[str] = frozenset()
        self._at = datetime.now(UTC)
        self._times: list[float] = []
        self._headers_ms = self._end_ms = 0.0
        self._started = self.arrived_at = time.perf_counter()
        #: When the exchange ended or failed, on the clock of :attr:`arrived_at`.
        self.over_at = float("inf")

    @property
    def over(self) -> bool:
        """Whether the exchange has ended or failed."""
        return self.end is not None or self.failure is not None

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self.arrived_at

    def sent(self) -> None:
        """Note that the request was sent: times count from here."""
        self._started = time.perf_counter()

    def answered(self) -> None:
        """Note that the head of the answer has arrived."""
        self._headers_ms = self._now()

    def received(self, piece: bytes) -> None:
        """Add a piece of the body."""
        self._times.append(self._now())
        self.pieces.append(piece)
        self.size += len(piece)

    def ended(self, end: End) -> None:
        """Note how the answer ended."""
        self.end = end
        self._end_ms = self._now()
        self.over_at = time.perf_counter()

    def failed(self, why: str) -> None:
        """Note why there will be no answer, or why it must not be stored."""
        self.failure = why
        self.over_at = time.perf_counter()

    def interaction(self, recorded: Mapping[str, Any]) -> Interaction:
        """Return the whole exchange; ``recorded`` is added to the wire, with the time of day."""
        assert self.head is not None
        assert self.end is not None
        at = self._at.strftime("%Y-%m-%dT%H:%M:%SZ")
        head, body = self.head, b"".join(self.pieces)
        return Interaction(
            self.request,
            Response(
                status=head.status,
                reason=head.reason,
                headers=head.headers,
                body=body,
                wire=Wire(
                    http=head.http,
                    headers_ms=self._headers_ms,
                    chunks=self._chunks(body),
                    end_ms=self._end_ms,
                    end=self.end,
                    origin=Origin.RECORDED,
                    recorded={"at": at, **recorded},
                ),
            ),
        )

    def credentials(self) -> frozenset[str]:
        """Return the values in request and answer whose names mark them as secrets."""
        headers = self.head.headers if self.head else ()
        return self.secrets | own_credentials(self.request, headers, b"".join(self.pieces))

    def _chunks(self, body: bytes) -> tuple[Chunk, ...] | None:
        assert self.head is not None
        content_type = self.head.header("content-type")
        if self.head.header("content-length") and media_of(content_type, body) is Media.OTHER:
            # Such a body has no chunk boundaries, only those of the reads.
            return None
        pairs = zip(self._times, self.pieces, strict=True)
        return tuple(Chunk(at, len(piece)) for at, piece in pairs)

    def _now(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)


def own_credentials(request: Request, headers: Headers = (), answer: bytes = b"") -> frozenset[str]:
    """Return the credentials in an exchange, by their names, without the dummy key."""
    found = learned.of_exchange(request, headers, answer)
    return frozenset(value for value in found if DUMMY_KEY not in value)
