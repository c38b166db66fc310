"""Reads the facts of a Responses wire, streamed or not, of OpenAI, Codex and look-alikes.

The provider's word for why it stopped is the reason of an incomplete response, else its status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mockserver.dialects.facts import Facts
from mockserver.dialects.openai_responses.parsed_turn import ENDS, parse_turn
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
        facts = Facts(error=answer.status >= 400)
        highest = max((_sequence_number(e, -1) for e in events), default=-1)
        for event in () if facts.error else _events(answer.plain, facts):
            if _is_another_job(events, event):
                events, highest = [], -1
            if _sequence_number(event, highest + 1) > highest:
                events.append(event)
    return _facts_of(events, facts)


def _facts_of(events: Sequence[JsonObject], facts: Facts) -> Facts:
    parsed = parse_turn(events)
    if parsed is None:
        facts.text = facts.refusal = facts.calls = None
    else:
        facts.text, facts.refusal = parsed.texts["text"], parsed.texts["refusal"]
        facts.calls = len(parsed.calls)
    # The end is clear even where the events before it are ambiguous.
    end = parse_turn(events[-1:]) if parsed is None else parsed
    if end is not None:
        facts.usage = end.usage
        if end.ended and end.status is Status.FAILED:
            facts.error = True
        elif end.ended:
            facts.terminal = end.reason or str(end.status)
    return facts


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
        if any(line.startswith(("error", "{")) for line in block.ignored):
            # Not standard: an error field, or JSON without a field name.
            facts.error = True
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
            facts.error = True
            return events
        events.append(event)
        if str(event.get("type")) in ENDS:
            return events
    last = body.unfinished
    # An unfinished block counts only as the end marker; its JSON may be cut.
    facts.done = last is not None and (last.data or "").strip() == "[DONE]"
    return events


def _document(body: bytes, facts: Facts) -> list[JsonObject]:
    """Return a whole response as the last events of a stream: one for each item, and the end.

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
        facts.error = True
        return []
    status = response.get("status")
    if status is None and response.get("incomplete_details"):
        status = "incomplete"
    elif status is None and (response["output"] or response.get("error")):
        status = "completed"
    end = {"type": f"response.{status}", "response": response}
    output = response["output"] if end["type"] in ENDS else None
    return [
        *(
            {"type": "response.output_item.done", "output_index": index, "item": item}
            for index, item in enumerate(output if isinstance(output, list) else ())
            if isinstance(item, dict)
        ),
        end,
    ]


def _is_error(event: Mapping[str, Json]) -> bool:
    kind = event.get("type")
    return kind == "error" or (not kind and bool(event.get("error") or event.get("detail")))
