from __future__ import annotations

import io
from pathlib import Path

import pytest

from harness.reports import glyphs, terminal
from tests.harness.reports.made import FINDING, Record, case, run_of, skip

MANY = [case(f"many/s{n}/recorded@one") for n in range(30)]


def written(
    records: list[Record],
    monkeypatch: pytest.MonkeyPatch,
    *,
    width: int = 80,
    verbose: bool = False,
) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    stream = io.StringIO()
    terminal.write(records, stream, here=Path("/specs"), verbose=verbose, seconds=1.25)
    return stream.getvalue()


def test_a_run_without_failures_is_a_matrix_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = written(
        run_of(
            case("a/b/recorded@one"),
            case("a/b/recorded@two"),
            case("a/b/cut=1@two"),
            skip("a/c", "one", "does not declare tools"),
        ),
        monkeypatch,
    )
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines == [
        "scenario  one    two",
        "─" * 22,
        "a         ✓ 1/1  ✓ 1/1",
        "  b       ✓ 1/1  ✓ 1/1",
        "",
        "fault sweep",
        "✓ two  1 fault in 1 stream, all reported",
        "",
        "3 cases in 1.2 s: 3 passed, 1 scenario skipped (-v says why)",
    ]


def test_of_many_scenarios_only_the_odd_ones_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    records = run_of(*MANY, case("many/odd/recorded@one", "known"))
    text = written(records, monkeypatch)
    assert "  odd     ~ 0/1" in text
    assert "s17" not in text
    assert "s17" in written(records, monkeypatch, verbose=True)


def test_a_failure_says_what_where_and_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    records = run_of(
        case("a/b/recorded@one"),
        case("a/b/eol=cr@one", "fail"),
        options=["--adapter", "my adapter.py"],
    )
    text = written(records, monkeypatch)
    block = text[text.index("1 case failed, 1 cause") :].split("\n\n")[1].splitlines()
    assert block == [
        "✗ 1 case: must text",
        "  content of the turn differs",
        "  in a/b/eol=cr@one",
        "    a/b.yaml:7",
        '      expected  "Hello"',
        '      observed  "Hell"',
        "  only eol=cr fails, 1 of 2",
        "  tapecheck explain a/b/eol=cr@one --adapter 'my adapter.py'",
    ]
    assert "2 cases in 1.2 s: 1 passed, 1 failed" in text
    assert "findings: 1 must, 0 should, 0 may; fails for must" in text


def test_cases_with_one_cause_are_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    records = run_of(*(case(f"a/s{n}/recorded@one", "fail") for n in range(20)))
    text = written(records, monkeypatch)
    assert "20 cases failed, 1 cause\n" in text
    assert "✗ 20 cases: must text\n" in text
    assert "  for example a/s0/recorded@one\n" in text
    assert "a/s9/recorded@one" not in text
    assert "a/s9/recorded@one" in written(records, monkeypatch, verbose=True)


def test_what_was_not_judged_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    one = case("a/b/recorded@one", judged=["text"], unexposed=["model", "response_id"])
    text = written(run_of(one), monkeypatch)
    assert "facts judged  1 of 3\n" in text
    assert "\nnot exposed, so not judged: model, response_id\n" in text


def test_a_run_that_was_interrupted_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "interrupted after 1 of 9 cases"
    text = written(run_of(case("a/b/recorded@one"), problems=(problem,)), monkeypatch)
    assert f"✗ {problem}\n" in text
    assert "1 case in 1.2 s: 1 passed" in text


def test_what_cannot_be_seen_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = FINDING | {"message": 'text "a\u2028" differs', "observed": "\ufeffHell "}
    text = written(run_of(case("a/b/recorded@one", "fail", finding)), monkeypatch)
    assert r'text "a\u2028" differs' in text
    assert r'observed  "\ufeffHell\u0020"' in text


def test_marks_are_words_where_they_cannot_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    finding = FINDING | {"observed": "Grüße " * 20}
    records = run_of(
        case("a/b/recorded@one"),
        case("a/b/recorded@two", "fail", finding),
        case("a/b/cut=1@one"),
        skip("a/c", "one", "does not declare tools"),
        problems=("no good",),
    )
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=glyphs.ERRORS)
    terminal.write(records, stream, here=Path("/specs"), verbose=True)
    stream.seek(0)
    text = stream.read()
    assert text.startswith("""\
scenario  one     two
--------------------------
a         ok 1/1  FAIL 0/1
  b       ok 1/1  FAIL 0/1
""")
    assert "\nok one  1 fault in 1 stream, all reported\n" in text
    assert "\n- a/c@one: does not declare tools\n" in text
    assert "\nFAIL 1 case of two: must text\n" in text
    assert r'"Gr\xfc\xdfe Gr\xfc\xdfe' in text
    assert "...\n" in text
    assert "\nFAIL no good\n" in text
    assert "?" not in text


def test_too_many_causes_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [FINDING | {"field": f"f{n}"} for n in range(20)]
    records = run_of(*(case(f"a/s{n}/recorded@one", "fail", f) for n, f in enumerate(findings)))
    assert "… and 8 more causes; -v shows all." in written(records, monkeypatch)
    assert "and 8 more" not in written(records, monkeypatch, verbose=True)


def test_skips_have_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    records = run_of(case("a/b/recorded@one"), skip("a/c", "one", "does not declare tools"))
    assert "– a/c@one: does not declare tools" in written(records, monkeypatch, verbose=True)


def test_problems_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = written(run_of(case("a/b/recorded@one"), problems=("no good",)), monkeypatch)
    assert "Problems\n\n✗ no good\n" in text


@pytest.mark.parametrize("width", [80, 120])
def test_any_number_of_adapters_fits(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    names = [f"an-adapter-with-a-long-name-{n}" for n in range(12)]
    text = written(run_of(*(case(f"a/b/recorded@{n}") for n in names)), monkeypatch, width=width)
    matrix = text[: text.index("12 cases")]
    assert max(map(len, matrix.splitlines())) <= width
    assert matrix.count("✓ 1/1") == 24
    assert "…" not in matrix


def test_markup_in_names_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = written(run_of(case("a/b/recorded@one"), problems=("[red]x[/] :warning:",)), monkeypatch)
    assert "✗ [red]x[/] :warning:" in text
