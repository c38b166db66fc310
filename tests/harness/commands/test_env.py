"""``tapecheck env`` with one environment, which a function of the test makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.environments import building, failing, listing, store
from harness.environments.listing import Environment
from tests.harness.conftest import Cli
from tests.harness.environments.packages import python


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    environment = python(tmp_path)
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "envs"))
    monkeypatch.setattr(listing, "environments", lambda: {"toy": environment})
    monkeypatch.setattr(listing, "third_parties", dict)

    def build(
        _: Environment, directory: Path, tell: building.Tell, *, newest: bool
    ) -> dict[str, str]:
        tell("Collecting \x1btoy")
        program = store.python_of(directory)
        program.parent.mkdir(parents=True)
        program.write_bytes(bytes(2_000_000))
        return {"toy": "2.0" if newest else "1.0"}

    monkeypatch.setattr(building, "build", build)
    return environment


def test_an_environment_is_made_listed_and_removed(tapecheck: Cli, toy: Environment) -> None:
    assert tapecheck("env", "list") == 0
    assert "toy          no    toy 1.0" in tapecheck.out
    assert tapecheck("env", "make", "toy") == 0
    assert "making toy (1 of 1)\nmade toy: toy 1.0, 2 MB" in tapecheck.err
    assert tapecheck.out == f"1 environment, 2 MB, in {store.root()}\n"
    assert tapecheck("env", "make") == 0
    assert tapecheck.err == ""
    assert tapecheck("env", "list") == 0
    assert "toy          2 MB  toy 1.0" in tapecheck.out
    assert tapecheck("env", "remove") == 0
    assert tapecheck.out == f"removed 1 environment, 2 MB, in {store.root()}\n"
    assert list((store.root() / "toy").iterdir()) == []


def test_the_newest_releases_are_compared_and_pinned(tapecheck: Cli, toy: Environment) -> None:
    assert tapecheck("env", "make") == 0
    assert tapecheck("env", "update", "--newest", "toy") == 0
    assert tapecheck.out.startswith("toy:\n  toy 1.0 -> 2.0\n")
    assert tapecheck("env", "list") == 0
    assert "4 MB in" in tapecheck.out
    assert (
        "1 environment with other pins, another interpreter or the newest releases" in tapecheck.out
    )
    assert tapecheck("env", "remove", "--other") == 0
    assert tapecheck.out.startswith("removed 1 environment")
    assert tapecheck("env", "update", "--newest", "--pin") == 0
    assert toy.pins.read_text() == "toy==2.0\n"
    assert tapecheck("env", "update", "--newest") == 0
    assert tapecheck.out.startswith("toy: as pinned\n")
    assert tapecheck("env", "update", "--pin") == 2


def test_what_the_tools_say_is_shown_when_asked_for(tapecheck: Cli, toy: Environment) -> None:
    assert tapecheck("env", "make", "--verbose") == 0
    assert "  Collecting \\u001btoy\n" in tapecheck.err


def test_one_that_fails_is_a_line_and_exit_code_3(
    tapecheck: Cli, toy: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Environment(name="other", kind=toy.kind, packages=("other",), pins=toy.pins)
    monkeypatch.setattr(listing, "environments", lambda: {"other": other, "toy": toy})
    build = building.build

    lines = ("ERROR: odd",)

    def fail(environment: Environment, *rest: object, **more: object) -> dict[str, str]:
        if environment is other:
            raise failing.explained(failing.Failed(environment, "pip", lines, 1))
        return build(environment, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "build", fail)
    assert tapecheck("env", "make") == 3
    assert "tapecheck: other: pip failed (exit code 1): odd\n" in tapecheck.err
    assert tapecheck.err.endswith("not made: other\n")
    assert tapecheck.out.startswith("1 environment, 2 MB")
    # What one cannot reach, no other can.
    lines = ("ERROR: NewConnectionError",)
    assert tapecheck("env", "update") == 3
    assert "tapecheck: other: pip cannot reach the package index\n  connect" in tapecheck.err
    assert tapecheck.err.endswith("not made: other, toy\n")
    assert tapecheck.err.count("tapecheck:") == 1


def test_an_unknown_name_is_a_users_mistake(tapecheck: Cli, toy: Environment) -> None:
    assert tapecheck("env", "make", "tay") == 2
    assert "no environment 'tay' (did you mean toy?)" in tapecheck.err


def test_the_clients_are_listed(tapecheck: Cli) -> None:
    assert tapecheck("list", "--what", "sdks") == 0
    assert "sdk:anthropic-python  The SDK of Anthropic for Python: messages.create" in tapecheck.out
