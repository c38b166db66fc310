from __future__ import annotations

from pathlib import Path

import pytest

from harness.commands import failures
from harness.commands.failures import Failures, merged
from harness.errors import ReportError
from harness.plan.planning import Plan, Settings
from tests.harness.reports.made import case


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_failure_stays_until_it_passes() -> None:
    names = {"one": "one.py"}
    first = merged((), [case(f"a/{n}/recorded@one", "fail") for n in "bcd"], names)
    assert first == (Failures("one.py", (), tuple(f"a/{n}/recorded@one" for n in "bcd")),)
    cases = [
        case("a/b/recorded@one"),
        case("a/e/recorded@one", "stale"),
        case("a/f/recorded@one", "known"),
    ]
    after = merged(first, cases, names, gone=["a/d/recorded@one"])
    assert after[0].cases == ("a/c/recorded@one", "a/e/recorded@one")


def test_each_adapter_and_each_place_has_its_own() -> None:
    first = merged((), [case("a/b/recorded@one", "fail")], {"one": "one.py"})
    after = merged(first, [case("a/b/recorded@two")], {"two": "two.py"})
    after = merged(after, [case("a/b/recorded@one")], {"one": "one.py"}, ("--scenarios", "x"))
    assert after == (*first, Failures("two.py", ()), Failures("one.py", ("--scenarios", "x")))


def test_the_list_is_kept_in_a_file() -> None:
    with pytest.raises(ReportError, match="no earlier run in this directory"):
        failures.existing()
    plan = Plan(
        settings=Settings(adapters=("one.py",), scenarios=(Path("own"),)),
        adapters=(),
        baselines={},
        cases=(),
        skips=(),
    )
    assert failures.sources_of(plan.settings) == ("--scenarios", "own")
    listed = (Failures("one.py", ("--scenarios", "own"), ("a/b/recorded@one",)),)
    failures._write(listed)
    assert failures.existing() == listed


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "failures": [{}]}'])
def test_a_broken_list_is_refused(text: str) -> None:
    failures.FILE.parent.mkdir()
    failures.FILE.write_text(text)
    with pytest.raises(ReportError, match="delete it"):
        failures.read()
