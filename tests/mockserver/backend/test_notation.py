from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.backend.failing import Failure
from mockserver.backend.notation import (
    parse_duration,
    parse_failure,
    parse_failures,
    parse_fault,
    parse_pace,
    parse_share,
)
from mockserver.wire.faults import FaultKind
from mockserver.wire.variation import Break


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("300ms", 0.3),
        ("2s", 2),
        ("1.5 s", 1.5),
        (" 2m ", 120),
        ("1h", 3600),
        ("3d", 259200),
        ("2", 2),
        (0.2, 0.2),
        (0, 0),
        (".5", 0.5),
    ],
)
def test_a_duration(value: Any, seconds: float) -> None:
    assert parse_duration(value) == seconds


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [("50/s", 20), ("50 / s", 20), (50, 20), ("20ms", 20), ("0.5/s", 2000)],
)
def test_a_pace(value: Any, milliseconds: float) -> None:
    assert parse_pace(value) == milliseconds


@pytest.mark.parametrize(("value", "share"), [("10%", 0.1), (0.1, 0.1), ("100 %", 1), (0, 0)])
def test_a_share(value: Any, share: float) -> None:
    assert parse_share(value) == share


@pytest.mark.parametrize("text", ["cut=3", "cut 3", "cut: 3", "cut@3"])
def test_an_interruption(text: str) -> None:
    assert parse_fault(text) == Break(FaultKind.CUT, 3)


def test_an_interruption_without_a_number_comes_before_any_event() -> None:
    assert parse_fault("stall") == Break(FaultKind.STALL, 0)


@pytest.mark.parametrize(
    ("value", "failure"),
    [
        (429, Failure(status=429)),
        ("429:2s", Failure(status=429, retry=2)),
        ("429, retry 2s", Failure(status=429, retry=2)),
        ("429 retry 200ms", Failure(status=429, retry=0.2)),
        ("503:1s=10%", Failure(status=503, retry=1, rate=0.1)),
        ("529=2x", Failure(status=529, times=2)),
        ("cut", Failure(kind=FaultKind.CUT)),
        ("end@3=5%", Failure(kind=FaultKind.END, events=3, rate=0.05)),
    ],
)
def test_a_failure(value: Any, failure: Failure) -> None:
    assert parse_failure(value) == failure
    assert parse_failure(str(failure)) == failure


def test_several_failures() -> None:
    assert parse_failures("429=10%, cut=5%,503=1x") == (
        Failure(status=429, rate=0.1),
        Failure(kind=FaultKind.CUT, rate=0.05),
        Failure(status=503, times=1),
    )


@pytest.mark.parametrize(
    ("parse", "value", "message"),
    [
        (parse_duration, "soon", "a duration is such as 300ms, 2s or 1.5 (seconds): not 'soon'"),
        (parse_duration, "-1s", "not '-1s'"),
        (parse_duration, "٣s", "not "),
        (parse_duration, True, "not True"),
        (parse_duration, None, "not None"),
        (parse_duration, float("nan"), "not nan"),
        (parse_duration, "9" * 400, "a duration is"),
        (parse_pace, "0/s", "a pace is such as 50/s (tokens in a second) or 20ms: not '0/s'"),
        (parse_pace, "50/m", "not '50/m'"),
        (parse_share, "110%", "at most 100%: not '110%'"),
        (parse_share, "x", "not 'x'"),
        (
            parse_fault,
            "cutt=1",
            "unknown interruption 'cutt' (did you mean cut?); known are cut, end,",
        ),
        (parse_fault, "cut=x", "after a number of events: not 'cut=x'"),
        (parse_fault, "3", "an interruption is such as cut=3: not '3'"),
        (parse_failure, "later", "stall, garble; or a status, such as 429"),
        (parse_failure, 200, "a status of 400 to 599, such as 429 or 503: not 200"),
        (parse_failure, "4290", "not 4290"),
        (parse_failure, "429=2", "is such as 429=10% or 429=2x: not '2'"),
        (parse_failure, "429:x", "a duration is such as"),
        (parse_failure, "?", "a failure is a status such as 429 or 429:2s, or an interruption"),
        (parse_failure, "", "a failure is a status"),
        (parse_failures, "429=60%,cut=50%", "110% of the answers cannot fail"),
    ],
)
def test_a_mistake_is_named_with_what_can_be_said(parse: Any, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(value)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.binary()))
def test_anything_else_is_a_value_error(value: Any) -> None:
    for parse in (parse_duration, parse_pace, parse_share, parse_fault, parse_failure):
        with suppress(ValueError):
            parse(value)
