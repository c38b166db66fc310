"""The grammar of a Responses stream: which event may follow which, and what must agree.

From the documents (https://platform.openai.com/docs/api-reference/responses-streaming)
and from what readers of such streams rely on. Pure, and independent of clients.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from mockserver.dialects.dialect import Difference
from mockserver.vocabulary.model import Json, JsonObject

TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
#: Beginnings of the names of events about a part of an item.
_PART_EVENTS = ("response.content_part.", "response.reasoning_summary_part.")
_TEXTS = {
    "response.output_text": ("output_text", "text", "content_index"),
    "response.refusal": ("refusal", "refusal", "content_index"),
    "response.reasoning_text": ("reasoning_text", "text", "content_index"),
    "response.reasoning_summary_text": ("summary_text", "text", "summary_index"),
}


def violations(
    events: Sequence[JsonObject], malformed: Collection[int] = ()
) -> Iterator[Difference]:
    """Yield every broken rule of a sequence.

    ``malformed`` are the numbers of events that violate their schema. What cannot be read of
    these, and of events that build on them, is left out.
    """
    stream = _Stream()
    for at, event in enumerate(events):
        try:
            wrong = list(stream.take(at, event))
        except (LookupError, TypeError, ValueError, AttributeError):
            if not any(number <= at for number in malformed):
                raise
            continue
        for message, expected, observed in wrong:
            yield Difference(f"{event['type']}: {message}", at, expected, observed)
    if not stream.ended:
        yield Difference(
            "the sequence has no terminal event",
            len(events),
            sorted(TERMINAL),
            [e.get("type") for e in events],
        )


_Wrong = tuple[str, Json, Json]


@dataclass(slots=True)
class _PartState:
    type: str
    pieces: list[str] = field(default_factory=list)
    annotations: list[Json] = field(default_factory=list)
    text_done: bool = False
    done: JsonObject | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class _ItemState:
    added: JsonObject
    parts: dict[tuple[str, int], _PartState] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    arguments_done: bool = False
    done: JsonObject | None = None

    def finished(self, index_key: str) -> list[JsonObject | None]:
        """Return the done parts under one kind of index, in its order."""
        return [p.done for (key, _), p in sorted(self.parts.items()) if key == index_key]


class _Stream:
    def __init__(self) -> None:
        self.ended = False
        self.items: list[_ItemState] = []
        self.response_id: str | None = None

    def take(self, at: int, event: JsonObject) -> Iterator[_Wrong]:
        kind: str = event["type"]
        if event["sequence_number"] != at:
            yield "sequence_number does not increase by one", at, event["sequence_number"]
        if self.ended:
            yield "comes after the terminal event", None, kind
        if (at == 0) is not (kind == "response.created"):
            yield "response.created must be the first event and no other", None, at
        if "response" in event:
            yield from self._response(event["response"])
        if kind in TERMINAL:
            self.ended = True
            yield from self._end(event["response"])
        elif kind == "response.output_item.added":
            yield from self._added(event)
        elif "output_index" in event:
            yield from self._of_item(kind, event)

    def _response(self, response: JsonObject) -> Iterator[_Wrong]:
        self.response_id = self.response_id or response["id"]
        if response["id"] != self.response_id:
            yield "the response changed its id", self.response_id, response["id"]

    def _added(self, event: JsonObject) -> Iterator[_Wrong]:
        item = event["item"]
        if event["output_index"] != len(self.items):
            yield "not the next output_index", len(self.items), event["output_index"]
        if any(other.added.get("id") == item.get("id") for other in self.items):
            yield "two items have the same id", None, item.get("id")
        if item.get("status", "in_progress") != "in_progress":
            yield "a new item must be in_progress", "in_progress", item["status"]
        self.items.append(_ItemState(item))

    def _of_item(self, kind: str, event: JsonObject) -> Iterator[_Wrong]:
        index = event["output_index"]
        if index >= len(self.items):
            yield "no item has this output_index yet", None, index
            return
        item = self.items[index]
        if item.done is not None:
            yield "its item is already done", None, index
        item_id = item.added.get("id")
        if event.get("item_id", item_id) != item_id:
            yield "item_id belongs to another item", item_id, event["item_id"]
        prefix, _, step = kind.rpartition(".")
        if kind == "response.output_item.done":
            yield from self._item_done(item, event["item"])
        elif kind.startswith(_PART_EVENTS):
            yield from self._part_event(item, step, event)
        elif kind == "response.output_text.annotation.added":
            yield from self._annotation(item, event)
        elif prefix in _TEXTS:
            yield from self._text(item, prefix, step, event)
        elif prefix == "response.function_call_arguments":
            yield from self._arguments(item, step, event)

    def _part_event(self, item: _ItemState, step: str, event: JsonObject) -> Iterator[_Wrong]:
        key = "summary_index" if "summary_index" in event else "content_index"
        part_key = (key, event[key])
        if step == "added":
            following = sum(k == key for k, _ in item.parts)
            if event[key] != following:
                yield f"not the next {key}", following, event[key]
            item.parts[part_key] = _PartState(event["part"]["type"])
            return
        part = item.parts.get(part_key)
        if part is None or part.done is not None:
            yield "no open part has this index", None, event[key]
            return
        if not part.text_done:
            yield "its text has no done event", None, event["part"]
        part.done = event["part"]
        if event["part"] != {**event["part"], **_expected_part(part)}:
            yield "the part differs from its earlier events", _expected_part(part), event["part"]

    def _text(
        self, item: _ItemState, prefix: str, step: str, event: JsonObject
    ) -> Iterator[_Wrong]:
        part_type, text_key, key = _TEXTS[prefix]
        part = item.parts.get((key, event[key]))
        if part is None or part.type != part_type or part.text_done:
            yield f"no open {part_type} part has this {key}", None, event[key]
        elif step == "delta":
            part.pieces.append(event["delta"])
        else:
            part.text_done = True
            if event[text_key] != part.text:
                yield "the text differs from its joined deltas", part.text, event[text_key]

    def _annotation(self, item: _ItemState, event: JsonObject) -> Iterator[_Wrong]:
        part = item.parts.get(("content_index", event["content_index"]))
        if part is None or part.text_done:
            yield "no open part has this index", None, event["content_index"]
        elif event["annotation_index"] != len(part.annotations):
            wanted = len(part.annotations)
            yield "not the next annotation_index", wanted, event["annotation_index"]
        else:
            part.annotations.append(event.get("annotation"))

    def _arguments(self, item: _ItemState, step: str, event: JsonObject) -> Iterator[_Wrong]:
        if item.added["type"] != "function_call" or item.arguments_done:
            yield "no call with open arguments", None, item.added["type"]
        elif step == "delta":
            item.arguments.append(event["delta"])
        else:
            item.arguments_done = True
            if event["arguments"] != "".join(item.arguments):
                yield (
                    "the arguments differ from their joined deltas",
                    "".join(item.arguments),
                    event["arguments"],
                )

    def _item_done(self, item: _ItemState, done: JsonObject) -> Iterator[_Wrong]:
        item.done = done
        for key in ("id", "type", "call_id", "name", "role"):
            if done.get(key) != item.added.get(key):
                yield f"the item changed its {key}", item.added.get(key), done.get(key)
        if done.get("status", "completed") == "in_progress":
            yield "a done item must not be in_progress", "completed", "in_progress"
        if any(p.done is None for p in item.parts.values()):
            yield "one of its parts is not done", None, done
            return
        for key, name in (("content_index", "content"), ("summary_index", "summary")):
            if done.get(name, []) != item.finished(key):
                yield f"{name} differs from its earlier events", item.finished(key), done.get(name)
        match done["type"]:
            case "function_call":
                yield from self._call_done(item, done)
            case "reasoning" if not (item.parts or done.get("encrypted_content")):
                yield "a reasoning item is empty", None, done

    def _call_done(self, item: _ItemState, done: JsonObject) -> Iterator[_Wrong]:
        if done["arguments"] != "".join(item.arguments):
            yield (
                "the arguments differ from their joined deltas",
                "".join(item.arguments),
                done["arguments"],
            )
        if done.get("status") == "incomplete":
            return
        if not item.arguments_done:
            yield "the arguments of a completed call have no done event", None, done
        if not isinstance(_parsed(done["arguments"]), dict):
            yield "the arguments of a completed call are not a JSON object", None, done["arguments"]

    def _end(self, response: JsonObject) -> Iterator[_Wrong]:
        wanted = [item.done for item in self.items]
        for index, done in enumerate(wanted):
            if done is None:
                yield "an item was added but never done", None, self.items[index].added
        if None not in wanted and response["output"] != wanted:
            yield "output differs from the done items in their order", wanted, response["output"]


def _expected_part(part: _PartState) -> JsonObject:
    form: JsonObject = {"type": part.type}
    form["refusal" if part.type == "refusal" else "text"] = part.text
    return form | ({"annotations": part.annotations} if part.type == "output_text" else {})


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None
