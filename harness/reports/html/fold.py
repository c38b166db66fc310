"""Fold the records of a run to what the page shows. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.reports.html.cells import Packer, mark_of
from harness.reports.html.texts import Once, path_of, shown
from harness.reports.summary import Summary
from mockserver.vocabulary import JsonObject

#: The breaks of a wire in the order of the table: the head of a column, and what it means.
BREAKS: Mapping[str, tuple[str, str]] = {
    "early-end": ("ends early", "the body ends in good order, but before it said how it ends"),
    "cut-in-event": ("cut inside an event", "the body ends in the middle of an event or of JSON"),
    "closed": ("closed", "the connection is closed before the end of the body"),
    "reset": ("reset", "the connection is reset"),
    "stall": ("silence", "the connection stays open and nothing more comes"),
    "garbled": ("damaged event", "an event, or the body, is not what its format says"),
    "in-band": ("error in the stream", "status 200, and the provider reports an error in the body"),
    "status": ("error status", "the answer has a status of 400 or more"),
}
#: What clients do then, the best first.
REACTIONS: Mapping[str, tuple[str, str]] = {
    "told": ("told", "the client reports a failure that its documents name"),
    "foreign": ("foreign exception", "an exception escapes that the client does not document"),
    "hang": ("hangs", "the call does not return"),
    "silent": ("silent success", "the client reports success"),
}
#: Causes of one client that are listed.
_CAUSES = 40


@dataclass(frozen=True, slots=True)
class Reacted:
    """What a client did at one kind of break: how often, by reaction."""

    counts: Mapping[str, int]

    @property
    def worst(self) -> str:
        """The worst reaction; nothing where this break was not played."""
        return next((name for name in reversed([*REACTIONS]) if self.counts.get(name)), "")

    @property
    def total(self) -> int:
        """How many cases there were."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A client: ``scenarios`` and ``cases`` count marks."""

    name: str
    versions: Sequence[str]
    dialects: Sequence[str]
    level: str
    scenarios: Mapping[str, int]
    cases: Mapping[str, int]
    facts: str
    breaks: Mapping[str, Reacted]

    @property
    def played(self) -> int:
        """How many scenarios it was played."""
        return sum(self.scenarios.values())


@dataclass(frozen=True, slots=True)
class Page:
    """All that the page shows: tables for the template, and ``data`` for the script."""

    clients: Sequence[ClientRow]
    scenarios: int
    cases: int
    problems: Sequence[str]
    exit_code: int
    started: str
    tapecheck: str
    python: str
    settings: Mapping[str, str]
    breaks: Sequence[str]
    clip: int
    data: JsonObject


@dataclass(slots=True)
class _Fold:
    """Cases by scenario and client, and what was counted."""

    cells: dict[tuple[str, str], list[JsonObject]] = field(default_factory=dict)
    first: dict[str, JsonObject] = field(default_factory=dict)
    broken: defaultdict[tuple[str, str, str], list[JsonObject]] = field(
        default_factory=lambda: defaultdict(list)
    )
    marks: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, record: JsonObject) -> None:
        scenario, adapter = record["scenario"], record["adapter"]
        self.first.setdefault(scenario, record)
        self.cells.setdefault((scenario, adapter), []).append(record)
        self.marks[adapter][mark_of(record)] += 1
        broken = record.get("break", {})
        if broken.get("how") in BREAKS and broken.get("reaction") in REACTIONS:
            self.broken[adapter, broken["how"], broken["reaction"]].append(record)


def fold(records: Iterable[JsonObject], summary: Summary, *, here: Path, clip: int) -> Page:
    """Return the page of a run; values in it have at most ``clip`` characters."""
    folded = _Fold()
    for record in records:
        if record["type"] == "case":
            folded.add(record)
    texts = Once[str]()
    packer = Packer(texts, Once(), Once(), clip)
    names = summary.adapters
    ids = sorted(folded.first, key=lambda s: (_dialect(folded.first[s]), s))
    scenario_numbers = {scenario: number for number, scenario in enumerate(ids)}
    cells = []
    marks: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (scenario, adapter), cases in sorted(folded.cells.items()):
        cell = packer.cell(cases)
        marks[adapter][cell["mark"]] += 1
        cells.append(cell | {"s": scenario_numbers[scenario], "c": names.index(adapter)})

    def scenario_data(scenario: str) -> list[object]:
        record = folded.first[scenario]
        return [
            texts.add(shown(scenario, clip)),
            texts.add(shown(_dialect(record), clip)),
            texts.add(shown(record["title"], clip)),
            texts.add(shown(path_of(record["file"], here), clip)),
            [texts.add(shown(source, clip)) for source in record["source"]],
            [texts.add(shown(word, clip)) for word in record.get("about", ())],
            str(record["priority"]),
        ]

    played = [how for how in BREAKS if any(key[1] == how for key in folded.broken)]
    run = summary.run
    clients = []
    for adapter in run["adapters"]:
        name = adapter["name"]
        found = summary.facts.get(name)
        clients.append(
            ClientRow(
                name=shown(name, clip),
                versions=[shown(v, clip) for v in _own(adapter.get("versions", ()))],
                dialects=[shown(d, clip) for d in adapter["dialects"]],
                level=str(adapter.get("level", "must")),
                scenarios=marks[name],
                cases=folded.marks[name],
                facts="" if found is None else found.text,
                breaks={how: _reacted(folded, name, how) for how in played},
            )
        )
    data: JsonObject = {
        "scenarios": [scenario_data(scenario) for scenario in ids],
        "clients": [_client_data(summary, a, texts, clip) for a in run["adapters"]],
        "cells": cells,
        "breaks": [
            {
                "c": names.index(adapter),
                "how": how,
                "reaction": reaction,
                "at": [[scenario_numbers[r["scenario"]], packer.variation(r)] for r in found],
            }
            for (adapter, how, reaction), found in sorted(folded.broken.items())
            if reaction != "told"
        ],
        "skips": _skips(summary, scenario_numbers, names, texts, clip),
        "options": [shown(option, clip) for option in run.get("options", ())],
    }
    data |= {"variations": packer.variations.listed, "lists": packer.lists.listed}
    data["texts"] = texts.listed
    return Page(
        clients=clients,
        scenarios=len(ids),
        cases=sum(map(len, folded.cells.values())),
        problems=[shown(p, clip) for p in summary.end["problems"]],
        exit_code=summary.end["exit_code"],
        started=shown(run.get("started", ""), clip),
        tapecheck=shown(run["tapecheck"], clip),
        python=shown(run.get("python", ""), clip),
        settings=_settings(run, clip),
        breaks=played,
        clip=clip,
        data=data,
    )


def _dialect(record: JsonObject) -> str:
    return str(record.get("dialect", ""))


def _own(versions: Sequence[str]) -> Sequence[str]:
    """Leave out what is the same for all: this package."""
    return [v for v in versions if not v.startswith("tapecheck ")]


def _reacted(folded: _Fold, adapter: str, how: str) -> Reacted:
    counts = {name: len(folded.broken.get((adapter, how, name), ())) for name in REACTIONS}
    return Reacted({name: count for name, count in counts.items() if count})


def _client_data(summary: Summary, adapter: JsonObject, texts: Once[str], clip: int) -> JsonObject:
    """Return what the page shows of one client: its declaration and its causes of failures."""
    name = adapter["name"]
    groups = [group for group in summary.failures if group.adapter == name][:_CAUSES]
    facts = summary.facts.get(name)
    exposes = adapter.get("exposes")
    return {
        "name": shown(name, clip),
        "versions": [shown(v, clip) for v in adapter.get("versions", ())],
        "dialects": [shown(d, clip) for d in adapter["dialects"]],
        "level": adapter.get("level", "must"),
        "errors": adapter.get("errors", ""),
        "exposes": None if exposes is None else [shown(word, clip) for word in exposes],
        "facts": "" if facts is None else facts.text,
        "unjudged": [] if facts is None else [shown(word, clip) for word in facts.unjudged],
        "causes": [
            {
                "level": group.level,
                "name": texts.add(shown(group.name, clip)),
                "message": texts.add(shown(group.finding["message"], clip)),
                "count": len(group.records),
                "where": texts.add(shown(summary.where(group), clip)),
                "case": shown(group.example["id"], clip),
            }
            for group in groups
        ],
    }


def _skips(
    summary: Summary, numbers: Mapping[str, int], names: Sequence[str], texts: Once[str], clip: int
) -> list[list[int]]:
    """Return scenario, client and reason of what was not played, where others were played it."""
    return [
        [numbers[skip["scenario"]], names.index(name), texts.add(shown(skip["reason"], clip))]
        for skip in summary.skips
        if skip["scenario"] in numbers
        for name in (names if skip["adapter"] == "*" else [skip["adapter"]])
        if name in names
    ]


def _settings(run: JsonObject, clip: int) -> Mapping[str, str]:
    """Return what was selected, in words of the command line."""
    chosen = {
        "axes": run.get("axes", ""),
        "seed": run.get("seed", ""),
        "faults": "yes" if run.get("faults") else "no",
        "priorities": " ".join(run.get("priorities", ())) or "all",
        "patterns": " ".join(run.get("patterns", ())) or "all",
    }
    return {name: shown(value, clip) for name, value in chosen.items() if value != ""}
