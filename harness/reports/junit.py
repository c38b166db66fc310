"""JUnit XML for CI servers: a suite per adapter, a test case per wire."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.reports import explain
from harness.reports.summary import AGAINST, Summary, summarize
from harness.reports.words import many
from mockserver.vocabulary import JsonObject

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
        for key in sorted(key for key in cases if key[0] == adapter):
            suite.add_testcase(_testcase(summary, key[2], cases[key], here))
        for skip in summary.skips:
            if skip["adapter"] in {adapter, "*"}:
                case = TestCase(skip["scenario"], classname=f"{adapter}.{skip['scenario']}")
                case.result = [Skipped(_text(skip["reason"]))]
                suite.add_testcase(case)
        yield suite
    if problems := summary.end["problems"]:
        suite = TestSuite("tapecheck")
        case = TestCase("problems of the run", classname="tapecheck")
        case.result = [Failure(_text(problem), "problem") for problem in problems]
        suite.add_testcase(case)
        yield suite


def _testcase(summary: Summary, name: str, records: Sequence[JsonObject], here: Path) -> TestCase:
    first = records[0]
    case = TestCase(
        name, f"{first['adapter']}.{first['scenario']}", sum(r["seconds"] for r in records)
    )
    against = [r for r in records if r["outcome"] in AGAINST]
    known = [r for r in records if r["outcome"] == "known"]
    if against:
        broken = [r for r in against if r["outcome"] == "error"]
        shown = min(broken or against, key=lambda r: len(r["variation"]))
        result = (Error if broken else Failure)(
            _text(_message(against, shown)), explain.cause_of(shown["findings"][0])
        )
        result.text = _text("\n".join(_lines(summary, shown, here)))
        case.result = [result]
    elif known:
        case.result = [Skipped(_text(f"known failure: {known[0]['known']}"))]
    return case


def _message(against: Sequence[JsonObject], shown: JsonObject) -> str:
    text = explain.headline(shown["findings"][0])
    if shown["kind"] != "fault":
        return text
    return f"{many(len(against), 'fault')} failed, such as {shown['variation']}: {text}"


def _lines(summary: Summary, shown: JsonObject, here: Path) -> Iterable[str]:
    yield shown["id"]
    yield from explain.brief(shown, here)
    yield explain.replay(shown["id"], summary.run.get("options", ()))


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
