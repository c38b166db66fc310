"""Whose request it is, of several calls that a client makes at once."""

from __future__ import annotations

from collections.abc import Sequence

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
