from __future__ import annotations

import io

from rich.console import Console

from harness.reports.client_table import ClientRow, client_rows, write
from tests.harness.reports.made import case, run_of


def rows() -> list[ClientRow]:
    return client_rows(
        run_of(
            case("a/b/recorded@one", judged=["text", "usage"], seconds=0.25),
            case("a/c/recorded@one", "fail", unexposed=["x"]),
            case("a/d/recorded@one", level="should"),
            case("a/e/recorded@one", "known"),
            case("a/f/recorded@one", "error"),
            case("a/f/recorded@two"),
        )
    )


def test_the_cases_of_a_client_are_counted() -> None:
    one, two = rows()
    assert (one.name, one.cases, one.known, one.errors) == ("one", 5, 1, 1)
    assert (one.levels, one.facts.text) == ({"must": 1, "should": 1}, "2 of 3")
    assert (two.cases, two.levels.total()) == (1, 0)


def shown(width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    write(rows(), {"one": "toy 1.0\x1b[31m, Python 3.11"}, console)
    return stream.getvalue()


def test_a_wide_terminal_has_a_line_for_each_client() -> None:
    head, one, two = shown(200).splitlines()
    assert head.split() == [
        *("client", "releases", "dialects", "cases"),
        *("must", "should", "may", "known", "errors", "facts", "s"),
    ]
    assert one.split()[:4] == ["one", "toy", "1.0\\u001b[31m,", "Python"]
    assert one.split()[-10:] == [*"511-11", "2", "of", "3", "2"]
    assert two.split()[0] == "two"


def test_a_narrow_one_has_the_releases_below_the_name() -> None:
    (row, _) = rows()
    row.name = "a-client-with-a-name-of-30-let"
    stream = io.StringIO()
    write(
        [row], {row.name: "toy 1.0, Python 3.11, other-package 2.0"}, Console(file=stream, width=80)
    )
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[:2] == [row.name, "5"]
    assert [line.rstrip() for line in lines[2:]] == [
        "  toy 1.0, Python 3.11,",
        "  other-package 2.0,",
        "  openai-chat",
    ]


def test_no_client_is_no_table() -> None:
    stream = io.StringIO()
    write([], {}, Console(file=stream))
    assert stream.getvalue() == ""
