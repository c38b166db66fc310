"""The lines that the server prints about requests."""

from __future__ import annotations

from typing import cast

import pytest

from harness.commands import request_log
from mockserver import MockServer
from mockserver.library.outcome import Outcome
from mockserver.serving.journal import Journal, Record, Room


class Server:
    """A journal that is filled between two looks at it."""

    def __init__(self, *batches: list[Record]) -> None:
        self.journal = Journal(3, Room(1_000_000))
        self.batches = iter(batches)

    def records_after(self, number: int) -> list[Record]:
        batch = next(self.batches, None)
        if batch is None:
            raise KeyboardInterrupt
        for record in batch:
            self.journal.add(record)
        return self.journal.after(number)


def records(count: int, *, over: bool = True, start: int = 0) -> list[Record]:
    made = [Record(start + n, None, "GET", f"/{start + n}", "", {}, b"") for n in range(count)]
    for record in made if over else ():
        record.refuse(Outcome.MISSED, status=404, note="nothing")
    return made


def shown(monkeypatch: pytest.MonkeyPatch, *batches: list[Record]) -> list[str]:
    monkeypatch.setattr(request_log, "_INTERVAL", 0)
    lines = request_log.batches(cast("MockServer", Server(*batches)))
    found: list[list[str]] = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(lines)
    return [line.partition(" ->")[0] for batch in found for line in batch]


def test_every_request_has_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = shown(monkeypatch, records(2), [], records(2, start=2))
    assert seen == ["GET /0", "GET /1", "GET /2", "GET /3"]


def test_a_later_request_waits_for_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, late = records(1, over=False), records(1, start=1)
    assert shown(monkeypatch, waiting + late) == []


def test_what_the_journal_forgot_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = shown(monkeypatch, records(1), records(5, start=1), records(4, start=6))
    assert seen == [
        "GET /0",
        "… 2 requests not shown: they came faster than they can be listed",
        *["GET /3", "GET /4", "GET /5"],
        "… 1 request not shown: they came faster than they can be listed",
        *["GET /7", "GET /8", "GET /9"],
    ]
