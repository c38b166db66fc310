"""The lines that the server prints about requests."""

from __future__ import annotations

from typing import cast

from harness.commands import request_log
from mockserver import MockServer
from mockserver.library.outcome import Outcome
from mockserver.serving.journal import Journal, Record, Room


class Server:
    """A journal of three records."""

    def __init__(self) -> None:
        self.journal = Journal(3, Room(1_000_000))

    def records_after(self, number: int) -> list[Record]:
        return self.journal.after(number)


def records(count: int, *, over: bool = True, start: int = 0) -> list[Record]:
    made = [Record(start + n, None, "GET", f"/{start + n}", "", {}, b"") for n in range(count)]
    for record in made if over else ():
        record.refuse(Outcome.MISSED, status=404, note="nothing")
    return made


def shown(*batches: list[Record], is_end: bool = False) -> list[str]:
    """Return the lines of requests that came between two looks at the journal."""
    server = Server()
    log = request_log.RequestLog(cast("MockServer", server))
    found = []
    for batch in batches:
        for record in batch:
            server.journal.add(record)
        found += log.lines(is_end=is_end)
    return [line.partition(" ->")[0] for line in found]


def test_every_request_has_one_line_with_its_number() -> None:
    seen = shown(records(2), [], records(2, start=2))
    assert seen == ["#0 GET /0", "#1 GET /1", "#2 GET /2", "#3 GET /3"]


def test_a_later_request_waits_for_an_earlier_one() -> None:
    waiting, late = records(1, over=False), records(1, start=1)
    assert shown(waiting + late) == []


def test_at_the_end_nothing_waits() -> None:
    waiting, late = records(1, over=False), records(1, start=1)
    assert shown(waiting + late, is_end=True) == ["#1 GET /1"]


def test_what_the_journal_forgot_is_counted() -> None:
    seen = shown(records(1), records(5, start=1), records(4, start=6))
    assert seen == [
        "#0 GET /0",
        "… 2 requests not shown: they came faster than they can be listed",
        *["#3 GET /3", "#4 GET /4", "#5 GET /5"],
        "… 1 request not shown: they came faster than they can be listed",
        *["#7 GET /7", "#8 GET /8", "#9 GET /9"],
    ]


def test_a_line_has_the_note_without_secrets() -> None:
    key = "sk-proj-" + "Zm9vYmFyYmF6cXV4" * 3
    server = Server()
    record = Record(0, None, "POST", f"/v1/{key}/x", "", {}, b"")
    record.refuse(Outcome.MISSED, status=404, note=f"nothing for {key}")
    server.journal.add(record)
    (line,) = request_log.RequestLog(cast("MockServer", server)).lines()
    assert line == "#0 POST /v1/REDACTED/x -> 404 missed: nothing for REDACTED"
