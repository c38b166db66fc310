from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from harness.reports import github
from tests.harness.reports.made import FINDING, Record, case, run_of

#: What the runner takes for a command: a line that begins so, after white space.
COMMAND = re.compile(r"::(?P<kind>[a-z]+) (?P<properties>[^:]*(?:,[^:]*)*)::(?P<message>.*)")


def written(records: list[Record], here: Path = Path("/nowhere")) -> list[dict[str, str]]:
    """Return the annotations as the runner reads them."""
    stream = io.StringIO()
    github.write(records, stream, here=here)
    found = []
    for line in re.split(r"\r\n|\r|\n", stream.getvalue().removesuffix("\n")):
        match = COMMAND.fullmatch(line)
        assert match is not None, line
        assert match["kind"] in {"error", "notice"}
        pairs = (item.split("=", 1) for item in match["properties"].split(","))
        properties = {name: unquote(value) for name, value in pairs}
        assert properties.keys() <= {"file", "line", "title"}
        found.append({"kind": match["kind"], "message": unquote(match["message"]), **properties})
    return found


def test_a_good_run_has_a_sum_only() -> None:
    records = run_of(case("a/b/recorded@one"), case("a/c/recorded@one", "known"))
    assert written(records) == [
        {
            "kind": "notice",
            "title": "tapecheck",
            "message": "2 cases: 1 passed, 0 failed, 1 known to fail",
        }
    ]


def test_each_cause_is_one_error_and_the_weightiest_comes_first() -> None:
    weak = FINDING | {"kind": "error-family", "field": "error.class", "level": "should"}
    cases = [case(f"a/s{n}/recorded@one", "fail", weak) for n in range(3)]
    cases += [case(f"b/s{n}/recorded@one", "fail") for n in range(2)]
    first, second, total = written(run_of(*cases, level="should"))
    assert first["title"] == "tapecheck: must text"
    assert first["message"].splitlines()[:2] == [
        "2 cases of one: content of the turn differs",
        "for example b/s0/recorded@one",
    ]
    assert first["message"].endswith("\ntapecheck explain b/s0/recorded@one")
    assert second["title"] == "tapecheck: should error-family error.class"
    assert total["message"].startswith("5 cases: 0 passed, 5 failed\nfindings: 2 must, 3 should")


def test_no_more_errors_than_github_shows_and_problems_are_among_them() -> None:
    cases = [case(f"a/s{n}/recorded@one", "fail", FINDING | {"field": f"f{n}"}) for n in range(20)]
    *errors, total = written(run_of(*cases, problems=("first", "second")))
    assert len(errors) == github.MOST
    assert [e["message"] for e in errors[-2:]] == ["first", "second"]
    assert "; 12 more causes in the report\n" in total["message"]
    *errors, total = written(run_of(problems=tuple(map(str, range(15)))))
    assert len(errors) == github.MOST
    assert "; 5 more causes in the report" in total["message"]


def test_an_error_stands_at_the_requirement_or_at_the_adapter(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    options = ["--level", "may", "--adapter", "mine.py:one", "--adapter", "package.module:two"]
    own = case("a/b/recorded@one", "fail", file=str(tmp_path / "specs/b.yaml"))
    others = [case("a/b/recorded@one", "fail"), case("a/b/recorded@two", "fail")]
    error, _ = written(run_of(own), tmp_path)
    assert (error["file"], error["line"]) == (str(tmp_path / "specs/b.yaml"), "7")
    one, two, _ = written(run_of(*others, options=options), tmp_path)
    assert (one["file"], one.get("line")) == (str(tmp_path / "mine.py"), None)
    assert "file" not in two


def test_a_problem_of_a_file_stands_there(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("")
    problem = "mine.yaml:12: stale baseline entry: text covers nothing"
    error, _ = written(run_of(problems=(problem,)), tmp_path)
    assert (error["file"], error["line"]) == (str(tmp_path / "mine.yaml"), "12")
    assert error["message"] == "stale baseline entry: text covers nothing"
    error, _ = written(run_of(problems=(problem.replace("mine", "gone"),)), tmp_path)
    assert error["message"].startswith("gone.yaml:12: ")


@pytest.mark.parametrize(
    "hostile",
    [
        "x\n::error file=a::b",
        "x\r::stop-commands::t",
        "x\r\n  ::add-mask::s",
        "%0A::warning::x",
        "::set-output name=a::b",
        "a,b:c=d,line=1::e",
        "##[error]x]y;z",
        "\x85\u2028\u2029\x0b::debug::x",
        "\ud800 \x1b[31m \u202e",
        "100 %25 %",
    ],
)
def test_what_a_client_returns_is_never_a_command(hostile: str) -> None:
    finding = FINDING | {"message": hostile, "field": hostile, "observed": hostile}
    failed = case("a/b/recorded@one", "fail", finding)
    *errors, total = written(run_of(failed, problems=(hostile,)))
    assert [e["kind"] for e in errors] == ["error", "error"]
    assert total["kind"] == "notice"
    for error in errors:
        assert "file" not in error
        assert not re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff\u2028\x85\u202e]", error["message"])
    if hostile.isprintable():
        assert hostile in errors[1]["message"]


def test_a_long_message_is_clipped() -> None:
    finding = FINDING | {"message": "x" * 100_000}
    error, _ = written(run_of(case("a/b/recorded@one", "fail", finding)))
    assert len(error["message"]) < 4_000
