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
        "3 cases in 1.2 s: 3 passed, 1 skipped (-v says why)",
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
    block = text[text.index("✗ a/b/eol=cr@one") :].split("\n\n")[0].splitlines()
    assert block == [
        "✗ a/b/eol=cr@one",
        "  turn: content of the turn differs",
        "    a/b.yaml:7",
        '      expected  "Hello"',
        '      observed  "Hell"',
        "  only eol=cr fails, 1 of 2",
        "  tapecheck explain a/b/eol=cr@one --adapter 'my adapter.py'",
    ]
    assert "2 cases in 1.2 s: 1 passed, 1 failed" in text


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
    assert "\nFAIL a/b/recorded@two\n" in text
    assert r'"Gr\xfc\xdfe Gr\xfc\xdfe' in text
    assert "...\n" in text
    assert "\nFAIL no good\n" in text
    assert "?" not in text


def test_too_many_failures_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    records = run_of(*(case(f"a/s{n}/recorded@one", "fail") for n in range(20)))
    assert "… and 8 more like these; -v shows all." in written(records, monkeypatch)
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
