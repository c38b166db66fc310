from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mockserver.cassettes.cassette import Wire
from mockserver.recording.modes import NAMES, Mode, age_of, parse_age, runs_in_ci
from tests.mockserver.rawhttp import cassette, interaction

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_all_is_rewrite() -> None:
    assert {Mode.of(name) for name in NAMES} == set(Mode)
    assert Mode.of("all") is Mode.REWRITE
    with pytest.raises(ValueError, match="every"):
        Mode.of("every")


def test_build_servers_are_known() -> None:
    assert [runs_in_ci({"CI": v}) for v in ("true", "1", "", "false")] == [True, True, False, False]
    assert not runs_in_ci({})


@pytest.mark.parametrize(
    ("text", "age"), [("12h", timedelta(hours=12)), ("30d", timedelta(30)), (" 2 w", timedelta(14))]
)
def test_ages(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "d", "3", "3m", "-3d", "1.5d"])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(ValueError, match="such as 12h, 30d or 2w"):
        parse_age(text)


def test_the_oldest_recording_counts_and_confirmation_renews() -> None:
    def age(*facts: dict[str, object]) -> timedelta | None:
        tape = cassette(*(interaction(b"{}", wire=Wire(recorded=f)) for f in facts))
        return age_of(tape, NOW)

    assert age({}, {"by": "x"}) is None
    assert age({"at": "2026-11-20T12:00:00Z"}) == timedelta(1)
    assert age({"at": "2026-11-20T12:00:00Z"}, {"at": "2026-11-11T12:00:00Z"}) == timedelta(10)
    assert age({"at": "2020-01-01T00:00:00Z", "confirmed": "2026-11-19T12:00:00Z"}) == timedelta(2)
    assert age({"at": datetime(2026, 11, 18, 12)}) == timedelta(3)
    assert age({"at": "yesterday"}) is None


def test_each_mode_says_what_it_does() -> None:
    meanings = {mode.meaning for mode in Mode}
    assert len(meanings) == len(Mode)
    assert all(meanings)
