"""A short cut: answer a whole request in the call that brings its last byte.

It sends the bytes that :class:`~mockserver.serving.app.App` would send, and enters the same record,
without a task and without a request object: that takes about half the time. What needs more than
finding a prepared answer is left to the application, and then nothing was counted.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from aiohttp import hdrs
from aiohttp.http import RawRequestMessage

from mockserver.backend import Backend
from mockserver.cassettes.cassette import Request
from mockserver.library import streams
from mockserver.library.index import Index
from mockserver.library.library import Library
from mockserver.library.lookup import Choices, Lookup
from mockserver.library.outcome import Outcome
from mockserver.library.refusal import RefusalError
from mockserver.library.session import Exchange, Found
from mockserver.serving import admin
from mockserver.serving.app import App, labelled, received, target_of, variation_of
from mockserver.serving.made_again import MadeAgain, made_again
from mockserver.wire.http1 import Delivery
from mockserver.wire.schedule import Ending

K = TypeVar("K")
V = TypeVar("V")

_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_POST})
#: Headers of requests that ask for more than an answer, or come from a web page.
_SPECIAL = (hdrs.EXPECT, hdrs.UPGRADE, hdrs.TRAILER, hdrs.CONTENT_ENCODING, hdrs.ORIGIN)
#: What is before the name of a cassette.
_PINNED = "/c/"
#: Paths that the application answers: sessions, and what administrates them.
_ELSEWHERE = ("/s/", admin.PREFIX)
#: Longer bodies are left to the application, in bytes.
LONGEST = 64 * 1024
#: So many requests are remembered with what may answer them, and so many bytes of both.
_REQUESTS, _BYTES = 512, 16 * 1024 * 1024
#: Longer requests are not remembered, in bytes.
_SMALL = 16 * 1024
#: The request as far as its answer depends on it.
_Key = tuple[object, ...]
#: An answer: like which one it is, its bytes, how many are of the body, and what makes itself.
_Answer = tuple[Found, bytes, int, Callable[[], Found] | None]


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What is recorded for a request.

    ``messages`` are the choices that can be sent at once, by number, with the bytes that are sent
    and how many of them are of the body.
    """

    lookup: Lookup
    choices: Choices
    messages: dict[int, tuple[Found, bytes, int]]

    def is_current(self) -> bool:
        return self.lookup.are_current(self.choices)

    def next(self) -> _Answer | None:
        number = self.lookup.take(self.choices, self.messages.__contains__)
        return None if number is None else (*self.messages[number], None)

    @property
    def size(self) -> int:
        return sum(len(message) for _, message, _ in self.messages.values())


@dataclass(frozen=True, slots=True)
class _Made:
    """What is made for a request; ``index`` are the recordings that have nothing for it."""

    library: Library
    index: Index | None
    made: MadeAgain

    def is_current(self) -> bool:
        index = self.index
        return (index is None or self.library.index is index) and self.made.repeat.is_current()

    def next(self) -> _Answer:
        made = self.made
        number, message = made.next()
        return made.first, message, made.size, functools.partial(made.repeat.make, number)

    @property
    def size(self) -> int:
        return 2 * sum(map(len, self.made.pieces))


@dataclass(frozen=True, slots=True)
class _Known:
    """What may answer a request, which is for ``path`` and ``query`` behind the server's prefix."""

    path: str
    query: str
    source: _Recorded | _Made


class ShortCut:
    """Answers what an application has prepared."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._longest = min(LONGEST, app.options.limits.body)
        self._is_on = not app.options.speed and not app.options.proxy
        self._origin = app.options.visitors.origin
        self._known: dict[_Key, _Known] = {}
        #: By all bytes of a request, so that nothing of it has to be read again.
        self._whole: dict[bytes, tuple[RawRequestMessage, bytes, _Known]] = {}
        self._size = 0

    def accepts(self, head: RawRequestMessage) -> bool:
        """Return whether the request may be answered when its body is there."""
        if head.should_close or head.upgrade or head.method not in _METHODS:
            return False
        if not self._is_on or not head.path.startswith("/") or head.path.startswith(_ELSEWHERE):
            return False
        headers = head.headers
        for name in _SPECIAL:
            if name in headers:
                return False
        try:
            return self._origin(headers) is None
        except RefusalError:
            return False

    def answer(
        self, head: RawRequestMessage, body: bytes, connection: int, whole: bytes | None = None
    ) -> bytes | None:
        """Return the message that answers an accepted request, and enter it as sent.

        ``None``: the application has to answer. ``whole`` is the request as it came, if nothing
        came with it.
        """
        key = self._key(head, body)
        known = self._known.get(key)
        if known is None or not known.source.is_current():
            known = self._look_up(head, body)
            if known is None:
                return self._new(head, body, connection)
            if len(body) <= _SMALL:
                self._remember(self._known, key, known, len(body) + known.source.size)
        if whole is not None and len(whole) <= _SMALL:
            self._remember(self._whole, whole, (head, body, known), len(whole))
        return self._next(head, body, known, connection)

    def answer_again(self, whole: bytes, connection: int) -> bytes | None:
        """Return what answers a request of which every byte is that of an earlier one."""
        found = self._whole.get(whole)
        if found is None or not found[2].source.is_current():
            return None
        return self._next(*found, connection)

    def _next(
        self, head: RawRequestMessage, body: bytes, known: _Known, connection: int
    ) -> bytes | None:
        answer = known.source.next()
        if answer is None:
            return None
        return self._enter(head, (known.path, known.query), body, answer, connection)

    def _enter(
        self,
        head: RawRequestMessage,
        target: tuple[str, str],
        body: bytes,
        answer: _Answer,
        connection: int,
    ) -> bytes:
        """Enter an answer as sent, and return its bytes."""
        found, message, sent, make = answer
        record = self._app.enter(head, *target, body, None, found, connection=connection, make=make)
        record.begin()
        record.end(Outcome.FINISHED, sent=sent)
        return message

    def _new(self, head: RawRequestMessage, body: bytes, connection: int) -> bytes | None:
        """Make an answer that nothing is prepared for, and enter it as sent.

        ``None`` if it may be none of those that are always sent at once.
        """
        backend = self._app.backend
        if backend is None or not backend.is_plain or head.path.startswith(_PINNED):
            return None
        target = target_of(head.path)
        got = received(head.method, *target, tuple(head.headers.items()), body)
        if len(body) > self._longest or self._index_without(got) is False:
            return None
        try:
            given = backend.answer(got, time.monotonic())
        except Exception:
            # Refusals, and faults of our own or of a dialect: the handler gets them again, and says
            # what they are.
            return None
        schedule = given.exchange.schedule
        message = b"".join(given.exchange.message.parts(Delivery.PERSISTENT))
        return self._enter(
            head, target, body, (given, message, len(schedule.body), None), connection
        )

    def _key(self, head: RawRequestMessage, body: bytes) -> _Key:
        """Return a request as far as its answer depends on it."""
        if head.path.startswith(_PINNED):
            return head.method, head.path, streams.asks_for_stream(body) if body else ""
        if self._app.backend is None:
            return head.method, head.path, body
        return head.method, head.path, body, head.raw_headers

    def _look_up(self, head: RawRequestMessage, body: bytes) -> _Known | None:
        if len(body) > self._longest:
            return None
        app = self._app
        path, query = target_of(head.path)
        choices, backend = None, app.backend
        try:
            if path.startswith(_PINNED):
                backend = None
                split = app.library.split(path.removeprefix(_PINNED))
                if split is None:
                    return None
                chosen, path = variation_of(split[1])
                got = received(head.method, path, query, (), body)
                choices = app.lookup.pinned_choices(split[0], chosen, got)
            elif backend is None or app.options.by_request:
                choices = app.lookup.matched_choices(received(head.method, path, query, (), body))
        except RefusalError:
            return None
        if choices is not None:
            return _Known(path, query, self._recorded(choices))
        if backend is None:
            return None
        headers = tuple(head.headers.items())
        made = self._made(backend, received(head.method, path, query, headers, body))
        return None if made is None else _Known(path, query, made)

    def _recorded(self, choices: Choices) -> _Recorded:
        messages = {}
        for number, found in choices.found.items():
            message = _message(labelled(found, self._app.backend))
            if message is not None:
                messages[number] = found, message, len(found.exchange.schedule.body)
        return _Recorded(self._app.lookup, choices, messages)

    def _made(self, backend: Backend, got: Request) -> _Made | None:
        repeat = backend.repeat(got)
        if repeat is None:
            return None
        index = self._index_without(got)
        if index is False:
            return None
        made = made_again(repeat, lambda given: _message(given.exchange))
        return None if made is None else _Made(self._app.library, index, made)

    def _index_without(self, got: Request) -> Index | Literal[False] | None:
        """Return the recordings that a made answer stands behind; ``False`` if they have one."""
        if not self._app.options.by_request:
            return None
        index = self._app.library.index
        return False if index is None or index.matches(got) else index

    def _remember(self, where: dict[K, V], key: K, value: V, size: int) -> None:
        if len(where) >= _REQUESTS or self._size + size > _BYTES:
            self._known.clear()
            self._whole.clear()
            self._size = 0
        where[key] = value
        self._size += size


def _message(exchange: Exchange) -> bytes | None:
    """Return an answer as it is sent, or ``None`` if that is more than one write."""
    message = exchange.message
    bodiless = exchange.schedule.status in (204, 304)
    ends = exchange.schedule.ending is Ending.FINISH and not message.closes(Delivery.PERSISTENT)
    # An address leads to the host that the client has asked.
    if bodiless or exchange.has_address or not ends:
        return None
    return message.whole(Delivery.PERSISTENT)
