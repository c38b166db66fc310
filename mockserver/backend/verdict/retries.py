"""Checks of retries: their waits, their reasons and their number. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from mockserver.backend.verdict.finding import Finding, Level
from mockserver.backend.verdict.pairing import Repeat, repeats, unpaired
from mockserver.backend.verdict.scene import IDEMPOTENCY_KEY, Event, Scene

#: Statuses that the same request gets again: to repeat it cannot help.
_CLIENT_ERRORS = frozenset({400, 401, 403, 404, 422})
#: Statuses that ask a client to come back later.
_LATER = frozenset({429, 503, 529})
#: What official SDKs take for too long: they wait for as long as they like then.
_LONGEST = 60.0
#: Timers fire a little early, and clocks are read at both ends.
_SLACK, _SLACK_SHARE = 0.05, 0.02
#: A retry within so many seconds did not wait, and so many in a row are no chance.
_AT_ONCE, _STORM = 0.01, 3
#: So many failed requests for one thing are worth a note.
_MANY = 6

ONE_CALL = "To know: mark the call as one: llm.one_call(), or POST …/calls."


def retry_after(scene: Scene) -> Iterator[Finding]:
    """Find retries before the time that the server named (RFC 9110, section 10.2.3)."""
    judged: set[int] = set()
    for group in scene.equal:
        found = list(repeats(group))
        judged |= {repeat.event.number for repeat in found}
        for repeat in unpaired(found, _waited):
            last = max(repeat.candidates, key=lambda e: e.end)
            wait, asked = repeat.event.seen.arrived - last.end, last.retry_after or 0.0
            level = Level.FAIL if asked <= _LONGEST else Level.NOTE
            yield Finding(
                check="retry-after",
                level=level,
                requests=(last.number, repeat.event.number),
                message=f"{last.status} asked for {asked:g} s; the retry came after {wait:.2f} s. "
                f"No pairing of these requests waits longer. Proof: {repeat.proof}.",
                remedy=f"again: llm.fail({last.status}, retry={asked:g})",
            )
    yield from _windows(scene, judged)


def _waited(failed: Event, repeated: Event) -> bool:
    asked = failed.retry_after
    if asked is None or failed.status not in _LATER:
        return True
    slack = max(_SLACK, asked * _SLACK_SHARE)
    return repeated.seen.arrived - failed.end >= asked - slack


def _windows(scene: Scene, judged: set[int]) -> Iterator[Finding]:
    """Find requests of one conversation in the time to wait.

    ``judged`` are proved retries: the pairing judges them. Two or more equal requests, one after
    the other on the connection that was asked to wait, look like a loop; but workers that each
    wait as asked can share a connection, so that no request proves it.
    """
    for event in scene.events:
        if event.status not in _LATER or event.retry_after is None:
            continue
        early = [
            later
            for later in scene.after(event)
            # A request that says it is the first of its call is no retry.
            if not later.counts_retries
            and later.number not in judged
            and not _waited(event, later)
            and _same_talk(event, later)
        ]
        here = [
            e
            for e in early
            if e.seen.connection == event.seen.connection and e.identity == event.identity
        ]
        in_turn = all(a.end <= b.seen.arrived for a, b in itertools.pairwise(here))
        if len(here) > 1 and in_turn and event.retry_after <= _LONGEST:
            yield Finding(
                check="retry-after",
                level=Level.NOTE,
                requests=(event.number, *(e.number for e in here)),
                message=f"{event.status} asked for {event.retry_after:g} s; {len(here)} equal "
                "requests came in that time, one after the other, on the same connection.",
                remedy=ONE_CALL,
            )
        elif early:
            wait = early[0].seen.arrived - event.end
            yield Finding(
                check="retry-after",
                level=Level.UNKNOWN,
                requests=(event.number, early[0].number),
                message=f"{event.status} asked for {event.retry_after:g} s; an equal request came "
                f"after {wait:.2f} s: a retry, or a call of its own.",
                remedy=ONE_CALL,
            )


def _same_talk(one: Event, other: Event) -> bool:
    """Return whether two requests are of one conversation, with one model and key."""
    if one.asked is None or other.asked is None:
        return one.identity == other.identity
    first, second = one.asked.call, other.asked.call
    length = min(len(first.messages), len(second.messages))
    return (
        one.identity[1] == other.identity[1]
        and one.identity[3] == other.identity[3]
        and first.model == second.model
        and first.messages[:length] == second.messages[:length]
    )


def client_errors(scene: Scene) -> Iterator[Finding]:
    """Find retries of what the provider will refuse again."""
    for group in scene.equal:
        found = list(repeats(group))
        for repeat in unpaired(found, lambda failed, _: failed.status not in _CLIENT_ERRORS):
            last = max(repeat.candidates, key=lambda e: e.end)
            yield Finding(
                check="retried-client-error",
                level=Level.FAIL,
                requests=(last.number, repeat.event.number),
                message=f"{last.status} was retried, which says that the request itself is wrong. "
                f"Proof: {repeat.proof}.",
                remedy=f"again: llm.fail({last.status}, times=2)",
            )
        refused = [e for e in group if e.status in _CLIENT_ERRORS]
        if len(refused) > 2 and not found:
            yield Finding(
                check="retried-client-error",
                level=Level.UNKNOWN,
                requests=tuple(e.number for e in refused),
                message=f"{len(refused)} equal requests got {refused[0].status}: retries, or calls "
                "of their own.",
                remedy=ONE_CALL,
            )


def layers(scene: Scene) -> Iterator[Finding]:
    """Find retries of retries: two layers of a client that do not know of each other."""
    for group in scene.equal:
        for call in {e.seen.call for e in group if e.seen.call is not None}:
            counts = [e for e in group if e.seen.call == call and e.counts_retries]
            restarts = [
                b
                for a, b in itertools.pairwise(counts)
                if b.retries < a.retries and a.end <= b.seen.arrived
            ]
            if restarts:
                yield Finding(
                    check="retry-layers",
                    level=Level.FAIL,
                    requests=tuple(e.number for e in counts),
                    message=f"one call made {len(counts)} requests, and the count of retries began "
                    f"again {len(restarts)} times: something retries a client that retries.",
                    remedy="again: llm.fail(503, times=20), in 'with llm.one_call():'",
                )
        failed = [e for e in group if e.failed]
        if len(failed) >= _MANY:
            yield Finding(
                check="retry-layers",
                level=Level.NOTE,
                requests=(failed[0].number, failed[-1].number),
                message=f"{len(failed)} equal requests failed.",
            )


def storm(scene: Scene) -> Iterator[Finding]:
    """Find retries without any wait."""
    for group in scene.equal:
        row: list[Repeat] = []
        for repeat in repeats(group):
            gap = repeat.event.seen.arrived - max(e.end for e in repeat.candidates)
            row = [*row, repeat] if gap < _AT_ONCE else []
            if len(row) == _STORM:
                yield Finding(
                    check="retry-storm",
                    level=Level.FAIL,
                    requests=tuple(r.event.number for r in row),
                    message=f"{_STORM} retries in a row came within {_AT_ONCE * 1000:g} ms of the "
                    f"failure. Proof: {row[0].proof}.",
                    remedy="again: llm.fail(503, times=4), in 'with llm.one_call():'",
                )


def billed(scene: Scene) -> Iterator[Finding]:
    """Find answers that were begun, and billed, and asked for again."""
    for group in scene.equal:
        for repeat in repeats(group):
            begun = [e for e in repeat.candidates if e.status < 400 and e.seen.sent]
            if len(begun) == len(repeat.candidates):
                yield Finding(
                    check="billed-twice",
                    level=Level.NOTE,
                    requests=(begun[-1].number, repeat.event.number),
                    message="the answer had begun and is billed; the retry is billed again.",
                )


def gave_up(scene: Scene) -> Iterator[Finding]:
    """Find a call that ended with the first failure that asks to come back."""
    if scene.events and (last := scene.events[-1]).status in _LATER and not last.retries:
        if any(e.identity == last.identity for e in scene.events[:-1]):
            return
        yield Finding(
            check="gave-up",
            level=Level.NOTE,
            requests=(last.number,),
            message=f"no request came after this {last.status}.",
        )


def in_flight(scene: Scene) -> Iterator[Finding]:
    """Find equal requests at the same time."""
    for group in scene.equal:
        twice = [
            (a, b)
            for a, b in itertools.pairwise(group)
            if b.seen.arrived < a.end and b.seen.arrived - a.seen.arrived < _SLACK
        ]
        if twice:
            numbers = sorted({e.number for pair in twice for e in pair})
            yield Finding(
                check="duplicate-in-flight",
                level=Level.NOTE,
                requests=tuple(numbers),
                message="equal requests were open at the same time: samples, or one too many.",
            )


def idempotency(scene: Scene) -> Iterator[Finding]:
    """Find keys that say of different requests that they are one, or the reverse."""
    keys: dict[str, Event] = {}
    for event in scene.events:
        key = event.seen.header(IDEMPOTENCY_KEY)
        if key is None:
            continue
        first = keys.setdefault(key, event)
        if first.seen.request.body != event.seen.request.body:
            yield Finding(
                check="idempotency-key",
                level=Level.FAIL,
                requests=(first.number, event.number),
                message="two requests with different bodies have the same idempotency key.",
            )
    yield from _new_keys(scene.equal)


def _new_keys(groups: Sequence[Sequence[Event]]) -> Iterator[Finding]:
    for group in groups:
        for repeat in repeats(group):
            key = repeat.event.seen.header(IDEMPOTENCY_KEY)
            others = {e.seen.header(IDEMPOTENCY_KEY) for e in repeat.candidates}
            if None not in {key, *others} and key not in others:
                yield Finding(
                    check="idempotency-key",
                    level=Level.FAIL,
                    requests=(repeat.candidates[-1].number, repeat.event.number),
                    message="the retry has another idempotency key, so it may be done twice. "
                    f"Proof: {repeat.proof}.",
                )
