"""The kept records of what was seen in the originals, and the column of docs/bugs.md made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.known_bugs.rows import ROOT
from tests.originals.expected import BUNDLED, NOT_SEEN, REMARKS

KEPT = Path(__file__).parent / "records.json"
DOCUMENT = ROOT / "docs" / "bugs.md"
HEADING = "Seen in the original by"
_NEWEST = "newest-"


@dataclass(frozen=True)
class Seen:
    """A finding of a row's fault, as a run of the original reported it."""

    row: str
    client: str
    case: str
    kind: str
    field: str
    message: str


@dataclass(frozen=True)
class Records:
    """One run: its date, the releases by client, and what was seen, in the order of the rows."""

    date: str
    releases: Mapping[str, str]
    seen: tuple[Seen, ...]

    def cell(self, row: str) -> str:
        """Return what stands in the column for a row. Raises ``KeyError`` for an unknown one."""
        found: dict[str, list[Seen]] = {}
        for seen in self.seen:
            if seen.row == row:
                case = seen.case.removesuffix("/recorded")
                found.setdefault(f"`{case}`: `{seen.kind}`", []).append(seen)
        if not found:
            return NOT_SEEN[row]
        lines = [f"{text}{self._newer(several)}" for text, several in found.items()]
        if row in REMARKS:
            lines.append(REMARKS[row])
        return "<br>".join(lines)

    def _newer(self, several: Iterable[Seen]) -> str:
        newer = [s.client for s in several if s.client.startswith(_NEWEST)]
        return "".join(f", also in {self.releases[client].partition(',')[0]}" for client in newer)


def read() -> Records:
    """Return the kept records."""
    data = json.loads(KEPT.read_text(encoding="utf-8"))
    return Records(data["date"], data["releases"], tuple(Seen(**one) for one in data["seen"]))


def write(records: Records) -> None:
    """Keep records."""
    data = {
        "version": 1,
        "date": records.date,
        "releases": dict(records.releases),
        "seen": [asdict(seen) for seen in records.seen],
    }
    KEPT.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def with_column(text: str, records: Records) -> str:
    """Return the document with the column of the originals filled from the records."""
    return "".join(_lines(text, records))


def _lines(text: str, records: Records) -> Iterator[str]:
    client = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("## "):
            client = line.removeprefix("## ").strip()
        if client not in BUNDLED or not line.startswith("|"):
            yield line
            continue
        cells = line.strip().strip("|").split(" | ")[:4]
        first = cells[0].strip(" |")
        if first == "#":
            added = HEADING
        elif re.fullmatch(r"\d+", first):
            added = records.cell(f"{client}-{first}")
        else:
            yield f"| {' | '.join(['---'] * 5)} |\n"
            continue
        yield f"| {' | '.join(cell.strip() for cell in (*cells, added))} |\n"
