"""The requests that the server got, and how it answered them."""

from __future__ import annotations

import base64
import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.backend import Seen
from mockserver.cassettes.cassette import Headers, Request, header_value
from mockserver.errors import CodingError, TooLargeError
from mockserver.library.outcome import Outcome
from mockserver.library.session import Found
from mockserver.secrets import find, names, shown
from mockserver.wire.content_coding import decode, decompress, encoding_of

#: The longest body that is shown. A few kilobytes of a client can decode to megabytes.
MOST_SHOWN = 1024 * 1024
#: What a record takes besides its texts.
_OVERHEAD = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One request with its outcome.

    ``path`` is the provider's own, without the server's prefix. ``exchange`` counts from 0
    within the session or ``cassette``; ``None`` for a miss. ``answer`` says what the answer is.
    ``sent`` counts the body's bytes on the wire, without head and chunk framing. ``note`` says
    why an answer was refused, or what is special about it. Headers are as received, the body
    without its content coding, both with secrets: show only the result of :meth:`to_json`.
    ``connection`` numbers the connections.
    ``arrived``, ``began`` and ``ended`` are when the request had come, when the answer began and
    when it had ended, in seconds of the event loop's clock; ``None`` for what did not happen.
    """

    number: int
    session: str | None
    cassette: str | None = None
    answer: str | None = None
    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    exchange: int | None = None
    status: int | None = None
    sent: int = 0
    outcome: Outcome = Outcome.ANSWERING
    note: str | None = None
    connection: int = 0
    arrived: float = 0.0
    began: float | None = None
    ended: float | None = None

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case."""
        return header_value(self.headers, name)

    @property
    def masked_path(self) -> str:
        """The path as it may be shown, with credentials replaced."""
        return find.mask(self.path)

    @property
    def masked_note(self) -> str | None:
        """The note as it may be shown, with credentials replaced."""
        return self.note and find.mask(self.note)

    def to_json(self) -> dict[str, Any]:
        """Return the entry with credentials replaced; a body that is not UTF-8 as base64.

        Of a body over :data:`MOST_SHOWN` bytes there is the length alone: to search it takes long.
        """
        data: dict[str, Any] = {
            "number": self.number,
            "session": self.session,
            "cassette": self.cassette,
            "answer": self.answer,
            "method": self.method,
            "path": self.masked_path,
            "query": names.query(self.query),
            "headers": [list(pair) for pair in names.request_headers(self.headers)],
            "exchange": self.exchange,
            "status": self.status,
            "sent": self.sent,
            "outcome": str(self.outcome),
            "note": self.masked_note,
            "connection": self.connection,
            "arrived": self.arrived,
            "began": self.began,
            "ended": self.ended,
        }
        if len(self.body) > MOST_SHOWN:
            return data | {"body": None, "body_bytes": len(self.body)}
        body = self.body and shown.body(self.body, self.header("content-type"))
        try:
            data["body"] = body.decode()
        except UnicodeDecodeError:
            data["body_base64"] = base64.b64encode(body).decode()
        return data


class Record:
    """A journal entry under construction; the arguments are the entry's.

    For speed, it stores the parts as they come, in few objects, and builds the entry only on
    demand. ``headers`` may have a name several times. ``body`` is as it was sent: a few kilobytes
    can decode to megabytes. ``clock`` tells the time in seconds. ``make`` makes the answer that was
    sent if ``found`` is only one like it, with other ids.
    """

    __slots__ = (
        "_arrived",
        "_asked",
        "_began",
        "_clock",
        "_connection",
        "_ended",
        "_found",
        "_headers",
        "_make",
        "_note",
        "_outcome",
        "_sent",
        "_status",
        "call",
        "on_end",
        "size",
    )

    def __init__(
        self,
        number: int,
        session: str | None,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        found: Found | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        connection: int = 0,
        make: Callable[[], Found] | None = None,
    ) -> None:
        self._asked = number, session, method, path, query, body
        #: How many bytes it takes, about.
        self.size = len(body) + len(query) + len(path) + _OVERHEAD
        self.size += sum(map(len, headers.values()))
        self._headers = headers
        self._found = found
        self._make = make
        self._outcome = Outcome.ANSWERING
        self._status = found.exchange.schedule.status if found else None
        self._sent = 0
        self._note: str | None = None
        #: The number of the call that the test has marked, if any.
        self.call: int | None = None
        self._clock = clock
        self._connection = connection
        self._arrived = clock()
        self._began: float | None = None
        self._ended: float | None = None
        self.on_end: Callable[[Record], None] | None = None

    @property
    def entry(self) -> JournalEntry:
        """The entry so far."""
        headers, sent = tuple(self._headers.items()), self._asked[-1]
        return self._entry(headers, decompress(sent, encoding_of(headers)))

    def to_json(self) -> dict[str, Any]:
        """Return the entry as :meth:`JournalEntry.to_json` does, in less time for a long body.

        One that decodes to more than :data:`MOST_SHOWN` is not decoded to its end: the length is
        that of what was sent.
        """
        headers, sent = tuple(self._headers.items()), self._asked[-1]
        try:
            body = decode(sent, encoding_of(headers), limit=MOST_SHOWN)
        except TooLargeError:
            shown = self._entry(headers, b"").to_json()
            return shown | {"body": None, "body_bytes": len(sent)}
        except CodingError:
            body = sent
        return self._entry(headers, body).to_json()

    def _entry(self, headers: Headers, body: bytes) -> JournalEntry:
        number, session, method, path, query, _ = self._asked
        found = self._found
        return JournalEntry(
            number=number,
            session=session,
            cassette=found.cassette if found else None,
            answer=found.label if found else None,
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            exchange=found.number if found else None,
            status=self._status,
            sent=self._sent,
            outcome=self._outcome,
            note=self._note or (found.note if found else None),
            connection=self._connection,
            arrived=self._arrived,
            began=self._began,
            ended=self._ended,
        )

    @property
    def found(self) -> Found | None:
        """The answer."""
        if self._make is not None:
            self._found, self._make = self._make(), None
        return self._found

    @property
    def number(self) -> int:
        """The number of the request on this server, from 0."""
        return self._asked[0]

    @property
    def session(self) -> str | None:
        """The session of the request, if any."""
        return self._asked[1]

    @property
    def seen(self) -> Seen:
        """The request and its answer as evidence."""
        entry = self.entry
        uri = f"{entry.path}?{entry.query}" if entry.query else entry.path
        request = Request(method=entry.method, uri=uri, headers=entry.headers, body=entry.body)
        return Seen(
            number=entry.number,
            request=request,
            connection=self._connection,
            arrived=self._arrived,
            began=self._began,
            ended=self._ended,
            sent=self._sent,
            outcome=self._outcome,
            found=self.found,
            call=self.call,
        )

    @property
    def is_over(self) -> bool:
        """Whether its answer has ended."""
        return self._outcome is not Outcome.ANSWERING

    def begin(self) -> None:
        """Note that the answer begins."""
        self._began = self._clock()

    def end(self, outcome: Outcome, *, sent: int = 0) -> None:
        """Note how a recorded answer ended; only the first end counts."""
        if self._outcome is Outcome.ANSWERING:
            self._outcome, self._sent = outcome, sent
            self._ended = self._clock()
            if self.on_end is not None:
                self.on_end(self)

    def refuse(self, outcome: Outcome, *, status: int, note: str) -> None:
        """Note that the request got no recorded answer, and why."""
        self._outcome, self._status, self._note = outcome, status, note
        self._began = self._ended = self._clock()


class Room:
    """How many bytes several journals may take together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0


class Journal:
    """The last entries, oldest first: so many, and no more bytes than ``room`` has."""

    def __init__(self, limit: int, room: Room) -> None:
        self._limit = limit
        self._room = room
        self._records: deque[Record] = deque()
        self._size = 0
        #: How many entries were dropped to make room.
        self.dropped = 0

    def add(self, record: Record) -> None:
        """Append a record; a full journal drops the oldest."""
        records, room = self._records, self._room
        records.append(record)
        change = record.size
        if len(records) > self._limit:
            change -= self._drop()
        self._take(change)
        while room.taken > room.limit and len(records) > 1:
            self._take(-self._drop())

    @property
    def records(self) -> tuple[Record, ...]:
        """The records so far; each makes its entry on demand."""
        return tuple(self._records)

    @property
    def numbered(self) -> tuple[tuple[int, Record], ...]:
        """The records so far with their places, from 0, among all that this journal has had."""
        return tuple(enumerate(self._records, self.dropped))

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """The entries so far."""
        return tuple(record.entry for record in self._records)

    def after(self, number: int) -> list[Record]:
        """Return the records of requests that came after the one with that number."""
        newest_first = itertools.takewhile(lambda r: r.number > number, reversed(self._records))
        return list(newest_first)[::-1]

    def clear(self) -> None:
        """Forget all entries."""
        self._records.clear()
        self.dropped = 0
        self.release()

    def release(self) -> None:
        """Make room for others: whoever still has this journal keeps it alive."""
        self._take(-self._size)

    def _drop(self) -> int:
        """Forget the oldest entry, and return its size in bytes."""
        self.dropped += 1
        return self._records.popleft().size

    def _take(self, size: int) -> None:
        self._size += size
        self._room.taken += size
