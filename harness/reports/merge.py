"""Merge the records of all shards of a run to those of the whole run. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ReportError
from harness.judge.baseline import Baseline
from harness.reports.ending import Ending
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
_HINT = "run all shards again with one version, one set of options, and the same files"


@dataclass(frozen=True, slots=True)
class _Run:
    """The records of one shard, and the file that they were read from."""

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
    """Return the records of the run of which these are all shards, each with its file.

    What no shard alone can tell is said here: the problems of the whole plan, baseline entries
    that cover nothing, exposed fields that no case has any more, and the exit code. Raises
    :class:`ReportError` for what is no shard, for shards of different runs, for one that is
    missing, given twice or not finished.
    """
    shards = sorted((_run(*run) for run in runs), key=lambda run: int(run.shard["number"]))
    first = shards[0]
    for other in shards[1:]:
        _check_same(first, other)
    _check_complete(shards)
    whole = first.shard
    start = {key: value for key, value in first.start.items() if key != "shard"}
    start |= {"cases": whole["cases"], "started": min(run.start["started"] for run in shards)}
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


def _run(file: Path, records: Iterable[JsonObject]) -> _Run:
    try:
        run = _Run(file, *parts(records))
    except ReportError as exc:
        raise ReportError(exc.message, path=file, hint=exc.hint) from None
    if "shard" not in run.start:
        raise ReportError(
            "not the results of a shard",
            path=file,
            hint="play each shard with 'tapecheck run --shard I/N --results FILE'",
        )
    left = run.start["cases"] - len(run.cases)
    if left or run.end["problems"]:
        why = f": {run.end['problems'][0]}" if run.end["problems"] else ""
        missing = f", {many(left, 'case')} not played" if left else ""
        raise ReportError(
            f"shard {_name(run)} is not finished{missing}{why}", path=file, hint="play it again"
        )
    return run


def _check_same(first: _Run, other: _Run) -> None:
    """Raise :class:`ReportError` if two shards are not of one run."""
    pairs: list[tuple[str, Any, Any]]
    pairs = [("version of Python", _minor(first), _minor(other))]
    pairs += [(name, first.start.get(key), other.start.get(key)) for key, name in _SAME.items()]
    pairs += [(name, first.shard[key], other.shard[key]) for key, name in _SAME_PLAN.items()]
    for name, one, two in pairs:
        if one != two:
            raise ReportError(
                f"of another run than {first.file}: {_difference(name, one, two)}",
                path=other.file,
                hint=_HINT,
            )


def _minor(run: _Run) -> str:
    """Return the version of Python without its last part, in which machines may differ."""
    return str(run.start["python"]).rpartition(".")[0]


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
                f"shard {_name(run)} is also in {other.file}",
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
    return f"{run.shard['number']}/{run.shard['of']}"
