"""JUnit XML for CI servers: a suite per adapter, a test case per wire.

Servers differ in what they show of a failure: Jenkins its message, its type and its text, GitLab
the text alone. So the text has all of it. Only the first ``failure`` of a test case is surely read.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.judge.kinds import Level
from harness.reports import explain
from harness.reports.grouping import counted
from harness.reports.summary import AGAINST, Summary, summarize
from harness.reports.words import many
from mockserver.vocabulary import JsonObject

#: Faults that the text of a sweep names before it counts the rest.
MANY = 60
#: Characters that XML 1.0 cannot contain, section 2.2.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(records: Iterable[JsonObject], stream: TextIO, *, here: Path) -> None:
    """Write the report. The faults of a scenario are one test case named ``faults``.

    Raises :class:`~harness.errors.ReportError` for half a run.
    """
    records = list(records)
    summary = summarize(records)
    xml = JUnitXml(name="tapecheck")
    for suite in _suites(summary, records, here):
        xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(xml.tostring().decode())  # type: ignore[no-untyped-call]


def _suites(summary: Summary, records: Sequence[JsonObject], here: Path) -> Iterable[TestSuite]:
    cases: defaultdict[tuple[str, str, str], list[JsonObject]] = defaultdict(list)
    for record in records:
        if record["type"] == "case":
            name = "faults" if record["kind"] == "fault" else record["variation"]
            cases[record["adapter"], record["scenario"], name].append(record)
    for adapter in summary.adapters:
        suite = TestSuite(adapter)
        for name, value in _properties(summary, adapter, records):
            suite.add_property(name, _text(value))
        if started := summary.run.get("started"):
            suite.timestamp = started[:19]  # The schema of JUnit has no time zone.
        for key in sorted(key for key in cases if key[0] == adapter):
            suite.add_testcase(_testcase(summary, key[2], cases[key], here))
        for skip in summary.skips:
            if skip["adapter"] in {adapter, "*"}:
                case = TestCase(
                    _text(skip["scenario"]), classname=_text(f"{adapter}.{skip['scenario']}")
                )
                case.result = [_skipped(skip["reason"])]
                suite.add_testcase(case)
        yield suite
    if problems := summary.end["problems"]:
        suite = TestSuite("tapecheck")
        case = TestCase("problems of the run", classname="tapecheck")
        case.result = [Failure(_text(problem), "problem") for problem in problems]
        suite.add_testcase(case)
        yield suite


def _properties(
    summary: Summary, adapter: str, records: Iterable[JsonObject]
) -> Iterable[tuple[str, str]]:
    """Yield what a result is about, and how many cases have findings of each level."""
    run = summary.run
    declared = next(a for a in run["adapters"] if a["name"] == adapter)
    yield "tapecheck", run["tapecheck"]
    if "python" in run:
        yield "python", run["python"]
    if versions := declared.get("versions"):
        yield "client", ", ".join(versions)
    yield "seed", str(run.get("seed", 0))
    if shard := run.get("shard"):
        yield "shard", f"{shard['number']}/{shard['of']}"
    yield "level", summary.levels[adapter]
    counts = Counter(
        record["level"]
        for record in records
        if record["type"] == "case"
        and record["adapter"] == adapter
        and "level" in record
        and record["outcome"] != "known"
    )
    yield from ((f"findings.{level}", str(counts[level])) for level in Level)


def _testcase(summary: Summary, name: str, records: Sequence[JsonObject], here: Path) -> TestCase:
    first = records[0]
    case = TestCase(
        _text(name),
        _text(f"{first['adapter']}.{first['scenario']}"),
        round(sum(r["seconds"] for r in records), 4),
    )
    against = [r for r in records if r["outcome"] in AGAINST]
    known = [r for r in records if r["outcome"] == "known"]
    if against:
        broken = [r for r in against if r["outcome"] == "error"]
        shown = min(broken or against, key=lambda r: len(r["variation"]))
        finding = _first(summary, shown)
        result = (Error if broken else Failure)(
            _text(_message(against, shown, finding)), _text(finding["check"])
        )
        result.text = _text("\n".join(_lines(summary, against, shown, here)))
        case.result = [result]
    elif known:
        several = f" ({many(len(known), 'fault')})" if first["kind"] == "fault" else ""
        case.result = [_skipped(f"known failure{several}: {known[0]['known']}")]
    return case


def _first(summary: Summary, record: JsonObject) -> JsonObject:
    """Return the finding that fails a case; of several the weightiest."""
    level = Level(summary.levels[record["adapter"]])
    found: list[JsonObject] = list(counted(record, level)) or record["findings"]
    return min(found, key=lambda f: list(Level).index(Level(f.get("level", Level.MUST))))


def _message(against: Sequence[JsonObject], shown: JsonObject, finding: JsonObject) -> str:
    text = explain.headline(finding)
    if shown["kind"] != "fault":
        return text
    return f"{many(len(against), 'fault')} failed, such as {shown['variation']}: {text}"


def _lines(
    summary: Summary, against: Sequence[JsonObject], shown: JsonObject, here: Path
) -> Iterable[str]:
    yield shown["id"]
    yield from explain.brief(shown, here)
    yield f"checks: {', '.join(dict.fromkeys(f['check'] for f in shown['findings']))}"
    yield explain.replay(shown["id"], summary.run.get("options", ()))
    if len(against) > 1:
        named = ", ".join(sorted(r["variation"] for r in against)[:MANY])
        more = f" and {len(against) - MANY} more" if len(against) > MANY else ""
        yield f"failed: {named}{more}"


def _skipped(reason: str) -> Skipped:
    """Return a result with the reason where Jenkins looks for it, and where GitLab does."""
    result = Skipped(_text(reason))
    result.text = _text(reason)
    return result


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
