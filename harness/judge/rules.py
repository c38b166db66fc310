"""The rules about what a client gives by itself: its events, its turn, no secret.

They hold in every case, with no need to write them in a spec. The numbers are those of the
README's list of rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from mockserver.dialects import repaired
from mockserver.vocabulary import (
    ErrorEvent,
    JsonObject,
    MessageStart,
    MessageStop,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    to_json,
)


def terminal(reading: Reading) -> Iterator[Finding]:
    """1. Check for exactly one terminal event, nothing after it, and no second start."""
    if not reading.record.streamed or reading.events is None:
        return
    starts = [i for i, e in enumerate(reading.events) if isinstance(e, MessageStart)]
    if len(starts) > 1:
        yield Finding(
            check="terminal",
            kind="malformed",
            field="events.message_start",
            message=f"{len(starts)} message_start events, 1 expected",
            expected=1,
            observed=len(starts),
            event=starts[1],
        )
    ends = [i for i, e in enumerate(reading.events) if isinstance(e, MessageStop | ErrorEvent)]
    if not ends:
        if reading.record.broke_off:
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
    if reading.turn is None or record.turn_read:
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


def tool_calls(reading: Reading) -> Iterator[Finding]:
    """5. Check that each tool call is opened once, emitted whole and has an id of its own."""
    turn = reading.turn
    if turn is None or (reading.record.streamed and not reading.terms.assembles):
        return
    if reading.record.streamed and reading.events is not None:
        yield from _call_events(reading)
    ids = [c.id for c in turn.tool_calls]
    if len(set(ids)) != len(ids):
        yield Finding(
            check="tool-calls",
            kind="call-id" if _are_distinct(reading) else "made-up",
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


def _are_distinct(reading: Reading) -> bool:
    """Return whether the calls of the wire have ids of their own."""
    calls = None if reading.facts is None else reading.facts.calls
    ids = [call.id for call in calls or ()]
    return None not in ids and len(set(ids)) == len(ids)


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


def secrets(reading: Reading) -> Iterator[Finding]:
    """9. Check that no key of the request is in an event, an error message or a log."""
    key, turn = reading.transcript.api_key, reading.record.turn
    outputs = {
        "an event": json.dumps(reading.event_data, ensure_ascii=False),
        "the turn": json.dumps(turn and turn.data, ensure_ascii=False),
        "an exception": reading.record.raised or "",
        "a log record": "\n".join(reading.transcript.logs),
        "its output": reading.record.printed,
        "what it sent": reading.record.ended or "",
    }
    for where, text in outputs.items():
        if key in text:
            yield Finding(
                check="secrets",
                kind="secret",
                field="secret",
                message=f"the API key appears in {where}",
            )
