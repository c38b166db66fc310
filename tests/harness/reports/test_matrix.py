from __future__ import annotations

import pytest
from rich.text import Text

from harness.reports.matrix import Line, matrix

ADAPTERS = [
    "chatcmpl-to-responses",
    "chatgpt-oauth",
    "inner-thoughts",
    "openai-compat",
    "response-strategies",
]


def written(lines: list[Line], adapters: list[str], width: int) -> list[str]:
    return [str(line) for line in matrix(lines, adapters, width, "–")]


def line(name: str, *cells: str, indent: int = 0) -> Line:
    return Line(name, dict(zip(ADAPTERS, map(Text, cells), strict=False)), indent)


def test_all_adapters_are_beside_each_other_at_80_columns() -> None:
    lines = [
        line("openai-chat", "✓ 11/11", "–", "✓ 3/3", "~ 1/2", "✗ 20/24"),
        line("a-scenario-with-a-rather-long-name", "✓ 5/5", "–", "✓ 2/2", "–", "✓ 9/9", indent=2),
    ]
    assert written(lines, ADAPTERS, 80) == [
        "                              chatcmpl-",
        "                              to-        chatgpt-  inner-    openai-  response-",
        "scenario                      responses  oauth     thoughts  compat   strategies",
        "─" * 80,
        "openai-chat                   ✓ 11/11    –         ✓ 3/3     ~ 1/2    ✗ 20/24",
        "  a-scenario-with-a-rather-   ✓ 5/5      –         ✓ 2/2     –        ✓ 9/9",
        "    long-name",
        "",
    ]


def test_names_are_whole_where_they_have_room() -> None:
    lines = [line("a-scenario-with-a-rather-long-name", *(["✓ 1/1"] * 5), indent=2)]
    assert "  a-scenario-with-a-rather-long-name  ✓ 1/1" in written(lines, ADAPTERS, 200)[-2]


def test_a_column_is_as_wide_as_its_widest_cell() -> None:
    lines = [line("a", "✓ 1/1"), line("b", "✗ 12345/123456")]
    assert written(lines, ["chatcmpl-to-responses"], 30)[2:4] == [
        "a         ✓ 1/1",
        "b         ✗ 12345/123456",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("name", ["short", "a" * 90, "a-" * 60, "many/parts/" * 10])
def test_every_line_keeps_the_result_of_every_adapter(width: int, name: str) -> None:
    lines = [line(name, *(f"✓ {n}00/999" for n in range(5)), indent=4)]
    found = written(lines, ADAPTERS, width)
    assert max(map(len, found)) <= width
    for n in range(5):
        assert sum(f"✓ {n}00/999" in text for text in found) == 1


def test_a_line_without_a_result_in_a_table_is_left_out_of_it() -> None:
    lines = [
        Line("one", {ADAPTERS[0]: Text("✓ 1/1")}),
        Line("two", {ADAPTERS[4]: Text("✓ 2/2"), ADAPTERS[3]: Text("✓ 2/2")}),
    ]
    tables = "\n".join(written(lines, ADAPTERS, 50)).strip().split("\n\n")
    assert ["one" in table for table in tables] == [True, False]
    assert ["two" in table for table in tables] == [True, True]
