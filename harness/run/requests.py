"""What requests say beyond their answers: whose they are, and which credentials they carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.judge.transcript import SeenRequest
from mockserver.cassettes import Request
from mockserver.secrets import credentials_of
from mockserver.serving import JournalEntry


def by_call(entries: Sequence[JournalEntry], calls: int) -> list[list[JournalEntry]]:
    """Return the requests of each call.

    The first request for an answer is that of the call with its number. Any other belongs to the
    call that sent the same body, else to the first without a request, else to the last one.
    """
    own: list[list[JournalEntry]] = [[] for _ in range(calls)]
    others = []
    for entry in entries:
        if entry.exchange is not None and entry.exchange < calls and not own[entry.exchange]:
            own[entry.exchange].append(entry)
        else:
            others.append(entry)
    for entry in others:
        same = [requests for requests in own if requests and requests[0].body == entry.body]
        without = [requests for requests in own if not requests]
        (same or without or own[-1:])[0].append(entry)
    return own


def credentials(requests: Iterable[SeenRequest]) -> frozenset[str]:
    """Return the credentials that requests carry, by the names of headers and fields."""
    found: set[str] = set()
    for seen in requests:
        uri = f"http://provider{seen.path}?{seen.query}"
        request = Request(method=seen.method, uri=uri, headers=seen.headers, body=seen.body)
        try:
            found |= credentials_of(request)
        except ValueError:
            # Its address is none.
            continue
    return frozenset(found)
