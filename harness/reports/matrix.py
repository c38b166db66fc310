"""The matrix of scenarios and adapters, in as many tables as the terminal's width needs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

#: Columns between two cells.
_GAP = 2
#: Names are wrapped to this width, if then all adapters have room beside each other.
_NARROW = 24
_HEAD = "scenario"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the matrix: its name, and what to show for each adapter that has a result."""

    name: str
    cells: dict[str, Text]
    indent: int = 0
    style: str = ""


@dataclass(frozen=True, slots=True)
class _Column:
    adapter: str
    head: list[str]
    width: int


def matrix(
    lines: Sequence[Line], adapters: Sequence[str], width: int, absent: str
) -> Iterator[Text]:
    """Yield the lines of the tables, with an empty line after each.

    Each line has the cells of its adapters beside the first line of its name, ``absent`` for one
    without a result. A table leaves out the lines without any.
    """
    columns = [_column(adapter, lines, broken=len(adapters) > 1) for adapter in adapters]
    names = max(len(_HEAD), *(line.indent + len(line.name) for line in lines))
    room = width - sum(_GAP + column.width for column in columns)
    if names > room >= _NARROW:
        names = room
    # Even a single column needs its room.
    widest = max(_GAP + column.width for column in columns)
    names = min(names, max(_NARROW, width - widest))
    for beside in _fitting(columns, width - names):
        here = {column.adapter for column in beside}
        shown = [line for line in lines if not here.isdisjoint(line.cells)]
        yield from _table(shown, beside, names, absent)
        yield Text()


def _column(adapter: str, lines: Sequence[Line], *, broken: bool) -> _Column:
    head = [adapter]
    if broken:
        *parts, last = adapter.split("-")
        head = [*(f"{part}-" for part in parts), last]
    cells = (line.cells[adapter].cell_len for line in lines if adapter in line.cells)
    return _Column(adapter, head, max(*map(len, head), *cells, 0))


def _fitting(columns: Sequence[_Column], width: int) -> Iterator[Sequence[_Column]]:
    """Yield as many columns at a time as fit beside each other, at least one."""
    begin, used = 0, 0
    for number, column in enumerate(columns):
        needed = _GAP + column.width
        if number > begin and used + needed > width:
            yield columns[begin:number]
            begin, used = number, 0
        used += needed
    yield columns[begin:]


def _table(
    lines: Sequence[Line], columns: Sequence[_Column], names: int, absent: str
) -> Iterator[Text]:
    height = max(len(column.head) for column in columns)
    for row in range(height):
        heads = (Text(_bottom(column.head, height)[row]) for column in columns)
        yield _row(_HEAD if row == height - 1 else "", "bold", heads, columns, names)
    yield Text("─" * (names + sum(_GAP + column.width for column in columns)))
    for line in lines:
        first, *rest = textwrap.wrap(
            line.name,
            names,
            initial_indent=" " * line.indent,
            subsequent_indent=" " * (line.indent + 2),
        )
        cells = (line.cells.get(column.adapter, Text(absent)) for column in columns)
        yield _row(first, line.style, cells, columns, names)
        yield from (Text(part, line.style) for part in rest)


def _bottom(head: Sequence[str], height: int) -> list[str]:
    return [""] * (height - len(head)) + list(head)


def _row(
    name: str, style: str, cells: Iterator[Text], columns: Sequence[_Column], names: int
) -> Text:
    row = Text(f"{name:{names}}", style, end="")
    line = Text.assemble(row)
    for cell, column in zip(cells, columns, strict=True):
        line.append(" " * _GAP)
        line.append_text(cell)
        line.append(" " * (column.width - cell.cell_len))
    line.rstrip()
    return line
