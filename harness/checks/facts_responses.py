"""What a Responses wire says, streamed or not; of api.openai.com, Codex and look-alikes.

The provider's word for why it stopped is the reason of an incomplete response, else its status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from harness.checks.facts_model import Facts
from harness.checks.native_story import ENDS, story_of
from harness.model import Json, JsonObject, Status
from mockserver import sse
from mockserver.schedule import Media, Schedule


def read(schedule: Schedule) -> Facts:
    """Read the facts of one answer, whose body has no content coding."""
    facts = Facts()
    if schedule.media is Media.SSE:
        events = _streamed(schedule.body, facts)
    else:
        events = _document(schedule.body, facts)
    story = story_of(events)
    if story is None:
        facts.text = facts.refusal = facts.calls = None
    else:
        facts.text, facts.refusal = story.texts["text"], story.texts["refusal"]
        facts.calls = len(story.calls)
    # How it ended is plain even where it is not what belongs together before.
    end = story_of(events[-1:]) if story is None else story
    if end is not None:
        facts.usage = end.usage
        if end.ended and end.status is Status.FAILED:
            facts.error = True
        elif end.ended:
            facts.terminal = end.reason or str(end.status)
    facts.opened = any("output_index" in event for event in events) or bool(facts.calls)
    return facts


def _streamed(body: bytes, facts: Facts) -> list[JsonObject]:
    """The events up to the one that decides the outcome."""
    events: list[JsonObject] = []
    decoder = sse.Decoder()
    for block in decoder.feed(body):
        if any(line.startswith(("error", "{")) for line in block.ignored):
            # Not standard: an error field, or JSON that stands bare in the stream.
            facts.error = True
            return events
        data = (block.data or "").strip()
        if data == "[DONE]":
            facts.done = True
            return events
        try:
            event = json.loads(data) if data else None
        except ValueError:
            facts.broken = True
            return events
        if event is None:
            continue
        if not isinstance(event, dict):
            facts.broken = True
            return events
        if block.event == "error" or _is_error(event):
            facts.error = True
            return events
        events.append(event)
        if event.get("type") in ENDS:
            return events
    last = decoder.close()
    # An unfinished block counts only as the end marker; its JSON may be cut.
    facts.done = last is not None and (last.data or "").strip() == "[DONE]"
    return events


def _document(body: bytes, facts: Facts) -> list[JsonObject]:
    """A whole response as the one event that ends a stream."""
    if not body.strip():
        return []
    try:
        response = json.loads(body)
    except ValueError:
        facts.broken = True
        return []
    if not isinstance(response, dict) or "output" not in response:
        facts.error = True
        return []
    return [{"type": f"response.{response.get('status')}", "response": response}]


def _is_error(event: Mapping[str, Json]) -> bool:
    kind = event.get("type")
    return kind == "error" or (not kind and bool(event.get("error") or event.get("detail")))
