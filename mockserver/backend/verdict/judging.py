"""Runs all checks and sums up. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mockserver.backend import tokens
from mockserver.backend.evidence import Seen
from mockserver.backend.verdict import conversation, marks, requests, retries, waiting
from mockserver.backend.verdict.finding import Finding, Level, Statements, Verdict
from mockserver.backend.verdict.scene import Scene, scene
from mockserver.secrets import find

Check = Callable[[Scene], Iterator[Finding]]

#: What runs, and the ids of the findings of each.
CHECKS: Mapping[Check, tuple[str, ...]] = {
    retries.retry_after: ("retry-after",),
    retries.client_errors: ("retried-client-error",),
    retries.layers: ("retry-layers",),
    retries.storm: ("retry-storm",),
    retries.billed: ("billed-twice",),
    retries.gave_up: ("gave-up",),
    retries.in_flight: ("duplicate-in-flight",),
    retries.idempotency: ("idempotency-key",),
    marks.broken_answers: ("truncated-stream", "cut-call", "in-band-error", "malformed-event"),
    marks.changed_calls: ("changed-call",),
    waiting.read_timeout: ("read-timeout",),
    waiting.cancelled: ("cancel",),
    conversation.keys: ("key",),
    conversation.prefix: ("prompt-prefix",),
    requests.refused: ("refused-request",),
    requests.unanswered: ("unanswered",),
}
_ORDER = (Level.FAIL, Level.NOTE, Level.UNKNOWN)


def judge(
    seen: Sequence[Seen],
    statements: Statements | None = None,
    *,
    now: float = math.inf,
    forgotten: int = 0,
) -> Verdict:
    """Judge a client by its requests, in any order, and by what the test says of it.

    ``now`` is the time on the clock of the requests; ``forgotten`` are the requests that came
    before those of ``seen`` and are not known any more.
    """
    events = scene(seen, statements or Statements(), now)
    found = [finding for check in CHECKS for finding in check(events)]
    excuses = events.statements.excuses
    named = {number for finding in found for number in finding.requests}
    return Verdict(
        findings=_sorted(_shown(f, excuses.get(f.check)) for f in found),
        counts=_counts(events),
        routes={e.number: find.mask(e.route) for e in events.events if e.number in named},
        forgotten=forgotten,
    )


def joined(verdicts: Iterable[Verdict], *, forgotten: int = 0) -> Verdict:
    """Return one verdict for clients that were judged apart, such as those of sessions.

    ``forgotten`` are the requests of all of them that are not known any more.
    """
    every = [judge(()), *verdicts]
    return Verdict(
        findings=_sorted(finding for verdict in every for finding in verdict.findings),
        counts={word: sum(verdict.counts[word] for verdict in every) for word in every[0].counts},
        routes={number: route for verdict in every for number, route in verdict.routes.items()},
        forgotten=forgotten,
    )


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda f: (_ORDER.index(f.level), f.requests)))


def _shown(finding: Finding, excuse: str | None) -> Finding:
    """Return a finding as it may be shown: what a client sent can hold its keys."""
    message, remedy = find.mask(finding.message), find.mask(finding.remedy)
    return replace(finding, message=message, remedy=remedy, excuse=excuse)


def _counts(events: Scene) -> Mapping[str, int]:
    return {
        "request": len(events.events),
        "failed answer": sum(event.failed for event in events.events),
        "input token": sum(tokens.of_request(e.asked) for e in events.events if e.asked),
    }
