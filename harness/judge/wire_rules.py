"""The rules that compare a turn with the facts of its wire, in every case.

The numbers are those of the README's list of rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.judge import comparing
from harness.judge.channels import Channels, of_turn
from harness.judge.comparing import Difference
from harness.judge.expectation import turn_views
from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from harness.judge.wire_channels import of_facts
from harness.suite.scenario import CaseKind
from mockserver.dialects import Facts, find_dialect, texts_in
from mockserver.vocabulary import AssistantTurn, FinishReason, Status, to_json

_TEXTS: tuple[str, ...] = ("text", "refusal", "reasoning")
_OPAQUE = ("signatures", "citations", "images")


@dataclass(frozen=True, slots=True)
class _Sides:
    """A turn and the facts of its wire, both also by channel."""

    facts: Facts
    turn: AssistantTurn
    wanted: Channels
    seen: Channels

    @property
    def failed(self) -> bool:
        return self.turn.status is Status.FAILED


def _sides(reading: Reading) -> _Sides | None:
    """Return both sides; ``None`` where there is nothing to compare."""
    if reading.facts is None or reading.turn is None:
        return None
    facts, turn = _as_asked(reading.facts, reading), reading.turn
    views = turn_views(turn)
    seen = of_turn(views) | {
        "streamed": reading.record.streamed,
        "opaque": frozenset(texts_in(views["parts"])),
    }
    reasons = find_dialect(reading.case.scenario.dialect).reasons
    return _Sides(facts, turn, of_facts(facts, seen, reasons), seen)


def _as_asked(facts: Facts, reading: Reading) -> Facts:
    """Return the facts without those that the client was asked to give in another form."""
    call = reading.spec.call
    asked = {*reading.case.scenario.requires, *(call.options if call else ())}
    if not asked.isdisjoint({"think_tags", "assistant_message_tool"}):
        facts = replace(facts, text=None, refusal=None, reasoning=None)
    if "assistant_message_tool" in asked:
        facts = replace(facts, calls=None)
    if "inner_thoughts" in asked:
        calls = facts.calls and tuple(replace(c, arguments=None, raw=None) for c in facts.calls)
        facts = replace(facts, reasoning=None, calls=calls)
    return facts


def completeness(reading: Reading) -> Iterator[Finding]:
    """3. Check that a turn is complete if and only if the wire gave a terminal reason."""
    if (sides := _sides(reading)) is None:
        return
    facts, turn = sides.facts, sides.turn
    if not (sides.failed or facts.terminal is not None or facts.done or facts.broken):
        yield Finding(
            check="completeness",
            kind="false-success",
            field="ending",
            message=f"the turn is {turn.status}, but the wire ended without a finish reason",
            expected="failed",
            observed=str(turn.status),
        )
    if turn.error is not None and _is_lost_without_reason(reading, sides):
        for difference in _compared(reading, sides, "status"):
            yield _finding("completeness", difference)
    if turn.status is Status.COMPLETED:
        for call in turn.tool_calls:
            if call.arguments is None:
                yield Finding(
                    check="completeness",
                    kind="tool-call",
                    field="tool_calls.arguments",
                    message=f"a completed turn contains the incomplete tool call {call.name!r}",
                    observed=to_json(call),
                )


def _is_lost_without_reason(reading: Reading, sides: _Sides) -> bool:
    """Return whether nothing but the client can be why a complete answer became a failure.

    A scenario that states the outcome knows better: a call may be given a time limit.
    """
    expect = reading.expect
    stated = expect is not None and (expect.events or expect.error or expect.turn)
    if stated or reading.case.kind is CaseKind.FAULT:
        return False
    return sides.wanted.get("status") == "completed" and _is_answered(reading)


def _is_answered(reading: Reading) -> bool:
    """Return whether all requests were answered, and the last one asked for the answer.

    A client may also ask for a token, or that a job is cancelled.
    """
    requests = reading.record.requests
    endpoint = find_dialect(reading.case.scenario.dialect).endpoint
    return (
        bool(requests)
        and all(request.exchange is not None for request in requests)
        and re.fullmatch(rf".*(?:{endpoint.pattern})/?", requests[-1].path) is not None
    )


def in_band_error(reading: Reading) -> Iterator[Finding]:
    """8. Check that an error on the wire, or an event that is not JSON, fails the turn."""
    sides = _sides(reading)
    if sides is None or sides.failed or not (sides.facts.error or sides.facts.broken):
        return
    what = "an error" if sides.facts.error else "an event that is not JSON"
    yield Finding(
        check="in-band-error",
        kind="false-success",
        field="ending",
        message=f"the wire carried {what}, but the turn is {sides.turn.status}",
        expected="failed",
        observed=str(sides.turn.status),
    )


def error_kept(reading: Reading) -> Iterator[Finding]:
    """10. Check that a failure tells what the wire says: its family, message, status and code."""
    sides = _sides(reading)
    if sides is None or not sides.failed or reading.case.kind is CaseKind.FAULT:
        return
    if sides.turn.error is None or "error" not in sides.wanted or not _is_answered(reading):
        return
    for difference in _compared(reading, sides, "status", "error"):
        yield _finding("error-kept", difference)


def usage(reading: Reading) -> Iterator[Finding]:
    """4. Check usage: the last value wins per field, nothing is added up, absent is null."""
    sides = _sides(reading)
    if sides is None or sides.facts.error or (sides.failed and sides.facts.may_fail):
        return  # a turn that fails may have ended before the last counts
    wanted, seen = sides.wanted["usage"], sides.seen.get("usage") or {}
    differences = list(comparing.usage(wanted, seen, reading.terms))
    if not sides.facts.usage and not sides.facts.broken:
        differences += comparing.extra_usage({}, seen, reading.terms)
    for difference in differences:
        if difference.observed is None and sides.failed:
            continue  # a failure need not count
        yield _finding("usage", difference)


def calls_kept(reading: Reading) -> Iterator[Finding]:
    """5. Check that each tool call of the wire is given as it is, none merged, lost or invented."""
    sides = _sides(reading)
    if sides is None or sides.facts.calls is None:
        return
    if reading.record.streamed and not reading.terms.assembles:
        return
    if sides.failed:
        yield from _calls_before_failure(sides)
        return
    for difference in _compared(reading, sides, "tool_calls"):
        yield _finding("calls-kept", difference)


def _calls_before_failure(sides: _Sides) -> Iterator[Finding]:
    """Check that the complete calls of a failed turn are calls of the wire."""
    wire = sides.facts.calls or ()
    for call in sides.turn.tool_calls:
        if call.arguments is None or any(
            one.name in (None, call.name)
            and (one.arguments is None or call.arguments in one.arguments)
            for one in wire
        ):
            continue
        yield Finding(
            check="calls-kept",
            kind="tool-call",
            field="tool_calls",
            message=f"the tool call {call.name!r} of the failed turn is none of the wire's",
            expected=[[one.name, *(one.arguments or ())] for one in wire],
            observed=to_json(call),
        )


def finish_reason(reading: Reading) -> Iterator[Finding]:
    """6. Check that stop with a complete tool call is ``tool_calls``, and the raw reason kept."""
    sides = _sides(reading)
    if sides is None or sides.failed or sides.facts.terminal is None:
        return
    for difference in _compared(reading, sides, "raw_finish_reason"):
        yield _finding("finish-reason", difference)
    wanted = sides.wanted.get("finish_reason")
    if wanted is None or not reading.terms.compares("finish_reason", sides.turn.finish_reason):
        return
    given = None if sides.turn.finish_reason is None else str(sides.turn.finish_reason)
    for difference in comparing.finish_reason(wanted, given, FinishReason(wanted)):
        word = f" for {sides.facts.terminal!r}" + (" with tool calls" if sides.facts.calls else "")
        yield _finding("finish-reason", difference, word)


def content_kept(reading: Reading) -> Iterator[Finding]:
    """7. Check that known content is kept whole, next to any unknown events or fields."""
    sides = _sides(reading)
    if sides is None:
        return
    # How much a failed turn keeps is for the scenario to say, if it matters.
    wrong = [name for name in _TEXTS if not _begins(sides, name)]
    names = wrong if sides.failed else (*_TEXTS, *_OPAQUE)
    for difference in _compared(reading, sides, *names):
        yield _finding("content-kept", difference)


def _begins(sides: _Sides, name: str) -> bool:
    whole, begun = sides.wanted.get(name), sides.seen.get(name) or ""
    if not sides.facts.terminal_seen:
        begun = begun.removesuffix("\ufffd")  # half a character, which may be shown or not
    return isinstance(whole, str) and whole.startswith(begun)


def identity(reading: Reading) -> Iterator[Finding]:
    """11. Check the id of the response and the model that answered."""
    if (sides := _sides(reading)) is None:
        return
    for difference in _compared(reading, sides, "response_id", "model"):
        if difference.observed is None and sides.failed:
            continue
        yield _finding("identity", difference)


def _compared(reading: Reading, sides: _Sides, *names: str) -> Iterator[Difference]:
    wanted = {name: sides.wanted[name] for name in names if name in sides.wanted}
    dialect = find_dialect(reading.case.scenario.dialect)
    by_name = dialect.results_by_name
    return comparing.compare(wanted, sides.seen, reading.terms, dialect.reasons, by_name=by_name)


def _finding(check: str, difference: Difference, detail: str = "") -> Finding:
    return Finding(
        check=check,
        kind=difference.kind,
        field=difference.field,
        message=difference.message + detail,
        expected=difference.expected,
        observed=difference.observed,
    )
