from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.clients.raised import has_cause, text_of, traceback_of


def raised(function: object, *args: object) -> BaseException:
    assert callable(function)
    try:
        function(*args)
    except BaseException as exc:
        return exc
    raise AssertionError("nothing was raised")


def fails(text: str) -> None:
    raise ValueError(text)


def fails_for_a_cause() -> None:
    try:
        fails("first")
    except ValueError as exc:
        raise KeyError("second") from exc


def fails_while_handling() -> None:
    try:
        fails("first")
    except ValueError:
        fails("second")


def endless(depth: int = 0) -> None:
    endless(depth + 1)


def test_each_frame_is_a_file_a_line_and_a_function() -> None:
    first, *frames = traceback_of(raised(fails, "no"), "").splitlines()
    assert first == "ValueError: no"
    assert [f.partition(":")[0] for f in frames] == ["  test_raised.py"] * 2
    assert frames[1].endswith(" in fails")


def test_paths_begin_below_the_installed_packages() -> None:
    lines = traceback_of(raised(pytest.importorskip, "no_such_module_at_all"), "").splitlines()
    assert any(line.startswith("  _pytest/outcomes.py:") for line in lines)
    assert str(Path(sys.prefix)) not in "\n".join(lines)


@pytest.mark.parametrize(
    ("function", "joint"),
    [
        (fails_for_a_cause, "caused by ValueError: first"),
        (fails_while_handling, "while handling ValueError: first"),
    ],
)
def test_what_it_was_raised_for_follows(function: object, joint: str) -> None:
    exc = raised(function)
    assert has_cause(exc)
    assert joint in traceback_of(exc, "").splitlines()
    assert not has_cause(raised(fails, "x"))


def test_the_secret_is_replaced_everywhere() -> None:
    text = traceback_of(raised(fails, "Bearer sk-secret-1 and sk-secret-1"), "sk-secret-1")
    assert text.startswith("ValueError: Bearer [key] and [key]")
    assert "sk-secret" not in text


def test_a_long_one_is_bounded() -> None:
    lines = traceback_of(raised(endless), "").splitlines()
    assert len(lines) < 40
    assert any(line.startswith("  … ") for line in lines)
    assert len(traceback_of(raised(fails, "x" * 100_000), "")) <= 6_001


class Hostile(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise SystemExit(0)


class HostileCause(Exception):  # noqa: N818
    @property
    def __cause__(self) -> BaseException:  # type: ignore[override]
        raise SystemExit(0)


def test_an_exception_that_fights_back_ends_nothing() -> None:
    assert text_of(Hostile()) == "Hostile, whose text cannot be read"
    assert traceback_of(Hostile(), "") == "Hostile, whose text cannot be read"
    assert traceback_of(HostileCause(), "") == ""
    assert not has_cause(HostileCause())
