"""Failures by chance and by number."""

from __future__ import annotations

import pytest

from mockserver.backend.failing import Failing, Failure
from mockserver.backend.notation import parse_failures
from mockserver.wire.faults import FaultKind


def hits(words: str, count: int, seed: int = 0) -> list[str]:
    failing = Failing(parse_failures(words), seed)
    drawn = [failing.next() for _ in range(count)]
    return ["" if one is None else str(one.failure.status or one.failure.kind) for one in drawn]


def test_a_share_of_the_answers_fails() -> None:
    found = hits("429=10%,cut=5%", 4000)
    assert found.count("429") == pytest.approx(400, rel=0.2)
    assert found.count("cut") == pytest.approx(200, rel=0.25)


def test_the_same_seed_fails_the_same_answers() -> None:
    assert hits("500=30%", 50, seed=7) == hits("500=30%", 50, seed=7)
    assert hits("500=30%", 50, seed=7) != hits("500=30%", 50, seed=8)


def test_the_first_answers_fail_as_often_as_asked() -> None:
    assert hits("429=2x", 4) == ["429", "429", "", ""]
    assert hits("429=1x,cut@3=2x,500", 5) == ["429", "cut", "cut", "500", "500"]


def test_none_and_all_may_fail() -> None:
    assert hits("500=0%", 20) == [""] * 20
    assert hits("500=100%", 20) == ["500"] * 20
    assert Failing((), 0).next() is None


def test_chance_and_number_go_together() -> None:
    failing = Failing((Failure(status=500, rate=0.5, times=3),), 1)
    assert sum(failing.next() is not None for _ in range(200)) == 3


def test_where_an_answer_breaks_is_drawn_too() -> None:
    failing = Failing((Failure(kind=FaultKind.CUT),), 0)
    lucks = {drawn.luck for _ in range(20) if (drawn := failing.next()) is not None}
    assert len(lucks) == 20
    assert all(0 <= luck < 1 for luck in lucks)
