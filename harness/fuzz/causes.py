"""Tell failures apart by their causes. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.baseline import Baseline
from harness.judge.kinds import Level
from harness.judge.transcript import Blame, Finding, Transcript
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


def is_refused(transcript: Transcript) -> bool:
    """Return whether an answer is in a coding that its request refuses (RFC 9110, 12.5.3).

    A provider sends none such. A request that says nothing takes any coding.
    """
    for turn in transcript.turns:
        codings = {schedule.header("content-encoding") for schedule in turn.schedules} - {None}
        for request in turn.requests:
            said = [v for name, v in request.headers if name.lower() == "accept-encoding"]
            if said and not any(_takes(",".join(said), coding or "") for coding in codings or {""}):
                return True
    return False


def _takes(accepted: str, coding: str) -> bool:
    """Return whether a coding, empty for none, is among the accepted ones; weights of 0 refuse."""
    words = [word.strip().lower().replace(" ", "") for word in accepted.split(",")]
    taken = {word.partition(";")[0] for word in words if not re.search(r";q=0(\.0*)?$", word)}
    return not coding or coding.lower() in taken or "*" in taken
