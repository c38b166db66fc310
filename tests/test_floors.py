from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contexts import context_of
from tests.floors import MEASURING, ROOMS, ROOT, Room, contexts, measure, too_low


def test_the_rooms_and_their_tests_are_there() -> None:
    for room in ROOMS:
        assert list((ROOT / room.folder).glob("*.py"))
        for folder in room.tests:
            assert list((ROOT / folder).rglob("test_*.py"))


def test_only_a_room_s_own_tests_and_imports_count() -> None:
    patterns = contexts(Room("a/b", ("tests/a/b", "tests/more"), 90))

    def counts(context: str) -> bool:
        return any(re.search(pattern, context) for pattern in patterns)

    assert counts("")
    assert counts(context_of("tests/a/b/test_x.py::test_y"))
    assert counts(context_of("tests/a/b/c/test_x.py::test_y"))
    assert counts(context_of("tests/more/test_x.py::test_y[a/b]"))
    assert not counts(context_of("tests/a/test_x.py::test_y"))
    assert not counts(context_of("tests/a/bc/test_x.py::test_y"))
    assert not counts(context_of("tests/c/test_x.py::test_tests/a/b/"))


def test_a_room_below_its_floor_is_named_with_what_to_do() -> None:
    rooms = [Room("a", ("tests/a", "tests/more"), 90), Room("b", ("tests/b",), 95)]
    assert too_low({"a": 90.0, "b": 95.0}, rooms) == []
    assert too_low({"a": 89.96, "b": 100.0}, rooms) == [
        "a: its own tests cover 90.0 %, the floor is 90 %; "
        "add tests to tests/a for the lines named above"
    ]


def test_what_another_room_s_test_or_an_unmeasured_one_runs_is_not_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room/code.py").write_text(
        "def f(x):\n    return 1 if x else 2\n\n\ndef g():\n    return 3\n"
        "\n\ndef h():\n    return 4\n"
    )
    for folder, called in (("own", "f(0)"), ("other", "g()")):
        (tmp_path / "tests" / folder).mkdir(parents=True)
        file = tmp_path / "tests" / folder / f"test_{folder}.py"
        file.write_text(f"from room.code import f, g\n\n\ndef test_it():\n    {called}\n")
    # They run first, and what runs after them is measured again.
    (tmp_path / "tests/own/test_a.py").write_text(
        "import pytest\nfrom hypothesis import given, strategies as st\n"
        "from room.code import g, h\n\n\n"
        "@pytest.mark.unmeasured\ndef test_often():\n    assert g() == 3\n\n\n"
        "@given(st.just(4))\ndef test_any(n):\n    assert h() == n\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.coverage.run]\nbranch = true\nsource = ["room"]\n'
        '[tool.pytest.ini_options]\npythonpath = ["."]\n'
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *MEASURING]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=variables)
    monkeypatch.chdir(tmp_path)
    data = tmp_path / ".coverage"
    own = measure(data, [Room("room", ("tests/own",), 100)])["room"]
    both = measure(data, [Room("room", ("tests/own", "tests/other"), 100)])["room"]
    assert own < both == 100
    # The body of ``g``; the example of Hypothesis has run ``h``.
    assert re.search(r"code\.py .* 6\n", capsys.readouterr().out)
