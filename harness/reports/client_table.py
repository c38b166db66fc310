"""A table with a line for each client, and the sums of its cases."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.judge.kinds import Level
from harness.judge.visible import visible
from harness.reports.summary import Facts
from mockserver.vocabulary import JsonObject

#: Columns of a terminal from which on releases and dialects have columns of their own.
_WIDE = 130
_STYLES = {"must": "bold red", "should": "yellow", "may": "dim", "errors": "bold magenta"}


@dataclass(slots=True)
class ClientRow:
    """The sums of one client.

    ``levels`` counts the cases by the weightiest finding, those that the baseline knows left out;
    ``seconds`` adds up what each case took.
    """

    name: str
    dialects: Sequence[str]
    cases: int = 0
    levels: Counter[str] = field(default_factory=Counter)
    known: int = 0
    errors: int = 0
    facts: Facts = field(default_factory=Facts)
    seconds: float = 0.0

    def add(self, record: JsonObject) -> None:
        """Count the record of one case."""
        self.cases += 1
        self.seconds += record["seconds"]
        self.facts.judged.update(record.get("judged", ()))
        self.facts.unexposed.update(record.get("unexposed", ()))
        if record["outcome"] == "error":
            self.errors += 1
        elif record["outcome"] == "known":
            self.known += 1
        elif "level" in record:
            self.levels[record["level"]] += 1

    def numbers(self) -> Iterator[tuple[str, str]]:
        """Yield the heading and the text of each column of numbers."""
        yield "cases", f"{self.cases:,}"
        for level in Level:
            yield level, f"{self.levels[level]:,}"
        yield "known", f"{self.known:,}"
        yield "errors", f"{self.errors:,}"
        yield "facts", self.facts.text
        yield "s", f"{self.seconds:,.0f}"


def client_rows(records: Iterable[JsonObject]) -> list[ClientRow]:
    """Return the sums of each client of a run, in the order of the run."""
    rows: dict[str, ClientRow] = {}
    for record in records:
        if record["type"] == "run":
            for adapter in record["adapters"]:
                rows[adapter["name"]] = ClientRow(adapter["name"], adapter["dialects"])
        elif record["type"] == "case":
            rows[record["adapter"]].add(record)
    return list(rows.values())


def write(rows: Sequence[ClientRow], releases: Mapping[str, str], console: Console) -> None:
    """Print the table. ``releases`` says for each client which releases ran."""
    if not rows:
        return
    wide = console.width >= _WIDE
    table = Table(
        box=None, pad_edge=False, show_edge=False, padding=(0, 1 if not wide else 2, 0, 0)
    )
    table.add_column("client", overflow="fold", header_style="bold")
    for heading in ("releases", "dialects") if wide else ():
        table.add_column(heading, overflow="fold", header_style="bold")
    for heading, _ in rows[0].numbers():
        table.add_column(heading, justify="right", no_wrap=True, header_style="bold")
    for row in rows:
        release, dialects = visible(releases.get(row.name, "")), ", ".join(row.dialects)
        about = [Text(row.name), Text(release), Text(dialects)]
        if not wide:
            below = textwrap.fill(
                ", ".join(filter(None, (release, dialects))),
                max(len(one.name) for one in rows),
                initial_indent="  ",
                subsequent_indent="  ",
                break_on_hyphens=False,
            )
            about = [Text.assemble(row.name, "\n", (below, "dim"))]
        table.add_row(*about, *(_cell(heading, text) for heading, text in row.numbers()))
    console.print(table)


def _cell(heading: str, text: str) -> Text:
    return Text("-", "dim") if text == "0" else Text(text, _STYLES.get(heading, ""))
