"""What a Responses wire says, streamed or not; of api.openai.com, Codex and look-alikes.

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
    """Read what all answers about a background job say together.

    These are a stream and its resumptions, known by the sequence numbers of their events, and
    the whole responses that polls and a cancellation give. What a later answer repeats counts
    once; how the last one came to its end is how the turn did.
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
    # How it ended is plain even where it is not what belongs together before.
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
    """Whether the client had to ask anew, for nothing came of the job before."""
    old, new = (_response_id(e) for e in (events[0] if events else {}, event))
    return old is not None and new is not None and old != new


def _response_id(event: JsonObject) -> Json:
    response = event.get("response")
    return response.get("id") if isinstance(response, Mapping) else None


def _sequence_number(event: JsonObject, default: int) -> int:
    number = event.get("sequence_number")
    return number if isinstance(number, int) else default


def _streamed(body: Body, facts: Facts) -> list[JsonObject]:
    """The events up to the one that decides the outcome."""
    events: list[JsonObject] = []
    for block in body.blocks:
        if any(line.startswith(("error", "{")) for line in block.ignored):
            # Not standard: an error field, or JSON that stands bare in the stream.
            facts.error = True
            return events
        data = (block.data or "").strip()
        if data == "[DONE]":
            facts.done = True
            return events
        if not data:
            continue
        event = block.json
        if event is None:
            continue
        # Data that is no JSON is no object either.
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
    """A whole response as the events that end a stream: one for each item, and the end.

    A response that is still in work has nothing that must be handed out.
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
    end = {"type": f"response.{response.get('status')}", "response": response}
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
