"""Reads the facts of a Responses wire, streamed or not, of OpenAI, Codex and look-alikes.

The provider's word for why it stopped is the reason of an incomplete response, else its status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mockserver.dialects.arguments import is_one_object, readings
from mockserver.dialects.facts import CallFacts, Facts, is_unusual, unread
from mockserver.dialects.failures import failure_of, read_failure
from mockserver.dialects.openai_responses.parsed_turn import (
    ENDS,
    ParsedCall,
    ParsedTurn,
    parse_turn,
)
from mockserver.vocabulary.model import Json, JsonObject, Status
from mockserver.wire.body import Body, Media
from mockserver.wire.schedule import Schedule


def read(body: Body) -> Facts:
    """Read the facts of one answer."""
    facts = Facts()
    return _facts_of(_events(body, facts), facts)


def read_job(answers: Sequence[Schedule]) -> Facts:
    """Read the facts of all answers about a background job together.

    These are a stream and its resumptions, known by the sequence numbers of their events, and
    the whole responses that polls and a cancellation give. What a later answer repeats counts
    once; the end of the last answer is the end of the turn.
    """
    events: list[JsonObject] = []
    facts = Facts()
    for answer in answers:
        facts = Facts(error=failure_of(answer) if answer.status >= 400 else None)
        facts.may_fail = is_unusual(answer)
        highest = max((_sequence_number(e, -1) for e in events), default=-1)
        for event in () if facts.error else _events(answer.plain, facts):
            if _is_another_job(events, event):
                events, highest = [], -1
            if _sequence_number(event, highest + 1) > highest:
                events.append(event)
    return _facts_of(events, facts)


def _facts_of(events: Sequence[JsonObject], before: Facts) -> Facts:
    """Return the facts of events; ``before`` has what was seen beside them."""
    parsed = parse_turn(events)
    facts = unread(before.error) if parsed is None else _content_of(parsed)
    # The end is clear even where the events before it are ambiguous.
    end = parse_turn(events[-1:]) if parsed is None else parsed
    facts.error, facts.done, facts.broken = before.error, before.done, before.broken
    if end is not None:
        facts.usage = end.usage
        if end.ended and end.status is Status.FAILED:
            facts.error = facts.error or read_failure(end.failure)
        elif end.ended:
            facts.terminal = end.reason or str(end.status)
            facts.may_fail = end.strange
    facts.may_fail |= before.may_fail or _is_questionable(facts)
    return facts


def _content_of(parsed: ParsedTurn) -> Facts:
    ids = [call.call_id for call in parsed.calls]
    reasoning = [parsed.texts[name] for name in ("summary", "reasoning") if parsed.texts[name]]
    return Facts(
        text=parsed.texts["text"],
        refusal=parsed.texts["refusal"],
        # A client may show the summary, the text, or both in some order.
        reasoning=None if len(reasoning) > 1 else "".join(reasoning),
        calls=tuple(
            _call(call, ids, complete=parsed.status is Status.COMPLETED) for call in parsed.calls
        ),
        signatures=parsed.signatures,
        citations=parsed.citations,
        images=parsed.images,
        response_id=parsed.response_id,
        model=parsed.model,
    )


def _call(call: ParsedCall, ids: Sequence[str | None], *, complete: bool) -> CallFacts:
    plain = not call.custom and is_one_object(call.arguments)
    return CallFacts(
        name=call.name,
        id=call.call_id if ids.count(call.call_id) == 1 else None,
        # How the free text of a custom tool becomes an object is up to the client.
        arguments=None if call.custom else readings([call.arguments], complete=complete),
        raw=call.arguments if plain else None,
    )


def _is_questionable(facts: Facts) -> bool:
    """Return whether a careful client may fail the turn, whatever its status is."""
    return (
        facts.terminal != "completed"
        or facts.calls is None
        or not (facts.text or facts.refusal or facts.calls or facts.images)
        or any(c.name is None or c.raw is None for c in facts.calls)
    )


def _events(body: Body, facts: Facts) -> list[JsonObject]:
    return _streamed(body, facts) if body.media is Media.SSE else _document(body.data, facts)


def _is_another_job(events: Sequence[JsonObject], event: JsonObject) -> bool:
    """Return whether the client started another job because the first one failed."""
    old, new = (_response_id(e) for e in (events[0] if events else {}, event))
    return old is not None and new is not None and old != new


def _response_id(event: JsonObject) -> Json:
    response = event.get("response")
    return response.get("id") if isinstance(response, Mapping) else None


def _sequence_number(event: JsonObject, default: int) -> int:
    number = event.get("sequence_number")
    return number if isinstance(number, int) else default


def _streamed(body: Body, facts: Facts) -> list[JsonObject]:
    """Return the events up to the one that decides the outcome."""
    events: list[JsonObject] = []
    for block in body.blocks:
        for line in block.ignored:
            if line.startswith(("error", "{")):
                # Not standard: an error field, or JSON without a field name.
                facts.error = read_failure(_json_or_text(line.removeprefix("error:").strip()))
                return events
        data = (block.data or "").strip()
        if data == "[DONE]":
            facts.done = True
            return events
        if not data or block.is_keepalive:
            continue
        event = block.json
        if event is None:
            continue
        # Data that is not JSON is not an object either.
        if not isinstance(event, dict):
            facts.broken = True
            return events
        if block.event == "error" or _is_error(event):
            facts.error = read_failure(event)
            return events
        events.append(event)
        if str(event.get("type")) in ENDS:
            return events
    last = body.unfinished
    # An unfinished block counts only as the end marker; its JSON may be cut.
    facts.done = last is not None and (last.data or "").strip() == "[DONE]"
    return events


def _document(body: bytes, facts: Facts) -> list[JsonObject]:
    """Return a whole response as a stream: its id, one event for each item, and the end.

    A response that is still in progress has no output yet. One that has some output, but no
    status, is complete unless it says why it is not.
    """
    if not body.strip():
        return []
    try:
        response = json.loads(body)
    except (ValueError, RecursionError):
        facts.broken = True
        return []
    if not isinstance(response, dict) or "output" not in response:
        facts.error = read_failure(response)
        return []
    status = response.get("status")
    if status is None and response.get("incomplete_details"):
        status = "incomplete"
    elif status is None and (response["output"] or response.get("error")):
        status = "completed"
    end = {"type": f"response.{status}", "response": response}
    output = response["output"] if end["type"] in ENDS else None
    return [
        {"type": "response.created", "response": {k: response.get(k) for k in ("id", "model")}},
        *(
            {"type": "response.output_item.done", "output_index": index, "item": item}
            for index, item in enumerate(output if isinstance(output, list) else ())
            if isinstance(item, dict)
        ),
        end,
    ]


def _json_or_text(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_error(event: Mapping[str, Json]) -> bool:
    kind = event.get("type")
    return kind == "error" or (not kind and bool(event.get("error") or event.get("detail")))
