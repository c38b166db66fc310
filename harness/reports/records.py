"""The records of a run: one JSON object per line, from which all reports are made.

``specs/schemas/run_record.schema.json`` is the contract. A run without its ``end`` record is
not a run.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from harness.clients.registry import bundled_names
from harness.judge.kinds import Level
from harness.judge.transcript import Blame, Finding, Outcome, Transcript, Verdict
from harness.plan.planning import Plan, Settings, Share
from harness.reports.breaks import broken_of
from harness.reports.reproduction import Reproduction
from harness.reports.versions import client_versions
from harness.reports.wirebytes import event_lines, turn_of
from harness.suite.formats import VERSION
from harness.suite.scenario import Case
from mockserver.cassettes import line_of
from mockserver.vocabulary import JsonObject

#: Values in findings longer than this are clipped in the records.
_VALUE_LIMIT = 20_000
#: Characters of a line of the wire, which whoever shows it may wrap.
_WIDE = 4_000
#: The exit code that a shell gives to a program stopped by SIGINT.
INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A judged case.

    ``known`` is the reason of its baseline entry, ``seconds`` its duration, ``version`` what the
    client says that it is made of, if it is a command.
    """

    case: Case
    verdict: Verdict
    transcript: Transcript
    known: str | None = None
    seconds: float = 0.0
    version: str = ""


@dataclass(slots=True)
class Tally:
    """Counts outcomes and decides the exit code of a run.

    ``failed_itself`` says that the harness could not go on.
    """

    counts: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    unreadable: bool = False
    failed_itself: bool = False
    interrupted: bool = False

    def add(self, record: JsonObject) -> None:
        """Count the record of one case."""
        self.counts[record["outcome"]] += 1
        if "level" in record and record["outcome"] != Outcome.KNOWN:
            self.levels[record["level"]] += 1

    @property
    def exit_code(self) -> int:
        """0 all as expected, 1 client failures or stale baseline, 3 harness or environment.

        2 if a recording cannot be read, even if all else is as expected; 130 if the run was
        interrupted.
        """
        if self.interrupted:
            return INTERRUPTED
        if self.counts["error"] or self.failed_itself:
            return 3
        if self.unreadable:
            return 2
        if self.counts["fail"] or self.counts["stale"] or self.problems:
            return 1
        return 0


def start_record(plan: Plan) -> JsonObject:
    """Return the first record: what is going to be run."""
    settings = plan.settings
    references = settings.adapters or bundled_names()
    record: JsonObject = {
        "type": "run",
        "version": VERSION,
        "tapecheck": version("tapecheck"),
        "python": platform.python_version(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "adapters": [
            {
                "name": a.name,
                "versions": a.version.split(", ")
                if a.version
                else list(client_versions(reference)),
                "dialects": sorted(a.dialects),
                "features": sorted(a.features),
                "granularity": a.granularity,
                "exposes": None if a.exposes is None else sorted(a.exposes),
                "errors": a.errors,
                "idle_timeout": a.gives_up,
                "level": str(a.level),
            }
            for a, reference in zip(plan.adapters, references, strict=True)
        ],
        "options": list(options_of(settings)),
        "patterns": list(settings.patterns),
        "priorities": sorted(settings.priorities),
        "axes": str(settings.axes.chosen) if settings.axes.chosen else settings.axes.mode,
        "seed": settings.axes.seed,
        "faults": settings.faults,
        "cases": len(plan.cases),
        "in_process": settings.in_process,
    }
    if plan.share is not None:
        record["shard"] = _shard(plan, plan.share)
    return record


def _shard(plan: Plan, share: Share) -> JsonObject:
    """Return what the records of a shard say, so that they can be merged to those of all cases."""
    return {
        "number": share.number,
        "of": share.of,
        "cases": share.cases,
        "digest": share.digest,
        "problems": list(share.problems),
        "unreadable": share.unreadable,
        "listed": {name: sorted(words) for name, words in plan.listed.items()},
        "baselines": {
            name: {"file": str(baseline.path), "entries": list(baseline.data())}
            for name, baseline in plan.baselines.items()
            if baseline.entries
        },
    }


def options_of(settings: Settings) -> Iterator[str]:
    """Return the options with which another command finds the same adapters and scenarios."""
    named = {
        "--adapter": settings.adapters,
        "--scenarios": settings.scenarios,
        "--cassettes": settings.cassettes,
        "--recordings": () if settings.recordings is None else (settings.recordings,),
        "--level": () if settings.level is None else (settings.level,),
        "--seed": (settings.axes.seed,) if settings.axes.seed else (),
    }
    for option, values in named.items():
        for value in values:
            yield from (option, str(value))
    if settings.in_process:
        yield "--in-process"


def skip_records(plan: Plan) -> Iterable[JsonObject]:
    """Yield one record for each scenario that an adapter does not run."""
    for skip in plan.skips:
        yield {
            "type": "skip",
            "scenario": skip.scenario,
            "adapter": skip.adapter,
            "reason": skip.reason,
        }


def case_record(result: CaseResult) -> JsonObject:
    """Return the record of one case."""
    case, scenario = result.case, result.case.scenario
    record: JsonObject = {
        "type": "case",
        "id": case.id,
        "scenario": scenario.id,
        "adapter": case.adapter,
        "kind": str(case.kind),
        "variation": case.variation,
        "dialect": scenario.dialect,
        "priority": scenario.priority,
        "title": scenario.title,
        "source": list(scenario.source),
        "file": str(scenario.file),
        "outcome": str(result.verdict.outcome),
        "checks": len(result.verdict.checks),
        "seconds": round(result.seconds, 4),
    }
    verdict = result.verdict
    record |= {
        name: sorted(words)
        for name, words in (
            ("judged", verdict.judged),
            ("unexposed", verdict.unexposed),
            ("given", verdict.given),
        )
        if words
    }
    if verdict.level is not None:
        record["level"] = str(verdict.level)
    if result.verdict.findings:
        record["signature"] = result.verdict.signature
        record["findings"] = [finding_record(case, f) for f in result.verdict.findings]
    if result.known is not None:
        record["known"] = result.known
    if scenario.about:
        record["about"] = list(scenario.about)
    if (broken := broken_of(result.transcript)) is not None:
        record["break"] = {"how": str(broken.how), "reaction": str(broken.reaction)}
    if any(f.blame is Blame.CLIENT for f in verdict.findings):
        record |= _evidence(result, record["findings"])
    return record


def _evidence(result: CaseResult, findings: Sequence[JsonObject]) -> JsonObject:
    """Add to findings the wire behind them; return the lines that reproduce the case."""
    transcript = result.transcript
    for data, finding in zip(findings, result.verdict.findings, strict=True):
        if lines := list(event_lines(transcript, finding, _WIDE, set())):
            data["wire"] = lines
    number = turn_of(result.verdict.findings[0])
    lines = Reproduction(transcript, number, Path.cwd()).lines()
    return {"reproduce": lines} if lines else {}


def end_record(tally: Tally) -> JsonObject:
    """Return the last record: the result."""
    return {
        "type": "end",
        "counts": {str(o): tally.counts[str(o)] for o in Outcome},
        "levels": {str(level): tally.levels[level] for level in Level},
        "problems": list(tally.problems),
        "exit_code": tally.exit_code,
    }


def interrupted_record(plan: Plan, records: Iterable[JsonObject]) -> JsonObject:
    """Return the last record of a run that was interrupted after ``records``."""
    tally = Tally(problems=list(plan.problems), unreadable=plan.unreadable, interrupted=True)
    tally.counts[Outcome.SKIP] = len(plan.skips)
    cases = [record for record in records if record["type"] == "case"]
    for record in cases:
        tally.add(record)
    tally.problems.append(f"interrupted after {len(cases)} of {len(plan.cases)} cases")
    return end_record(tally)


def unplayed_record(case: Case, why: str) -> JsonObject:
    """Return the record of a case that could not be played."""
    finding = Finding(check="harness", kind="setup", message=why, blame=Blame.HARNESS)
    return case_record(
        CaseResult(
            case=case,
            verdict=Verdict(outcome=Outcome.ERROR, findings=(finding,)),
            transcript=Transcript(case=case, api_key="", base_url="", turns=(), schedules=()),
        )
    )


def finding_record(case: Case, finding: Finding) -> JsonObject:
    """Return a finding as it is in the records; long values are clipped."""
    data: JsonObject = {
        "check": finding.check,
        "kind": finding.kind,
        "level": str(finding.level),
        "field": finding.field,
        "message": finding.message,
        "blame": str(finding.blame),
    }
    if finding.key_path is not None:
        data["line"] = line_of(case.scenario.file.read_bytes(), finding.key_path)
    for name in ("expected", "observed"):
        value = getattr(finding, name)
        if value is not None:
            data[name] = _clipped(value)
    if finding.event is not None:
        data["event"] = finding.event
    return data


def _clipped(value: object) -> object:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return value if len(text) <= _VALUE_LIMIT else text[:_VALUE_LIMIT] + "…"
