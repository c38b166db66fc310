"""The rows of docs/bugs.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import bracex

from harness.suite.selection import matches

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Row:
    """One fault. ``links`` are patterns of cases."""

    client: str
    number: int
    links: tuple[str, ...]
    checks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.client}-{self.number}"

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of cases, without alternatives in braces."""
        return tuple(p for link in self.links for p in bracex.expand(link))


def read() -> list[Row]:
    """Return all rows, in the order of the document."""
    rows, client = [], ""
    for line in (ROOT / "docs" / "bugs.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            client = line.removeprefix("## ")
        elif re.match(r"\| \d", line):
            number, _, cases, checks, *_ = (cell.strip() for cell in line.strip("|").split(" | "))
            rows.append(Row(client, int(number), _quoted(cases), _quoted(checks)))
    return rows


def selects(pattern: str, ids: list[str]) -> bool:
    """Whether a case is selected; only those that begin as the pattern does are tried."""
    plain = re.split(r"[*?\[@]", pattern)[0]
    return any(case.startswith(plain) and matches(case, pattern) for case in ids)


def _quoted(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


ROWS = read()
