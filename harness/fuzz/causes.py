"""Tell failures apart by their causes. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.baseline import Baseline
from harness.judge.kinds import Level
from harness.judge.transcript import Blame, Finding
from harness.reports.records import CaseResult

#: An exception's class at the beginning of its text.
_CLASS = re.compile(r"[A-Za-z_.]*(?:Error|Exception|Warning)\b")
#: Parts of a field's name that say which of several, not what.
_NUMBER = re.compile(r"\.\d+")


@dataclass(frozen=True, slots=True)
class Cause:
    """What several failures have in common: the kind and the field of the finding.

    ``detail`` is the class of an exception, or the kind of a fault. ``check`` is the one that found
    it first; others may find the same.
    """

    kind: str
    field: str
    detail: str = ""
    check: str = dataclasses.field(default="", compare=False)

    def __str__(self) -> str:
        words = [self.kind]
        if self.field not in ("", self.kind):
            words.append(self.field)
        return " ".join(words) + (f" ({self.detail})" if self.detail else "")

    @property
    def slug(self) -> str:
        """The cause in the characters of a scenario's name."""
        text = re.sub(r"[^a-z0-9]+", "-", f"{self.kind}-{self.detail}".lower())
        return text.strip("-")


def cause_of(finding: Finding, result: CaseResult) -> Cause:
    """Return the cause of a finding in a case."""
    fault = result.case.fault
    detail = "" if fault is None else str(fault)
    if finding.kind == "crash":
        raised = next((t.raised for t in result.transcript.turns if t.raised), "")
        named = _CLASS.search(raised)
        detail = named.group() if named else detail
    return Cause(finding.kind, _NUMBER.sub("", finding.field), detail, finding.check)


def counted(result: CaseResult, level: Level) -> Iterator[Finding]:
    """Yield the findings that fail a case at a level, the weightiest first."""
    for finding in result.verdict.findings:
        if finding.blame is Blame.CLIENT and level.includes(finding.level):
            yield finding


def known_reason(finding: Finding, baseline: Baseline) -> str | None:
    """Return why the kind and the field of a finding are in the baseline, for whatever cases."""
    for entry in baseline.entries:
        if entry.covers(finding.check, finding.kind, finding.field):
            return entry.reason
    return None
