"""The native Responses events of clients that hand them out beside the normalized ones.

A translator, which makes them out of another dialect, is held to the schema and to the whole
grammar. A client that passes a Responses wire on is held to that wire: every event, in order;
what is unlawful in it is the server's doing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache

from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from harness.suite.loader import describe
from harness.suite.schemas import definition
from mockserver.dialects.facts_model import repaired
from mockserver.dialects.openai_responses.grammar import breaches
from mockserver.dialects.openai_responses.parsed_turn import ENDS, Story, story_of
from mockserver.vocabulary.codec import to_json
from mockserver.vocabulary.model import (
    AssistantTurn,
    ErrorClass,
    FinishReason,
    Json,
    JsonObject,
    ReasoningPart,
    Status,
)
from mockserver.wire import sse
from mockserver.wire.schedule import Media, Schedule

FEATURE = "native_responses"
#: Dialects whose wire carries Responses events already.
PASSED_ON = frozenset({"openai-responses", "codex", "background"})
_REASONS = {
    "max_output_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}
#: Errors that the client finds in an answer which the server takes for complete.
_OWN_VERDICTS = frozenset({ErrorClass.INVALID_TOOL_ARGUMENTS, ErrorClass.PROTOCOL})


def is_judged(reading: Reading) -> bool:
    """Whether the turn must have native events."""
    return FEATURE in reading.features and reading.record.streamed and bool(reading.record.events)


def native_of(reading: Reading) -> list[JsonObject]:
    """The native events of a turn that are objects, in the order in which they were handed out.

    What is no object tells no part of a turn; :func:`native` judges it.
    """
    return [event for event in _handed_out(reading) if isinstance(event, dict)]


def _handed_out(reading: Reading) -> list[Json]:
    return [n for e in reading.record.events for n in e.get("native", ())]


def native(reading: Reading) -> Iterator[Finding]:
    """The native events are a lawful sequence, or the wire's own."""
    if not is_judged(reading):
        return
    events = _handed_out(reading)
    if reading.case.scenario.dialect in PASSED_ON:
        if reading.record.schedules:
            yield from _passed_on(events, reading.record.schedules[-1])
    else:
        yield from _lawful(events)


def _lawful(events: Sequence[Json]) -> Iterator[Finding]:
    formless = False
    for number, event in enumerate(events):
        for problem in _problems(json.dumps(event, default=str)):
            formless = True
            yield Finding(
                check="native",
                message=f"native event {number + 1}, {problem}",
                observed=event,
            )
    if formless:
        return
    for breach in breaches(events):
        yield Finding(
            check="native",
            message=f"native event {breach.at + 1}, {breach.message}",
            expected=breach.expected,
            observed=breach.observed,
        )


# A scenario gives the same events on every wire; each is judged once.
@lru_cache(maxsize=4096)
def _problems(text: str) -> tuple[str, ...]:
    event = json.loads(text)
    kind = event.get("type") if isinstance(event, dict) else None
    check = definition("responses_event", kind) if isinstance(kind, str) else None
    if check is None:
        return (f"unknown type {kind!r}",)
    return tuple(f"{kind}: {describe(problem)}" for problem in check.iter_errors(event))


def _passed_on(events: Sequence[Json], schedule: Schedule) -> Iterator[Finding]:
    wire = wire_events(schedule)
    # An error without a type is an answer of its own, and no Responses event.
    objects = [e for e in wire if isinstance(e, dict) and ("type" in e or not e.get("error"))]
    ends = [n for n, event in enumerate(objects) if event.get("type") in ENDS]
    least = ends[0] + 1 if ends else len(objects)
    for number, event in enumerate(events):
        if number >= len(wire) or not _same(wire[number], event):
            yield Finding(
                check="native",
                message=f"native event {number + 1} is not the wire's event {number + 1}",
                expected=wire[number] if number < len(wire) else None,
                observed=event,
            )
            return
    if len(events) < least:
        yield Finding(
            check="native",
            message=f"{least - len(events)} event(s) of the wire were not passed on",
            expected=list(wire[:least]),
            observed=list(events),
        )


def wire_events(schedule: Schedule) -> list[Json]:
    """The JSON of an event stream, up to the first event that is none or no object."""
    plain = schedule.decoded()
    found: list[Json] = []
    if plain.status >= 400 or plain.media is not Media.SSE:
        return found
    for block in sse.Decoder().feed(plain.body):
        data = (block.data or "").strip()
        if data == "[DONE]":
            break
        try:
            value = json.loads(data) if data else None
        except ValueError:
            break
        if value is not None:
            found.append(value)
        if not isinstance(value, dict | None):
            break
    return found


def _same(wire: Json, event: Json) -> bool:
    """Equal, but for a sequence number that the wire left out and half a character."""
    if isinstance(wire, dict) and isinstance(event, dict) and "sequence_number" not in wire:
        event = {k: v for k, v in event.items() if k != "sequence_number"}
    return bool(wire == event or _plain(wire) == _plain(event))


def _plain(value: Json) -> Json:
    return json.loads(repaired(json.dumps(value, ensure_ascii=False)))


def native_turn(reading: Reading) -> Iterator[Finding]:
    """The native and the normalized events tell the same turn."""
    turn = reading.turn
    if not is_judged(reading) or turn is None:
        return
    events = native_of(reading)
    passed_on = reading.case.scenario.dialect in PASSED_ON
    if passed_on and reading.record.schedules:
        # What was handed out is the beginning of the wire, which still has the halves of
        # characters; a whole response is no event sequence at all.
        wire = wire_events(reading.record.schedules[-1])
        events = [e for e in wire[: len(events)] if isinstance(e, dict)]
    story = story_of(events) if events or not passed_on else None
    if story is None:
        return
    for name, native_says, turn_says in _compared(story, turn, lenient=passed_on):
        if native_says != turn_says:
            yield Finding(
                check="native-turn",
                message=f"{name} of the native events is not that of the turn",
                expected=native_says,
                observed=turn_says,
            )


def _compared(
    story: Story, turn: AssistantTurn, *, lenient: bool
) -> Iterator[tuple[str, Json, Json]]:
    yield "the text", story.texts["text"], turn.content
    yield "the refusal", story.texts["refusal"], turn.refusal
    for kind, channel in (("reasoning", "text"), ("summary", "summary")):
        thoughts = [p for p in turn.parts if isinstance(p, ReasoningPart) and p.channel == channel]
        yield (
            f"the {channel} of the reasoning",
            story.texts[kind],
            "".join(p.text for p in thoughts),
        )
    refused = turn.error is not None and turn.error.error_class in _OWN_VERDICTS
    if not lenient or (story.ended and not refused):
        yield "the status", str(story.status), str(turn.status)
    if story.reason in _REASONS and not refused:
        yield "the finish reason", str(_REASONS[story.reason]), str(turn.finish_reason)
    if not lenient and turn.error is not None:
        yield "the error", story.error, turn.error.message
    yield from _compared_usage(story.usage, {} if turn.usage is None else to_json(turn.usage))
    if lenient and turn.status is Status.FAILED:
        return
    yield "the number of tool calls", len(story.calls), len(turn.tool_calls)
    # The text of a custom tool is no JSON, and how a client makes it JSON is its own affair.
    pairs = [p for p in zip(story.calls, turn.tool_calls, strict=False) if not p[0].custom]
    for call, part in pairs:
        call_id = part.id if lenient and part.id_synthesized else call.call_id
        yield (
            "a tool call",
            (call_id, call.name, _value(call.arguments)),
            (part.id, part.name, _value(part.arguments_raw)),
        )


def _compared_usage(said: dict[str, int], seen: JsonObject) -> Iterator[tuple[str, Json, Json]]:
    for name, value in said.items():
        # 0 is how the API says that it was not told.
        if value or name in seen:
            yield name, value, seen.get(name)


def _value(arguments: str) -> Json:
    """What arguments mean, or their text where they are no JSON."""
    try:
        return json.loads(arguments.strip() or "null") or {}
    except ValueError:
        return arguments
