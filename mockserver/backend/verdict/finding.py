"""What a check says of a client, and the verdict of all of them. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mockserver.vocabulary.model import JsonObject


class Level(StrEnum):
    """How much is proved.

    ``FAIL``: the bytes prove a mistake. ``note``: they prove a choice that somebody may want to
    know. ``cannot tell``: they would look the same for a client without the mistake.
    """

    FAIL = "FAIL"
    NOTE = "note"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check says of some requests, named by their numbers in the journal.

    ``remedy`` says how to find out, or how to see it again. ``excuse`` is the reason for which the
    test accepts it.
    """

    check: str
    level: Level
    requests: tuple[int, ...]
    message: str
    remedy: str = ""
    excuse: str | None = None

    @property
    def fails(self) -> bool:
        """Whether it makes the verdict red."""
        return self.level is Level.FAIL and self.excuse is None

    def to_json(self) -> JsonObject:
        """Return the finding as JSON."""
        return {
            "check": self.check,
            "level": str(self.level),
            "requests": list(self.requests),
            "message": self.message,
            "remedy": self.remedy,
            "excuse": self.excuse,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What the test says of its client, which no byte shows.

    ``answers`` are texts that the application gave out. ``cancelled`` are the times at which calls
    were cancelled, on the clock of the requests. ``timeout`` is the longest silence, in seconds,
    that the client shall bear. ``keys`` are the keys that the test gave to the client, by dialect;
    an empty name is for all. ``excuses`` are reasons to accept what a check finds.
    """

    answers: tuple[str, ...] = ()
    cancelled: tuple[float, ...] = ()
    timeout: float | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    excuses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All findings, and what was counted: requests, faults, and tokens."""

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    #: Method and path of the requests that findings name.
    routes: Mapping[int, str]
    #: How many requests came before those that were judged, and are not known any more.
    forgotten: int = 0

    @property
    def failed(self) -> bool:
        """Whether a mistake is proved."""
        return any(finding.fails for finding in self.findings)

    def to_json(self) -> JsonObject:
        """Return the verdict as JSON."""
        return {
            "failed": self.failed,
            "counts": dict(self.counts),
            **({"forgotten": self.forgotten} if self.forgotten else {}),
            "findings": [finding.to_json() for finding in self.findings],
        }

    @property
    def text(self) -> str:
        """The verdict for people, without a line break at the end."""
        lines = [f"tapecheck verdict: {self._summary()}  ({self._counted()})"]
        if self.forgotten:
            lines.append(
                f"      {_plural(self.forgotten, 'earlier request')} forgotten and not judged: "
                "ask for the verdict more often, and reset"
            )
        for finding in self.findings:
            lines += ["", *self._lines(finding)]
        return "\n".join(lines)

    def _summary(self) -> str:
        fails = sum(finding.fails for finding in self.findings)
        excused = sum(finding.excuse is not None for finding in self.findings)
        notes = sum(f.level is Level.NOTE and f.excuse is None for f in self.findings)
        unknown = sum(f.level is Level.UNKNOWN and f.excuse is None for f in self.findings)
        words = [
            _plural(fails, "failure"),
            *([_plural(notes, "note")] if notes else []),
            *([f"{unknown} cannot tell"] if unknown else []),
            *([f"{excused} excused"] if excused else []),
        ]
        return ", ".join(words)

    def _counted(self) -> str:
        return ", ".join(_plural(n, word) for word, n in self.counts.items())

    def _lines(self, finding: Finding) -> list[str]:
        sign = "?" if finding.level is Level.UNKNOWN else str(finding.level)
        places = " -> ".join(f"#{number}" for number in finding.requests)
        route = self.routes.get(finding.requests[0], "") if finding.requests else ""
        lines = [f"{sign:<5} {finding.check:<20}  {places:<12} {route}".rstrip()]
        lines.append(f"      {finding.message}")
        if finding.remedy:
            lines.append(f"      {finding.remedy}")
        if finding.excuse is not None:
            lines.append(f"      excused: {finding.excuse}")
        return lines


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
