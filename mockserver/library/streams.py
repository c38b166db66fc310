"""Whether a recorded answer is of the kind that a request asks for: a stream, or a whole answer.

A client that gets the other kind fails somewhere else, with a message that helps nobody.
"""

from __future__ import annotations

import json
from functools import lru_cache

from mockserver.cassettes.cassette import Request
from mockserver.library.refusal import RefusalError
from mockserver.library.session import Exchange
from mockserver.wire.body import Media

#: A body without one of these is no call, so it asks for nothing.
_CALLS = frozenset({"contents", "input", "messages", "model", "prompt"})
#: Longer bodies are read each time.
_SMALL = 16 * 1024


def fits(exchange: Exchange, got: Request) -> bool:
    """Return whether the answer is of the kind that ``got`` asks for."""
    if not got.body or exchange.schedule.status >= 400:
        return True
    wanted = asks_for_stream(got.body)
    recorded = asks_for_stream(exchange.request.body)
    if wanted == "nothing" or wanted == recorded:
        return True
    if exchange.schedule.media is Media.OTHER:
        return wanted != "stream" or recorded == "stream"
    # A provider may stream by default (Ollama does); then a call that says nothing gets a stream.
    return wanted == "stream" or (wanted == "default" and recorded != "stream")


def asks_for_stream(body: bytes) -> str:
    """Return ``stream``, ``whole``, ``default`` if a call does not say, ``nothing`` for no call."""
    return (_cached if len(body) <= _SMALL else _asked)(body)


def refusal(got: Request, where: str) -> RefusalError:
    """Return the refusal of a request for which only the other kind is recorded."""
    kinds = ("a stream", "whole answers")
    asked, recorded = kinds if asks_for_stream(got.body) == "stream" else kinds[::-1]
    return RefusalError(
        400,
        "stream_mismatch",
        f"{got.method} {got.url.path} asks for {asked}, but {where} has {recorded} of it only; "
        f"change 'stream' in the request, or record it with {asked}",
    )


def _asked(body: bytes) -> str:
    if b'"stream"' not in body and not any(b'"%b"' % n.encode() in body for n in _CALLS):
        return "nothing"
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return "nothing"
    if not isinstance(data, dict):
        return "nothing"
    match data.get("stream"):
        case True:
            return "stream"
        case False:
            return "whole"
    return "nothing" if _CALLS.isdisjoint(data) else "default"


_cached = lru_cache(maxsize=256)(_asked)
