"""The rules for every adapter in every case, with no need to write them in a spec.

The numbers are those of the README's list of rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from harness.judge import comparing
from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from mockserver.dialects import Facts, find_dialect, repaired
from mockserver.vocabulary import (
    ErrorEvent,
    FinishReason,
    JsonObject,
    MessageStop,
    Status,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    to_json,
)

#: The option and feature under which calls of one tool are text for the user, not calls.
_MESSAGE_TOOL = "assistant_message_tool"


def terminal(reading: Reading) -> Iterator[Finding]:
    """1. Check for exactly one terminal event, and nothing after it."""
    if not reading.record.streamed or reading.events is None:
        return
    ends = [i for i, e in enumerate(reading.events) if isinstance(e, MessageStop | ErrorEvent)]
    if not ends:
        if reading.record.raised is not None or reading.record.hung:
            return  # it ended in another way, which is a finding of its own
        yield Finding(
            check="terminal",
            kind="no-ending",
            field="ending",
            message="the stream ended with neither message_stop nor error",
            expected="message_stop or error",
            observed=reading.events[-1].type if reading.events else None,
            event=len(reading.events),
        )
    elif len(ends) > 1 or ends[0] != len(reading.events) - 1:
        first = ends[0]
        yield Finding(
            check="terminal",
            kind="two-endings" if len(ends) > 1 else "after-ending",
            field="ending",
            message=f"{len(reading.events) - first - 1} event(s) after the terminal one",
            expected=[],
            observed=reading.event_data[first + 1 :],
            event=first + 1,
        )


def folding(reading: Reading) -> Iterator[Finding]:
    """2. Check that folding the events gives the turn."""
    record = reading.record
    if not record.streamed or not record.turn_given or reading.events is None:
        return
    if reading.turn is None:
        return
    if reading.folded != reading.turn:
        yield Finding(
            check="fold",
            kind="turn",
            field="turn",
            message="the turn differs from its folded events",
            expected=to_json(reading.folded),
            observed=to_json(reading.turn),
        )


def completeness(reading: Reading) -> Iterator[Finding]:
    """3. Check that a turn is complete only if the wire gave a terminal reason."""
    facts, turn = reading.facts, reading.turn
    if facts is None or turn is None:
        return
    if turn.status is not Status.FAILED and facts.terminal is None and not facts.done:
        yield Finding(
            check="completeness",
            kind="false-success",
            field="ending",
            message=f"the turn is {turn.status}, but the wire ended without a finish reason",
            expected="failed",
            observed=str(turn.status),
        )
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


def usage(reading: Reading) -> Iterator[Finding]:
    """4. Check usage: the last value wins per field, nothing is added up, absent is null."""
    facts, turn = reading.facts, reading.turn
    if facts is None or turn is None or facts.error or facts.usage is None:
        return
    seen = {} if turn.usage is None else to_json(turn.usage)
    differences = list(comparing.usage(facts.usage, seen, reading.terms))
    if not facts.usage and not any(seen.values()):
        differences += comparing.extra_usage({}, seen, reading.terms)
    for difference in differences:
        if difference.observed is None and turn.status is Status.FAILED:
            continue  # a failure need not count
        yield Finding(
            check="usage",
            kind=difference.kind,
            field=difference.field,
            message=difference.message,
            expected=difference.expected,
            observed=difference.observed,
        )


def tool_calls(reading: Reading) -> Iterator[Finding]:
    """5. Check that each tool call is opened once and emitted whole, none merged or lost."""
    turn = reading.turn
    if turn is None or (reading.record.streamed and not reading.terms.assembles):
        return
    if reading.record.streamed and reading.events is not None:
        yield from _call_events(reading)
    ids = [c.id for c in turn.tool_calls]
    if len(set(ids)) != len(ids):
        yield Finding(
            check="tool-calls",
            kind="made-up" if any(c.id_synthesized for c in turn.tool_calls) else "call-id",
            field="tool_calls.id",
            message="two tool calls have the same id",
            observed=sorted(ids),
        )
    before = [replace(reading, number=number).turn for number in range(reading.number)]
    taken = {call.id for earlier in before if earlier for call in earlier.tool_calls}
    if again := [call.id for call in turn.tool_calls if call.id_synthesized and call.id in taken]:
        yield Finding(
            check="tool-calls",
            kind="made-up",
            field="tool_calls.id",
            message="the client made up a tool call id that an earlier turn already uses",
            observed=again,
        )
    for call in turn.tool_calls:
        if call.arguments is not None and not _is_text_of(call.arguments_raw, call.arguments):
            yield Finding(
                check="tool-calls",
                kind="tool-call",
                field="tool_calls.arguments_raw",
                message=f"arguments of {call.name!r} differ from its arguments_raw",
                expected=call.arguments_raw,
                observed=call.arguments,
            )
    facts = reading.facts
    judged = facts is not None and facts.calls is not None and turn.status is not Status.FAILED
    judged = judged and not _asks_for(reading, _MESSAGE_TOOL)
    if judged and facts is not None and facts.calls != len(turn.tool_calls):
        yield Finding(
            check="tool-calls",
            kind="tool-call",
            field="tool_calls",
            message=f"{len(turn.tool_calls)} tool call(s) in the turn, {facts.calls} on the wire",
            expected=facts.calls,
            observed=len(turn.tool_calls),
        )


def _call_events(reading: Reading) -> Iterator[Finding]:
    opened: dict[int, str] = {}
    ended: set[int] = set()
    for number, event in enumerate(reading.events or ()):
        match event:
            case ToolCallStart(tool_call_index=index) if index in opened or index != len(opened):
                message = f"tool call {index} starts twice or out of order"
            case ToolCallStart(tool_call_index=index):
                opened[index] = ""
                continue
            case ToolCallDelta(tool_call_index=index) | ToolCallEnd(tool_call_index=index) if (
                index not in opened or index in ended
            ):
                message = f"{event.type} for tool call {index}, which is not open"
            case ToolCallDelta(tool_call_index=index, arguments_delta=piece):
                opened[index] += piece
                continue
            case ToolCallEnd(tool_call_index=index, arguments_raw=raw, arguments=arguments):
                ended.add(index)
                joined = opened[index]
                if joined == raw or joined.strip() in {"", "null"} or _object(joined) == arguments:
                    continue
                message = f"the joined deltas of tool call {index} differ from its arguments"
            case _:
                continue
        yield Finding(
            check="tool-calls",
            kind="tool-call",
            field="tool_calls.events",
            message=message,
            observed=to_json(event),
            event=number,
        )


def _is_text_of(raw: str, arguments: JsonObject) -> bool:
    value = _object(raw)
    plain = json.dumps(arguments, ensure_ascii=False)
    whole = repaired(plain)
    return value == (arguments if whole == plain else json.loads(whole))


def _object(text: str) -> object:
    """Return the value of JSON arguments, with U+FFFD for unpaired surrogates."""
    try:
        value = json.loads(text)
        plain = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    whole = repaired(plain)
    return value if whole == plain else json.loads(whole)


def finish_reason(reading: Reading) -> Iterator[Finding]:
    """6. Check that stop with a complete tool call is ``tool_calls``, and the raw reason kept."""
    facts, turn = reading.facts, reading.turn
    if facts is None or turn is None or turn.status is Status.FAILED or facts.terminal is None:
        return
    raw, terms = turn.raw_finish_reason, reading.terms
    compared = terms.compares("raw_finish_reason", raw)
    if compared and raw != facts.terminal and (raw or terms.misses("raw_finish_reason")):
        yield Finding(
            check="finish-reason",
            kind="finish-word",
            field="raw_finish_reason",
            message=f"raw_finish_reason {comparing.shown(facts.terminal)} expected, "
            f"{comparing.shown(raw)} given",
            expected=facts.terminal,
            observed=turn.raw_finish_reason,
        )
    plain = wanted = find_dialect(reading.case.scenario.dialect).reasons.get(facts.terminal)
    if wanted is FinishReason.STOP and any(c.arguments is not None for c in turn.tool_calls):
        wanted = FinishReason.TOOL_CALLS
    if (
        wanted is FinishReason.TOOL_CALLS
        and not turn.tool_calls
        and _asks_for(reading, _MESSAGE_TOOL)
    ):
        wanted = FinishReason.STOP  # the only call was the message itself
    elif wanted is FinishReason.TOOL_CALLS and not turn.tool_calls:
        return  # there is no call to run: a client may say so in its own word
    if wanted is None or not terms.compares("finish_reason", turn.finish_reason):
        return
    given = None if turn.finish_reason is None else str(turn.finish_reason)
    plain = wanted if wanted is FinishReason.TOOL_CALLS else plain
    for difference in comparing.finish_reason(str(wanted), given, plain):
        yield Finding(
            check="finish-reason",
            kind=difference.kind,
            field="finish_reason",
            message=f"{difference.message} for {facts.terminal!r}"
            + (" with tool calls" if turn.tool_calls else ""),
            expected=str(wanted),
            observed=given,
        )


def content_kept(reading: Reading) -> Iterator[Finding]:
    """7. Check that known content is kept whole, next to any unknown events or fields."""
    facts, turn = reading.facts, reading.turn
    if facts is None or turn is None or _asks_for(reading, "think_tags", _MESSAGE_TOOL):
        return
    for name, wire, seen in (
        ("text", facts.text, repaired(turn.content)),
        ("refusal", facts.refusal, repaired(turn.refusal)),
    ):
        if wire is None or wire == seen:
            continue
        if turn.status is Status.FAILED and wire.startswith(_whole(seen, facts)):
            continue  # how much a failed turn keeps is told by the scenario, if it matters
        for difference in comparing.text(name, wire, seen):
            yield Finding(
                check="content-kept",
                kind=name,
                field=name,
                message=difference.message,
                expected=wire,
                observed=seen,
            )


def _whole(text: str, facts: Facts) -> str:
    """Return a text without half a character at an early end: it may be shown or not."""
    return text if facts.terminal_seen else text.removesuffix("\ufffd")


def in_band_error(reading: Reading) -> Iterator[Finding]:
    """8. Check that an error on the wire, or an event that is not JSON, fails the turn."""
    facts, turn = reading.facts, reading.turn
    if facts is None or turn is None or turn.status is Status.FAILED:
        return
    if facts.error or facts.broken:
        what = "an error" if facts.error else "an event that is not JSON"
        yield Finding(
            check="in-band-error",
            kind="false-success",
            field="ending",
            message=f"the wire carried {what}, but the turn is {turn.status}",
            expected="failed",
            observed=str(turn.status),
        )


def secrets(reading: Reading) -> Iterator[Finding]:
    """9. Check that no key of the request is in an event, an error message or a log."""
    key, turn = reading.transcript.api_key, reading.record.turn
    outputs = {
        "an event": json.dumps(reading.event_data, ensure_ascii=False),
        "the turn": json.dumps(turn and turn.data, ensure_ascii=False),
        "an exception": reading.record.raised or "",
        "a log record": "\n".join(reading.transcript.logs),
        "its output": reading.record.printed,
    }
    for where, text in outputs.items():
        if key in text:
            yield Finding(
                check="secrets",
                kind="secret",
                field="secret",
                message=f"the API key appears in {where}",
            )


def _asks_for(reading: Reading, *features: str) -> bool:
    """Return whether the call or the scenario asks for one of these features."""
    call = reading.spec.call
    asked = {*reading.case.scenario.requires, *(call.options if call else ())}
    return not asked.isdisjoint(features)
