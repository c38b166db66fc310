"""Merge the records of all shards of a run, or of runs of different clients. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.errors import ReportError
from harness.judge.baseline import Baseline
from harness.judge.transcript import Outcome
from harness.reports.ending import Ending
from harness.reports.records import Tally, end_record
from harness.reports.summary import parts
from harness.reports.words import many
from mockserver.vocabulary import JsonObject

#: What all shards of one run say alike, in the words of a message.
_SAME = {
    "tapecheck": "version of tapecheck",
    "adapters": "adapters",
    "options": "options",
    "patterns": "patterns",
    "priorities": "priorities",
    "axes": "axes",
    "seed": "seed",
    "faults": "faults",
    "in_process": "in-process",
}
#: The same of what they say about the whole plan.
_SAME_PLAN = {
    "of": "number of shards",
    "cases": "number of cases",
    "digest": "cases",
    "problems": "problems",
    "baselines": "baselines",
    "listed": "exposed fields",
}
#: The same of runs of different clients, beside the options that name no client.
_OF_CLIENTS = {key: name for key, name in _SAME.items() if key not in {"adapters", "options"}}
_HINT = "run all parts again with one version, one set of options, and the same files"
_AGAIN = "run this part again"


@dataclass(frozen=True, slots=True)
class _Run:
    """The records of one part, and the file that they were read from."""

    file: Path
    start: JsonObject
    skips: list[JsonObject]
    cases: list[JsonObject]
    end: JsonObject

    @property
    def shard(self) -> JsonObject:
        shard: JsonObject = self.start["shard"]
        return shard


def merged(runs: Iterable[tuple[Path, Iterable[JsonObject]]]) -> list[JsonObject]:
    """Return the records of the run of which these are the parts, each with its file.

    The parts are all shards of one run, or whole runs of different clients. Raises
    :class:`ReportError` for parts that do not belong together, and for one that is missing, given
    twice or not finished.
    """
    read = [_run(*run) for run in runs]
    if any("shard" in run.start for run in read):
        return _of_shards(read)
    return _of_clients(read)


def _of_shards(runs: Sequence[_Run]) -> list[JsonObject]:
    """Merge shards, and say what none of them can tell alone.

    That is the problems of the whole plan, baseline entries that cover nothing, exposed fields
    that no case has any more, and the exit code.
    """
    for run in runs:
        if "shard" not in run.start:
            raise ReportError(
                "not the results of a shard",
                path=run.file,
                hint="play each shard with 'tapecheck run --shard I/N --results FILE'",
            )
    shards = sorted(runs, key=lambda run: int(run.shard["number"]))
    first = shards[0]
    for other in shards[1:]:
        _check_same(first, other)
        _check_same_plan(first, other)
    _check_complete(shards)
    whole = first.shard
    start = {key: value for key, value in first.start.items() if key != "shard"}
    start |= {"cases": whole["cases"], **_began(shards)}
    ending = Ending(
        start,
        baselines={
            name: Baseline.read(
                Path(data["file"]), data["entries"], [entry["line"] for entry in data["entries"]]
            )
            for name, data in whole["baselines"].items()
        },
        listed=whole["listed"],
        skips=len(first.skips),
        problems=whole["problems"],
        unreadable=whole["unreadable"],
    )
    cases = [case for run in shards for case in run.cases]
    for case in cases:
        ending.add(case)
    return [start, *first.skips, *cases, ending.record()]


def _of_clients(runs: Sequence[_Run]) -> list[JsonObject]:
    """Merge whole runs of different clients: each has said what there is to say."""
    first = runs[0]
    seen: dict[str, _Run] = {}
    for run in runs:
        _check_same(first, run, _OF_CLIENTS)
        for adapter in run.start["adapters"]:
            if (other := seen.setdefault(adapter["name"], run)) is not run:
                raise ReportError(
                    f"{adapter['name']} is also in {other.file}",
                    path=run.file,
                    hint="give each client once, or split a run with 'tapecheck run --shard I/N'",
                )
    cases = [case for run in runs for case in run.cases]
    skips = list({json.dumps(skip): skip for run in runs for skip in run.skips}.values())
    start = first.start | {
        "adapters": [adapter for run in runs for adapter in run.start["adapters"]],
        "options": [*_adapters(runs), *_other_options(first.start)],
        "cases": len(cases),
        **_began(runs),
    }
    codes = {run.end["exit_code"] for run in runs}
    tally = Tally(unreadable=2 in codes, failed_itself=3 in codes)
    tally.problems = list(dict.fromkeys(p for run in runs for p in run.end["problems"]))
    tally.counts[Outcome.SKIP] = len(skips)
    for case in cases:
        tally.add(case)
    return [start, *skips, *cases, end_record(tally)]


def _began(runs: Iterable[_Run]) -> JsonObject:
    """Return when the first part began, for the first record; older records do not say it."""
    times = [run.start["started"] for run in runs if "started" in run.start]
    return {"started": min(times)} if times else {}


def _adapters(runs: Iterable[_Run]) -> Iterator[str]:
    """Yield the options that name the adapters."""
    for run in runs:
        for option, value in pairwise(run.start.get("options", ())):
            if option == "--adapter":
                yield from (option, value)


def _other_options(start: JsonObject) -> Iterator[str]:
    """Yield the options that name no adapter."""
    before = ""
    for word in start.get("options", ()):
        if "--adapter" not in (word, before):
            yield word
        before = word


def _run(file: Path, records: Iterable[JsonObject]) -> _Run:
    try:
        run = _Run(file, *parts(records))
    except ReportError as exc:
        raise ReportError(exc.message, path=file, hint=exc.hint) from None
    problems = run.end["problems"]
    left = run.start["cases"] - len(run.cases)
    # A shard has no problems but those that stopped it; the others are said by the merge.
    if left or ("shard" in run.start and problems):
        why = f": {problems[-1]}" if problems else ""
        missing = f", {many(left, 'case')} not played" if left else ""
        raise ReportError(f"{_name(run)} is not finished{missing}{why}", path=file, hint=_AGAIN)
    return run


def _check_same(first: _Run, other: _Run, same: Mapping[str, str] = _SAME) -> None:
    """Raise :class:`ReportError` if two parts are not of one version and one set of settings."""
    _compare(first, other, "version of Python", _minor(first), _minor(other))
    for key, name in same.items():
        _compare(first, other, name, first.start.get(key), other.start.get(key))
    if same is _OF_CLIENTS:
        options = (list(_other_options(run.start)) for run in (first, other))
        _compare(first, other, "options", *options)


def _check_same_plan(first: _Run, other: _Run) -> None:
    for key, name in _SAME_PLAN.items():
        _compare(first, other, name, first.shard[key], other.shard[key])


def _compare(first: _Run, other: _Run, name: str, one: Any, two: Any) -> None:
    if one != two:
        raise ReportError(
            f"of another run than {first.file}: {_difference(name, one, two)}",
            path=other.file,
            hint=_HINT,
        )


def _minor(run: _Run) -> str:
    """Return the version of Python without its last part, in which machines may differ."""
    return str(run.start.get("python", "")).rpartition(".")[0]


def _difference(name: str, one: Any, two: Any) -> str:
    """Say what differs, in short: here is ``two``, there ``one``."""
    if name == _SAME["adapters"]:
        return _of_adapters(one, two)
    if isinstance(one, dict | list) or name == _SAME_PLAN["digest"]:
        if isinstance(one, list) and all(isinstance(item, str) for item in [*one, *two]):
            return f"{name} {' '.join(two) or 'none'}, not {' '.join(one) or 'none'}"
        return f"other {name}"
    return f"{name} {two}, not {one}"


def _of_adapters(one: Sequence[JsonObject], two: Sequence[JsonObject]) -> str:
    names = [[adapter["name"] for adapter in adapters] for adapters in (one, two)]
    if names[0] != names[1]:
        return f"adapters {', '.join(names[1])}, not {', '.join(names[0])}"
    for here, there in zip(one, two, strict=True):
        for key in here.keys() | there.keys():
            if here.get(key) != there.get(key):
                return f"{here['name']}: {_difference(key, here.get(key), there.get(key))}"
    return "adapters"


def _check_complete(shards: Sequence[_Run]) -> None:
    """Raise :class:`ReportError` unless each shard, and each case, is there once."""
    seen: dict[int, _Run] = {}
    for run in shards:
        if (other := seen.setdefault(run.shard["number"], run)) is not run:
            raise ReportError(
                f"{_name(run)} is also in {other.file}",
                path=run.file,
                hint="give each shard once",
            )
    of = shards[0].shard["of"]
    if missing := [number for number in range(1, of + 1) if number not in seen]:
        named = ", ".join(map(str, missing))
        raise ReportError(
            f"shard {named} of {of} is missing"
            if len(missing) == 1
            else f"shards {named} of {of} are missing",
            hint="give the results of all shards",
        )
    counts = Counter(case["id"] for run in shards for case in run.cases)
    twice = [name for name, count in counts.items() if count > 1]
    if twice or counts.total() != shards[0].shard["cases"]:
        what = f"such as {twice[0]} twice" if twice else f"of {shards[0].shard['cases']:,}"
        raise ReportError(
            f"the shards have {many(counts.total(), 'case')} together, {what}", hint=_HINT
        )


def _name(run: _Run) -> str:
    if "shard" not in run.start:
        return "the run"
    return f"shard {run.shard['number']}/{run.shard['of']}"
