"""Parses the turn of a Responses event sequence, independently of any adapter. Pure.

Reads valid sequences and those of real servers: whole texts without deltas, deltas
without whole texts, ids that change, an empty ``output`` at the end, ``response.done``. Where a
sequence is ambiguous the result is ``None``, and no client is judged by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mockserver.dialects.facts import counts, only, repaired
from mockserver.vocabulary.model import Citation, Json, JsonObject, Status

#: Text of an item by the event that carries it: the kind, and the field of the whole text.
_TEXT_EVENTS: Mapping[str, tuple[str, str]] = {
    "response.output_text": ("text", "text"),
    "response.refusal": ("refusal", "refusal"),
    "response.reasoning_text": ("reasoning", "text"),
    "response.reasoning_summary_text": ("summary", "text"),
}
_PARTS: Mapping[str, tuple[str, str]] = {
    "output_text": ("text", "text"),
    "refusal": ("refusal", "refusal"),
    "reasoning_text": ("reasoning", "text"),
    "summary_text": ("summary", "text"),
}
_ARGUMENTS: Mapping[str, str] = {
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
}
#: The field of an item with what must go back unchanged, or is an image.
_OPAQUE: Mapping[str, str] = {"reasoning": "encrypted_content", "image_generation_call": "result"}
_CALLS: Mapping[str, str] = {"function_call": "arguments", "custom_tool_call": "input"}
#: The events that end a sequence.
ENDS: Mapping[str, Status] = {
    "response.completed": Status.COMPLETED,
    "response.done": Status.COMPLETED,
    "response.incomplete": Status.INCOMPLETE,
    "response.failed": Status.FAILED,
    "response.cancelled": Status.FAILED,
    "error": Status.FAILED,
}
#: Statuses of a response in ``response.done``; the other ends have them in their names.
_DONE_STATUSES = {
    "incomplete": Status.INCOMPLETE,
    "failed": Status.FAILED,
    "cancelled": Status.FAILED,
}
_USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("input_tokens",),
    "output_tokens": ("output_tokens",),
    "total_tokens": ("total_tokens",),
    "cache_read_input_tokens": ("input_tokens_details", "cached_tokens"),
    "cache_creation_input_tokens": ("input_tokens_details", "cache_write_tokens"),
    "reasoning_tokens": ("output_tokens_details", "reasoning_tokens"),
}


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """A tool call; ``call_id`` and ``name`` are ``None`` where they never came."""

    call_id: str | None
    name: str | None
    arguments: str
    custom: bool


@dataclass(slots=True, kw_only=True)
class ParsedTurn:
    """A turn as a Responses sequence describes it.

    ``texts`` maps ``text``, ``refusal``, ``reasoning`` and ``summary`` to all text of that
    kind, in the order of the output. ``ended`` says that an end was sent, ``strange`` that its
    status is no known one; ``reason`` is why the
    turn is incomplete, ``error`` the message of a failure, ``failure`` all that the end says about
    it, ``usage`` the counts under our names. ``signatures`` are the encrypted contents of
    reasoning, ``images`` the Base64 data of generated images; ``None`` where two forms of an item
    differ. ``response_id`` and ``model`` are ``None`` unless the first event has them and no other
    contradicts.
    """

    ended: bool = False
    strange: bool = False
    status: Status = Status.FAILED
    reason: str | None = None
    error: str | None = None
    failure: Json = None
    usage: dict[str, int | None] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    calls: tuple[ParsedCall, ...] = ()
    citations: tuple[Citation, ...] = ()
    signatures: tuple[str, ...] | None = ()
    images: tuple[str, ...] | None = ()
    response_id: str | None = None
    model: str | None = None


def parse_turn(events: Sequence[JsonObject]) -> ParsedTurn | None:
    """Read a sequence; ``None`` if it is ambiguous."""
    reader = _TurnParser()
    try:
        for event in events:
            reader.take(event)
            if str(event.get("type")) in ENDS:
                break
        return reader.parsed()
    except _AmbiguousError:
        return None


class _AmbiguousError(Exception):
    pass


@dataclass(slots=True)
class _ParsedItem:
    """An output item. ``announced`` is its first form, ``whole`` says that a complete one came.

    ``opaque`` has the encrypted content or the image of each complete form.
    """

    type: str | None = None
    announced: Json = None
    whole: bool = False
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""
    texts: dict[tuple[str, int], str] = field(default_factory=dict)
    wholes: set[tuple[str, int]] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)

    def add_whole(self, kind: str, part: int, whole: str) -> None:
        """Take a complete text; if its number is new, an open text that it begins with is meant."""
        if not whole:
            return
        if (kind, part) not in self.texts:
            begun = (k for k in self.texts if k[0] == kind and k not in self.wholes)
            same = next(
                (k for k in begun if self.texts[k] and whole.startswith(self.texts[k])), None
            )
            if same is not None:
                self.texts[kind, part] = self.texts.pop(same)
        self.wholes.add((kind, part))
        self.texts[kind, part] = _longer(self.texts.get((kind, part), ""), whole)

    def add_all(self, kind: str, wholes: Mapping[int, str]) -> None:
        """Take the texts of the complete item, whose numbers may differ from those streamed."""
        streamed = {number: text for (k, number), text in sorted(self.texts.items()) if k == kind}
        joined = "".join(streamed.values())
        if not all(wholes.get(n, "").startswith(text) for n, text in streamed.items()):
            if "".join(wholes.values()).startswith(joined):
                streamed = {}
            elif not streamed.keys() <= wholes.keys():
                streamed = dict(zip(wholes, streamed.values(), strict=False))
        self.texts = {key: text for key, text in self.texts.items() if key[0] != kind}
        for number, text in (streamed | dict(wholes)).items():
            self.texts[kind, number] = _longer(streamed.get(number, ""), text)


class _TurnParser:
    def __init__(self) -> None:
        self.items: dict[int, _ParsedItem] = {}
        self.turn = ParsedTurn()
        self.delta_types: dict[str, str] = {}
        self.citations: list[Citation] = []
        self.ids: list[Json] = []
        self.models: list[Json] = []

    def take(self, event: JsonObject) -> None:
        kind = str(event.get("type"))
        prefix, _, step = kind.rpartition(".")
        response = event.get("response")
        known = response if isinstance(response, Mapping) else {}
        self.ids.append(_name(known.get("id")))
        self.models.append(_name(known.get("model")))
        if kind not in ENDS and counts(known.get("usage"), _USAGE):
            # Some servers count early; a client may wait for the end, which then wins.
            self.turn.usage = dict.fromkeys(_USAGE)
        if kind in ENDS:
            self.end(event, ENDS[kind])
        elif kind == "response.output_item.added":
            self.announce(self.item(event), event.get("item"))
        elif kind == "response.output_item.done":
            self.whole_item(self.item(event), event.get("item"))
        elif prefix in _TEXT_EVENTS:
            name, key = _TEXT_EVENTS[prefix]
            part = (name, _number(event, "summary_index" if name == "summary" else "content_index"))
            item = self.item(event)
            if step == "delta":
                self.delta(item, part, kind, _text(event.get("delta")))
            else:
                item.add_whole(*part, _text(event.get(key)))
        elif prefix in _ARGUMENTS:
            item = self.item(event)
            if step == "delta":
                item.arguments += _text(event.get("delta"))
            else:
                item.arguments = _complete(item.arguments, _text(event.get(_ARGUMENTS[prefix])))
        elif kind == "response.content_part.delta":
            self.part_delta(event)
        elif kind == "response.output_text.annotation.added":
            self.cite(event.get("annotation"))
        elif kind in {"response.content_part.done", "response.reasoning_summary_part.done"}:
            number = _number(event, "summary_index" if "summary" in kind else "content_index")
            self.whole_part(self.item(event), number, event.get("part"))

    def part_delta(self, event: JsonObject) -> None:
        """Take OpenRouter's delta of a part: its text alone, or an object like the part."""
        item, delta = self.item(event), event.get("delta") or event.get("part")
        name, key = "reasoning" if item.type == "reasoning" else "text", "text"
        if isinstance(delta, Mapping):
            if delta.get("type") not in (None, "text"):
                name, key = _PARTS.get(str(delta["type"]), ("", ""))
            delta = delta.get(key)
        if name and isinstance(delta, str):
            self.delta(item, (name, _number(event, "content_index")), str(event["type"]), delta)

    def delta(self, item: _ParsedItem, part: tuple[str, int], event_type: str, text: str) -> None:
        """Take a delta; if a server sends each in two types of events, the first type counts."""
        if self.delta_types.setdefault(part[0], event_type) == event_type:
            item.texts[part] = item.texts.get(part, "") + text

    def item(self, event: JsonObject) -> _ParsedItem:
        return self.items.setdefault(_number(event, "output_index"), _ParsedItem())

    def announce(self, item: _ParsedItem, data: Json) -> None:
        """Take what a new item is. What it holds already may come again in its deltas."""
        if not isinstance(data, Mapping):
            return
        kind, call_id = str(data.get("type")), data.get("call_id") or None
        if item.type not in (None, kind) or item.call_id not in (None, call_id):
            raise _AmbiguousError
        item.type, item.call_id = kind, call_id
        item.name = data.get("name") or item.name
        item.announced = item.announced or data

    def whole_item(self, item: _ParsedItem, data: Json) -> None:
        if not isinstance(data, Mapping):
            return
        self.announce(item, data)
        item.whole = True
        if item.type is not None and item.type in _CALLS:
            item.arguments = _complete(item.arguments, _text(data.get(_CALLS[item.type])))
        if (key := _OPAQUE.get(item.type or "")) and (opaque := _name(data.get(key))):
            item.opaque.add(opaque)
        for key in ("content", "summary"):
            usual = "reasoning" if item.type == "reasoning" else "text"
            usual = "summary" if key == "summary" else usual
            parts = data.get(key)
            self.cite_parts(parts)
            listed = [parts] if isinstance(parts, str | Mapping) else parts
            found = enumerate(
                _part_text(p, usual) for p in (listed if isinstance(listed, list) else ())
            )
            wholes: dict[str, dict[int, str]] = {}
            for number, (name, text) in found:
                wholes.setdefault(name, {})[number] = text
            for name, texts in wholes.items():
                if name:
                    item.add_all(name, texts)

    def whole_part(self, item: _ParsedItem, number: int, part: Json) -> None:
        kind, text = _part_text(part)
        item.add_whole(kind, number, text)
        self.cite_parts([part])

    def cite_parts(self, parts: Json) -> None:
        for part in parts if isinstance(parts, list) else ():
            sources = part.get("annotations") if isinstance(part, Mapping) else None
            for source in sources if isinstance(sources, list) else ():
                self.cite(source)

    def cite(self, source: Json) -> None:
        if not isinstance(source, Mapping):
            return
        citation = Citation(
            url=_name(source.get("url")),
            title=_name(source.get("title")) or _name(source.get("filename")),
            start=_offset(source.get("start_index")),
            end=_offset(source.get("end_index")),
        )
        if citation not in self.citations:
            self.citations.append(citation)

    def end(self, event: JsonObject, status: Status) -> None:
        turn, response = self.turn, event.get("response")
        error: Json = event.get("error") or event
        if isinstance(response, Mapping):
            error = response.get("error")
            details = response.get("incomplete_details")
            turn.reason = details.get("reason") if isinstance(details, Mapping) else None
            turn.usage = {**turn.usage, **counts(response.get("usage"), _USAGE)}
            self.output(response.get("output"))
        if isinstance(response, Mapping) and error:
            status = Status.FAILED
        elif event["type"] == "response.done" and isinstance(response, Mapping):
            word = response.get("status")
            turn.strange = word not in (None, "completed", *_DONE_STATUSES)
            status = _DONE_STATUSES.get(str(word), status)
        turn.ended, turn.status = True, status
        for item in self.items.values() if status is not Status.FAILED else ():
            if not item.whole:
                self.whole_item(item, item.announced)
        if status is Status.FAILED and isinstance(error, Mapping):
            turn.error = error.get("message")
        turn.failure = error if status is Status.FAILED else None

    def output(self, output: Json) -> None:
        found = [o for o in output if isinstance(o, Mapping)] if isinstance(output, list) else []
        if not found:
            return
        types = [data.get("type") for data in found]
        if self.items and types != [item.type for _, item in sorted(self.items.items())]:
            raise _AmbiguousError
        indexes = sorted(self.items) or range(len(found))
        for index, data in zip(indexes, found, strict=True):
            self.whole_item(self.items.setdefault(index, _ParsedItem()), data)

    def parsed(self) -> ParsedTurn:
        ordered = [item for _, item in sorted(self.items.items())]
        for kind in ("text", "refusal", "reasoning", "summary"):
            text = "".join(_of_kind(ordered, kind))
            self.turn.texts[kind] = repaired(text, unfinished=not self.turn.ended)
        self.turn.calls = tuple(
            ParsedCall(
                i.call_id,
                i.name,
                repaired(i.arguments, unfinished=not self.turn.ended),
                i.type == "custom_tool_call",
            )
            for i in ordered
            if i.type in _CALLS
        )
        self.turn.citations = tuple(self.citations)
        self.turn.signatures = _opaque(i for i in ordered if i.type == "reasoning")
        self.turn.images = _opaque(i for i in ordered if i.type == "image_generation_call")
        self.turn.response_id = only(self.ids) if self.ids and self.ids[0] else None
        self.turn.model = only(self.models) if self.models and self.models[0] else None
        return self.turn


def _opaque(items: Iterable[_ParsedItem]) -> tuple[str, ...] | None:
    found = [item.opaque for item in items if item.opaque]
    return tuple(one for each in found for one in each) if all(len(f) == 1 for f in found) else None


def _of_kind(items: Iterable[_ParsedItem], kind: str) -> Iterable[str]:
    for item in items:
        for (name, _), text in sorted(item.texts.items()):
            if name == kind:
                yield text


def _part_text(part: Json, usual: str = "") -> tuple[str, str]:
    """Return kind and text of a part; both are empty for an unknown one.

    ``usual`` is the kind of a plain text, and of a part without a type.
    """
    if isinstance(part, str) and usual:
        return usual, part
    if usual and isinstance(part, Mapping) and part.get("type") in (None, "text"):
        return usual, _text(part.get("text"))
    if not isinstance(part, Mapping) or str(part.get("type")) not in _PARTS:
        return "", ""
    kind, key = _PARTS[part["type"]]
    return kind, _text(part.get(key))


def _longer(joined: str, whole: str) -> str:
    """Return the whole text, unless it contradicts its joined pieces."""
    return whole if whole.startswith(joined) else joined


def _complete(joined: str, whole: str) -> str:
    """Return the complete arguments, also where the deltas repeated what came before."""
    return whole if _is_object(whole) and not _is_object(joined) else _longer(joined, whole)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _name(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


def _offset(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Json) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _number(event: JsonObject, key: str) -> int:
    value = event.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _AmbiguousError
    return value
