"""A short cut: answer a whole request in the call that brings its last byte.

It sends the bytes that :class:`~mockserver.serving.app.App` would send, and enters the same record,
without a task and without a request object: that takes about half the time. What needs more than
finding a prepared answer is left to the application, and then nothing was counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from aiohttp import hdrs
from aiohttp.http import RawRequestMessage

from mockserver.library.lookup import Choices
from mockserver.library.outcome import Outcome
from mockserver.library.refusal import RefusalError
from mockserver.library.session import Exchange, Found
from mockserver.serving import admin
from mockserver.serving.app import App, labelled, received, target_of, variation_of
from mockserver.wire.http1 import Delivery
from mockserver.wire.schedule import Ending

K = TypeVar("K")
V = TypeVar("V")

_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_POST})
#: Headers of requests that ask for more than an answer, or come from a web page.
_SPECIAL = (hdrs.EXPECT, hdrs.UPGRADE, hdrs.TRAILER, hdrs.CONTENT_ENCODING, hdrs.ORIGIN)
#: Paths that the application answers: sessions, and what administrates them.
_ELSEWHERE = ("/s/", admin.PREFIX)
#: Longer bodies are left to the application, in bytes.
LONGEST = 64 * 1024


#: So many requests are remembered with what may answer them, and so many bytes of both.
_REQUESTS, _BYTES = 512, 16 * 1024 * 1024
#: Longer requests are not remembered, in bytes.
_SMALL = 16 * 1024


@dataclass(frozen=True, slots=True)
class _Known:
    """What may answer a request, which is for ``path`` and ``query`` behind the server's prefix.

    ``messages`` are the choices that can be sent at once, by number, with the bytes that are sent
    and how many of them are of the body.
    """

    path: str
    query: str
    choices: Choices
    messages: dict[int, tuple[Found, bytes, int]]


class ShortCut:
    """Answers what an application has prepared."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._longest = min(LONGEST, app.options.limits.body)
        self._is_on = not app.options.speed and not app.options.proxy
        self._origin = app.options.visitors.origin
        #: By method, target and body.
        self._known: dict[tuple[str, str, bytes], _Known] = {}
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
        asked = head.method, head.path, body
        known = self._known.get(asked)
        if known is None or not self._app.lookup.are_current(known.choices):
            known = self._look_up(*asked)
            if known is None:
                return None
        if whole is not None and len(whole) <= _SMALL:
            self._remember(self._whole, whole, (head, body, known), len(whole))
        return self._next(head, body, known, connection)

    def answer_again(self, whole: bytes, connection: int) -> bytes | None:
        """Return what answers a request of which every byte is that of an earlier one."""
        found = self._whole.get(whole)
        if found is None or not self._app.lookup.are_current(found[2].choices):
            return None
        return self._next(*found, connection)

    def _next(
        self, head: RawRequestMessage, body: bytes, known: _Known, connection: int
    ) -> bytes | None:
        app = self._app
        number = app.lookup.take(known.choices, known.messages.__contains__)
        if number is None:
            return None
        found, message, sent = known.messages[number]
        record = app.enter(head, known.path, known.query, body, None, found, connection=connection)
        record.begin()
        record.end(Outcome.FINISHED, sent=sent)
        return message

    def _look_up(self, method: str, target: str, body: bytes) -> _Known | None:
        if len(body) > self._longest:
            return None
        app = self._app
        path, query = target_of(target)
        try:
            if path.startswith("/c/"):
                split = app.library.split(path.removeprefix("/c/"))
                if split is None:
                    return None
                chosen, path = variation_of(split[1])
                got = received(method, path, query, (), body)
                choices = app.lookup.pinned_choices(split[0], chosen, got)
            elif app.backend is not None and not app.options.by_request:
                return None
            else:
                choices = app.lookup.matched_choices(received(method, path, query, (), body))
        except RefusalError:
            return None
        if choices is None:
            return None
        messages = {}
        for number, found in choices.found.items():
            message = _message(labelled(found, app.backend))
            if message is not None:
                messages[number] = found, message, len(found.exchange.schedule.body)
        known = _Known(path, query, choices, messages)
        if len(body) <= _SMALL:
            size = sum(len(message) for _, message, _ in known.messages.values())
            self._remember(self._known, (method, target, body), known, len(body) + size)
        return known

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
