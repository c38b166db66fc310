"""The lines that ``tapecheck serve`` prints about requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver import JournalEntry, MockServer

#: Seconds between two looks at the journal.
_INTERVAL = 0.2


def batches(server: MockServer) -> Iterator[list[str]]:
    """Yield a line for each answered request, in the order in which they came, without an end."""
    shown = -1
    while True:
        time.sleep(_INTERVAL)
        records = server.records_after(shown)
        lines = []
        if records and records[0].number > shown + 1:
            lost = records[0].number - shown - 1
            many = "request" if lost == 1 else "requests"
            lines.append(f"… {lost:,} {many} not shown: they came faster than they can be listed")
        for record in records:
            if not record.is_over:
                # A later request waits for an earlier one.
                break
            shown = record.number
            lines.append(_line(record.entry))
        if lines:
            yield lines


def _line(entry: JournalEntry) -> str:
    if entry.answer is None:
        return f"{entry.method} {entry.path} -> {entry.status} {entry.outcome}: {entry.note}"
    if entry.exchange is None:
        where = f" {entry.answer},"
    else:
        where = f" {entry.cassette}#{entry.exchange}" if entry.cassette else f" #{entry.exchange}"
    return (
        f"{entry.method} {entry.path} ->{where} {entry.status} {entry.outcome}, "
        f"{entry.sent:,} bytes"
    )
