"""Requests that the provider itself would refuse: a wrong key, a wrong request. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs

from mockserver.backend import reply as replies
from mockserver.backend.asked import Asked
from mockserver.backend.reply import REFUSED, Given, Reply
from mockserver.cassettes.cassette import Request, header_value
from mockserver.dialects.dialect import Dialect, UnwritableError
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.refusals import Sent
from mockserver.dialects.registry import said, written_objection
from mockserver.dialects.writing import with_status
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass

_BAD = ErrorClass.INVALID_REQUEST
#: Headers that have a key and nothing else.
_PLAIN = ("x-api-key", "api-key", "x-goog-api-key")
#: The signature of an AWS request names the id of the key: the key itself is never sent.
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 .*?Credential=([^/,\s]+)")


def bad_key(dialect: Dialect, request: Request, key: str) -> Objection | None:
    """Return what the provider says to a request without the key, ``None`` to one that has it.

    The key may come in any of the usual places, whatever the provider.
    """
    given = [text for text in _keys(request) if text]
    if any(hmac.compare_digest(text.encode(), key.encode()) for text in given):
        return None
    return said(dialect, lambda refusals: refusals.bad_key(request, given=bool(given)))


def objections(
    dialect: Dialect, request: Request, call: NeutralCall | None, memory: Memory
) -> list[Objection]:
    """Return what the provider refuses about a request; ``call`` is ``None`` if it is unreadable.

    Equal words are said once.
    """
    sent = Sent(request, call, memory)
    found = said(dialect, lambda refusals: tuple(refusals.objections(sent)))
    return list({one.error.message: one for one in reversed(found)}.values())[::-1]


def unreadable(dialect: Dialect, message: str) -> Objection:
    """Return the reason to refuse a request that cannot be read, in our words."""
    # The readers are those of recordings.
    words = message.replace("the recorded request", "the request")
    return objection("unreadable", f"tapecheck: {words}", dialect.refusals.source)


def refused(
    dialect: Dialect,
    request: Request,
    reason: Objection,
    *,
    source: str = REFUSED,
    call: NeutralCall | None = None,
) -> Given:
    """Return the answer to a request that is refused, or that fails."""
    call = call or NeutralCall(model="", messages=(), stream=False)
    try:
        response = written_objection(dialect, reason, call)
    except UnwritableError:
        # The provider has no such error: its body is that of the next best one.
        kind = ErrorClass.SERVER_ERROR if (reason.error.status or 0) >= 500 else _BAD
        reason = replace(reason, error=replace(reason.error, error_class=kind))
        response = written_objection(dialect, reason, call)
    response = with_status(response, reason.error.status or response.status)
    reply = Reply(source=source, error=reason.error)
    return replies.of_response(request, response, reply, Asked(dialect, call, request))


def _keys(request: Request) -> Iterator[str]:
    for name in _PLAIN:
        yield header_value(request.headers, name) or ""
    sent = header_value(request.headers, "authorization") or ""
    kind, _, rest = sent.strip().partition(" ")
    if kind.lower() in ("bearer", "token"):
        yield rest.strip()
    elif kind.lower() == "basic":
        yield from _of_basic(rest.strip())
    elif match := _SIGNED.match(sent):
        yield match[1]
    elif not rest:
        yield kind
    yield from parse_qs(request.url.query).get("key", [])


def _of_basic(text: str) -> Iterator[str]:
    """Yield the password, which is where OpenAI takes a key."""
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return
    yield decoded.partition(":")[2]
