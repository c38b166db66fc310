"""Judges the native Responses events that a client emits besides the normalized ones.

A translator, which makes them from another dialect, must obey the schema and the whole
grammar. A client that relays a Responses wire must relay every event, in order; if these
break the grammar, that is the server's fault. Pure, and independent of clients.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence

from mockserver.dialects.dialect import Difference, Grammar
from mockserver.dialects.facts import repaired, texts_in
from mockserver.dialects.openai_responses.grammar import violations
from mockserver.dialects.openai_responses.parsed_turn import ENDS, ParsedTurn, parse_turn
from mockserver.dialects.openai_responses.resplit import joined, split, without_deltas
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
from mockserver.wire.schedule import Schedule

_REASONS = {
    "max_output_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}
#: Errors that the client finds in an answer that is complete for the server.
_OWN_VERDICTS = frozenset(
    {ErrorClass.INVALID_TOOL_ARGUMENTS, ErrorClass.PROTOCOL, ErrorClass.EMPTY_RESPONSE}
)


class ResponsesGrammar(Grammar):
    """The rules of Responses events."""

    feature = "native_responses"
    schema = "responses_event"

    def violations(
        self, events: Sequence[JsonObject], malformed: Collection[int] = ()
    ) -> Iterator[Difference]:
        """Yield what is wrong with a sequence whose events obey their schema."""
        return violations(events, malformed)

    def relayed(self, events: Sequence[Json], answer: Schedule) -> Iterator[Difference]:
        """Yield the first event that differs from the wire, or how many were not relayed."""
        wire = wire_events(answer)
        # An error without a type is an answer by itself, not a Responses event.
        objects = [e for e in wire if isinstance(e, dict) and ("type" in e or not e.get("error"))]
        ends = [n for n, event in enumerate(objects) if str(event.get("type")) in ENDS]
        least = ends[0] + 1 if ends else len(objects)
        for number, event in enumerate(events):
            if number >= len(wire) or not _same(wire[number], event):
                expected = wire[number] if number < len(wire) else None
                yield Difference(
                    f"differs from event {number + 1} on the wire", number, expected, event
                )
                return
        if len(events) < least:
            yield Difference(
                f"{least - len(events)} event(s) of the wire were not relayed",
                expected=list(wire[:least]),
                observed=list(events),
            )

    def against_turn(
        self,
        events: Sequence[JsonObject],
        turn: AssistantTurn,
        *,
        relayed: bool,
        answer: Schedule | None,
    ) -> Iterator[Difference]:
        """Yield where the native events differ from the turn."""
        if relayed and answer is not None:
            # The client relayed the beginning of the wire, which still has split surrogate
            # pairs; a whole response is not an event sequence.
            wire = wire_events(answer)
            events = [e for e in wire[: len(events)] if isinstance(e, dict)]
        parsed = parse_turn(events) if events or not relayed else None
        if not relayed:
            yield from _lost_signatures(events, turn)
            if parsed is None and _has_output(events[-1]):
                # The indexes contradict each other, but the response at the end has all items.
                parsed = parse_turn(events[-1:])
        if parsed is None:
            return
        for name, native_says, turn_says in _compared(parsed, turn, lenient=relayed):
            if native_says != turn_says:
                yield Difference(
                    f"{name} differs between the native events and the turn",
                    expected=native_says,
                    observed=turn_says,
                )

    def resplit(self, events: Sequence[JsonObject], *, relayed: bool) -> Iterator[Difference]:
        """Yield the other ways to split the deltas that change the turn."""
        parsed = parse_turn(events)
        ways = {"split": split, "joined": joined}
        if not relayed:
            ways["left out"] = without_deltas
        for how, resplit in ways.items():
            if (other := parse_turn(resplit(events))) != parsed:
                yield Difference(
                    f"the native events give another turn when their deltas are {how}",
                    expected=str(parsed),
                    observed=str(other),
                )


GRAMMAR = ResponsesGrammar()


def wire_events(schedule: Schedule) -> list[Json]:
    """Return the JSON of an event stream, up to the first event that is not an object."""
    found: list[Json] = []
    for block in schedule.plain.blocks if schedule.status < 400 else ():
        data = (block.data or "").strip()
        if block.is_keepalive:
            continue
        if data == "[DONE]" or (data and block.json is sse.NOT_JSON):
            break
        if not data or block.json is None:
            continue
        found.append(block.json)
        if not isinstance(block.json, dict):
            break
    return found


def _same(wire: Json, event: Json) -> bool:
    """Return whether they are equal, except for a missing sequence number and split surrogates."""
    if isinstance(wire, dict) and isinstance(event, dict) and "sequence_number" not in wire:
        event = {k: v for k, v in event.items() if k != "sequence_number"}
    return bool(wire == event or _plain(wire) == _plain(event))


def _plain(value: Json) -> Json:
    return json.loads(repaired(json.dumps(value, ensure_ascii=False)))


def _compared(
    parsed: ParsedTurn, turn: AssistantTurn, *, lenient: bool
) -> Iterator[tuple[str, Json, Json]]:
    texts = {"text": turn.content, "refusal": turn.refusal}
    names = {"text": "the text", "refusal": "the refusal"}
    for kind, channel in (("reasoning", "text"), ("summary", "summary")):
        thoughts = [p for p in turn.parts if isinstance(p, ReasoningPart) and p.channel == channel]
        texts[kind] = "".join(p.text for p in thoughts)
        names[kind] = f"the {channel} of the reasoning"
    for kind, seen in texts.items():
        sent = parsed.texts[kind]
        if not parsed.ended:
            # Half a character at an early end may be shown or not.
            sent, seen = sent.removesuffix("\ufffd"), seen.removesuffix("\ufffd")
        yield names[kind], sent, seen
    refused = turn.error is not None and turn.error.error_class in _OWN_VERDICTS
    if not lenient or (parsed.ended and not refused):
        yield "the status", str(parsed.status), str(turn.status)
    if str(parsed.reason) in _REASONS and not refused:
        yield "the finish reason", str(_REASONS[str(parsed.reason)]), str(turn.finish_reason)
    if not lenient and turn.error is not None:
        yield "the error", parsed.error, turn.error.message
    yield from _compared_usage(parsed.usage, {} if turn.usage is None else to_json(turn.usage))
    if lenient and turn.status is Status.FAILED:
        return
    yield "the number of tool calls", len(parsed.calls), len(turn.tool_calls)
    # The text of a custom tool is not JSON; a client may convert it in any way.
    pairs = [p for p in zip(parsed.calls, turn.tool_calls, strict=False) if not p[0].custom]
    for call, part in pairs:
        call_id = part.id if lenient and part.id_synthesized else call.call_id
        yield (
            "a tool call",
            (call_id, call.name, _value(call.arguments)),
            (part.id, part.name, _value(part.arguments_raw)),
        )


def _has_output(event: JsonObject) -> bool:
    response = event.get("response")
    return (
        str(event.get("type")) in ENDS
        and isinstance(response, Mapping)
        and bool(response.get("output"))
    )


def _lost_signatures(events: Sequence[JsonObject], turn: AssistantTurn) -> Iterator[Difference]:
    """Yield what must go back with the reasoning of the turn and is nowhere in the events."""
    texts = frozenset(texts_in(events))
    for part in turn.parts:
        if not isinstance(part, ReasoningPart):
            continue
        for name in ("signature", "encrypted_content", "redacted_data"):
            value = getattr(part, name)
            if value and value not in texts:
                message = f"{name} of the reasoning is missing in the native events"
                yield Difference(message, expected=value)


def _compared_usage(
    sent: dict[str, int | None], seen: JsonObject
) -> Iterator[tuple[str, Json, Json]]:
    for name, value in sent.items():
        # The API sends 0 where it does not know the count.
        if value or (value is not None and name in seen):
            yield name, value, seen.get(name)


def _value(arguments: str) -> Json:
    """Return the value of arguments, or their text where they are not JSON."""
    try:
        return json.loads(arguments.strip() or "null") or {}
    except (ValueError, RecursionError):
        return arguments
