"""The lines that ``tapecheck serve`` prints about requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver import JournalEntry, MockServer

#: Seconds between two looks at the journal.
INTERVAL = 0.2


class RequestLog:
    """Says one line for each request of a server, in the order in which they came."""

    def __init__(self, server: MockServer) -> None:
        self._server = server
        self._shown = -1

    def lines(self, *, is_end: bool = False) -> list[str]:
        """Return the lines of the requests that were answered since the last time.

        A later request waits for an earlier one, except at the end.
        """
        records = self._server.records_after(self._shown)
        lines = []
        if records and records[0].number > self._shown + 1:
            lost = records[0].number - self._shown - 1
            many = "request" if lost == 1 else "requests"
            lines.append(f"… {lost:,} {many} not shown: they came faster than they can be listed")
        for record in records:
            if record.is_over:
                lines.append(_line(record.entry))
            elif not is_end:
                break
            self._shown = record.number
        return lines


def _line(entry: JournalEntry) -> str:
    words = f"{entry.status} {entry.outcome}"
    if entry.answer is not None:
        where = f"{entry.answer},"
        if entry.exchange is not None:
            where = f"{entry.cassette or ''}#{entry.exchange}"
        words = f"{where} {words}, {entry.sent:,} bytes"
    note = f": {entry.masked_note}" if entry.note else ""
    return f"#{entry.number} {entry.method} {entry.masked_path} -> {words}{note}"
