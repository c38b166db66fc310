from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.reports.html.cells import mark_of
from harness.reports.html.texts import path_of, shown
from harness.suite import bundled
from tests.harness.reports.html.made import packed, written
from tests.harness.reports.made import FINDING, Record, case, run_of, skip

MAY = FINDING | {"kind": "warning", "level": "may", "field": "warnings"}


def cell(*records: Record) -> dict[str, Any]:
    (found,) = packed(written(run_of(*records)))["cells"]
    return dict(found)


def named(data: dict[str, Any], number: int) -> list[str]:
    """Return the variations of a list."""
    return [data["variations"][v] for v in data["lists"][number]]


@pytest.mark.parametrize(
    ("record", "mark"),
    [
        (case("a/b/recorded@one"), "pass"),
        (case("a/b/recorded@one", "fail"), "must"),
        (case("a/b/recorded@one", level="may", findings=[MAY]), "may"),
        (case("a/b/recorded@one", "fail", level="of another version"), "must"),
        (case("a/b/recorded@one", "known"), "known"),
        (case("a/b/recorded@one", "stale"), "stale"),
        (case("a/b/recorded@one", "error"), "error"),
        (case("a/b/recorded@one", "skip"), "skip"),
    ],
)
def test_a_case_has_one_mark(record: Record, mark: str) -> None:
    assert mark_of(record) == mark


def test_a_cell_has_the_weightiest_mark_of_its_cases() -> None:
    names = ("recorded", "eol=crlf", "eol=cr", "cut=1")
    good, lines, one, cut = (f"a/b/{name}@one" for name in names)
    found = cell(case(good), case(lines, level="may", findings=[MAY]), case(one, "fail"), case(cut))
    assert found["mark"] == "must"
    assert not found["whole"]
    data = packed(written(run_of(case(good), case(one, "fail"))))
    names = {m: named(data, at) for m, at in data["cells"][0]["cases"].items()}
    assert names == {"pass": ["recorded"], "must": ["eol=cr"]}
    depends = data["texts"][data["cells"][0]["causes"][0]["depends"]]
    assert depends == "only eol=cr fails, 1 of 2"


def test_what_is_wrong_in_one_way_is_shown_once_by_the_simplest_case() -> None:
    records = [case(f"a/b/{v}@one", "fail") for v in ("cut=2", "eol=cr", "recorded")]
    data = packed(written(run_of(*records)))
    (cause,) = data["cells"][0]["causes"]
    assert data["variations"][cause["example"]] == "recorded"
    assert named(data, cause["at"]) == ["cut=2", "eol=cr", "recorded"]
    texts = data["texts"]
    assert texts[cause["why"]] == "the answer is wrong"
    assert [[texts[n] for n in row[:2]] for row in cause["rows"]] == [['"Hello"', '"Hell"']]


def test_known_failures_keep_their_reason_and_come_last() -> None:
    records = [case("a/b/recorded@one", "known"), case("a/b/eol=cr@one", "fail", MAY)]
    data = packed(written(run_of(*records)))
    new, known = data["cells"][0]["causes"]
    assert "known" not in new
    assert data["texts"][known["known"]] == "as agreed"


def test_the_bytes_and_the_program_are_kept() -> None:
    finding = FINDING | {"wire": ["wire event 1 of 2, bytes 0-9", "  data: x"]}
    record = case("a/b/recorded@one", "fail", finding, reproduce=["curl -gN x"])
    data = packed(written(run_of(record)))
    (cause,) = data["cells"][0]["causes"]
    assert data["texts"][cause["wire"]] == "wire event 1 of 2, bytes 0-9\n  data: x"
    assert data["texts"][cause["reproduce"]] == "curl -gN x"


def test_equal_texts_are_packed_once() -> None:
    one = packed(written(run_of(case("a/b/recorded@one", "fail"))))["texts"]
    records = run_of(case("a/b/recorded@one", "fail"), case("a/c/recorded@one", "fail"))
    # Only the id and the path of the other scenario are new.
    assert len(packed(written(records))["texts"]) - len(one) == 2


def test_why_a_scenario_was_not_played_is_kept_where_others_were() -> None:
    records = run_of(
        case("a/b/recorded@one"),
        case("a/c/recorded@two"),
        skip("a/b", "two", "does not declare tools"),
        skip("a/d", "*", "no cassette"),
    )
    data = packed(written(records))
    assert [(s, c, data["texts"][t]) for s, c, t in data["skips"]] == [
        (0, 1, "does not declare tools")
    ]


@pytest.mark.parametrize(
    ("file", "path"),
    [
        (str(bundled.root() / "specs/scenarios/x/y.yaml"), "specs/scenarios/x/y.yaml"),
        ("/home/me/env/lib/_bundled/specs/scenarios/x/y.yaml", "specs/scenarios/x/y.yaml"),
        ("/specs/y.yaml", "y.yaml"),
        ("/home/me/y.yaml", "y.yaml"),
    ],
)
def test_a_path_does_not_show_the_machine(file: str, path: str) -> None:
    assert path_of(file, Path("/specs")) == path


def test_a_long_text_is_clipped_and_an_unseen_character_is_an_escape() -> None:
    assert shown("a\u202eb\n", 10) == "a\\u202eb\\u000a"
    assert shown("abcdef", 3) == "abc…"
