"""The output items of a Responses answer: what each has emitted, and in which order. Pure.

An item is identified by its ``output_index``, since some servers give it another id in every event
(GitHub Copilot); by its id where the index is missing. The same content comes up to four
times: as deltas, as a whole part, as a whole item, and in the terminal event. Each time only
what is new is emitted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates
from harness.adapters.responses.calls import Call, Calls, remainder, text_of
from harness.adapters.responses.texts import Channel, Text, Texts, renumber_all, renumber_one
from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    Event,
    HostedToolEvent,
    Image,
    Json,
    ReasoningDelta,
    ReasoningOmitted,
    ReasoningSignature,
    RefusalDelta,
)


class Kind(StrEnum):
    """How an item is read."""

    MESSAGE = "message"
    REASONING = "reasoning"
    CALL = "call"
    HOSTED = "hosted"
    UNKNOWN = "unknown"


_ITEM_OF = {
    Channel.TEXT: "message",
    Channel.REFUSAL: "message",
    Channel.REASONING: "reasoning",
    Channel.SUMMARY: "reasoning",
}
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
# Tools that the provider runs; those that a client must run are not offered by our requests.
_HOSTED = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_call",
        "mcp_list_tools",
        "shell_call",
    }
)


@dataclass(slots=True)
class _Item:
    """One output item. ``data`` is the first form in which the provider sent it.

    ``announced`` is false while only events about it came, but not the item itself.
    ``phase`` is that of a message; the final form may still add it if nothing was emitted
    before. ``emitted``: some event was emitted for it. ``signed`` is the encrypted content
    emitted so far, for the reasoning part ``number``.
    """

    kind: Kind
    index: int
    data: Mapping[str, Json]
    phase: str | None = None
    announced: bool = True
    done: bool = False
    emitted: bool = False
    signed: str = ""
    number: int | None = None
    texts: Texts = field(default_factory=dict)
    call: Call | None = None

    @property
    def id(self) -> str:
        return text_of(self.data.get("id"))


class Items:
    """All items of one turn. ``taken_ids`` are tool call ids of earlier turns."""

    def __init__(self, taken_ids: Collection[str] = ()) -> None:
        self.calls = Calls(taken_ids)
        self._items: list[_Item] = []
        self._by_index: dict[int, _Item] = {}
        self._numbers: dict[type[Event], int] = {}
        self._delta_types: dict[Channel, str] = {}

    def __bool__(self) -> bool:
        return any(item.emitted for item in self._items)

    def added(self, event: Mapping[str, Json]) -> Iterator[Event]:
        """Take ``output_item.added``.

        It opens another item even if the index is in use, except by an item that is known only
        from its deltas: some servers send these first.
        """
        data = event.get("item")
        if not isinstance(data, Mapping):
            return
        index = _index(event)
        item = self._unannounced(data, index)
        if item is None:
            item = self._open(data, index)
        else:
            item.announced, item.data = True, data
            item.phase = text_of(data.get("phase")) or None
            if item.call:
                item.call.fill_from(data)
        yield from self._emit_call(item)

    def piece(
        self, event: Mapping[str, Json], channel: Channel, part: int, delta: Json
    ) -> Iterator[Event]:
        """Take a delta of a text.

        Of servers that send each delta in two types of events, only the first type is read.
        """
        if not isinstance(delta, str) or not delta:
            return
        event_type = text_of(event.get("type"))
        if self._delta_types.setdefault(channel, event_type) == event_type:
            item = self._find(event, _ITEM_OF[channel])
            yield from self._text(item, channel, part, delta)

    def part_piece(self, event: Mapping[str, Json], number: int, delta: Json) -> Iterator[Event]:
        """Take a delta of a part: its text alone, or an object like the part."""
        data = {"text": delta} if isinstance(delta, str) else delta
        index = _index(event)
        item = None if index is None else self._by_index.get(index)
        thinks = item is not None and item.kind is Kind.REASONING
        usual = Channel.REASONING if thinks else Channel.TEXT
        if isinstance(data, Mapping) and (channel := _channel(data, usual)):
            yield from self.piece(event, channel, number, _text_in(data, channel))

    def whole(
        self, event: Mapping[str, Json], channel: Channel, part: int, text: Json
    ) -> Iterator[Event]:
        """Take the provider's complete text."""
        if isinstance(text, str) and text:
            item = self._find(event, _ITEM_OF[channel])
            renumber_one(item.texts, channel, part, text)
            yield from self._whole(item, channel, part, text)

    def part(self, event: Mapping[str, Json], number: int, data: Json) -> Iterator[Event]:
        """Take a complete part, with its citations."""
        if isinstance(data, Mapping) and (channel := _channel(data)):
            item = self._find(event, _ITEM_OF[channel])
            renumber_one(item.texts, channel, number, _text_in(data, channel))
            yield from self._part(item, channel, number, data)

    def annotation(self, event: Mapping[str, Json], part: int, data: Json) -> Iterator[Event]:
        """Take one citation of a text."""
        yield from self._cite(self._find(event, "message"), part, data)

    def arguments(
        self, event: Mapping[str, Json], item_type: str, *, delta: Json = None, whole: Json = None
    ) -> Iterator[Event]:
        """Take a piece of a call's text, or its complete text."""
        item = self._find(event, item_type)
        if item.call and not item.done:
            item.call.name = item.call.name or text_of(event.get("name"))
            if isinstance(delta, str):
                item.call.take(delta)
            item.call.take_complete(whole)
            yield from self._emit_call(item)

    def finished(self, event: Mapping[str, Json]) -> Iterator[Event]:
        """Take ``output_item.done``."""
        data = event.get("item")
        if not isinstance(data, Mapping):
            return
        index = _index(event)
        item = self._by_id(data) if index is None else self._by_index.get(index)
        if item is None or item.kind is not _kind(data) or (item.done and _differ(item.data, data)):
            item = self._open(data, index)
        if not item.done:
            yield from self._finish(item, data, incomplete=data.get("status") == "incomplete")

    def settle(self, output: Json, *, incomplete: bool) -> Iterator[Event]:
        """End what is still open, in the order of the output, and take what was never streamed.

        ``output`` is that of the terminal event: ``null``, empty or filled. Its items are
        matched by kind, in order: ids may change, and positions shift when items are left out.
        ``incomplete``: the provider stopped the model.
        """
        outputs = [d for d in output if isinstance(d, Mapping)] if isinstance(output, list) else []
        for item in sorted(self._items, key=lambda item: item.index):
            at = next((i for i, data in enumerate(outputs) if _kind(data) is item.kind), None)
            data = item.data if at is None else outputs.pop(at)
            if not item.done:
                yield from self._finish(item, data, incomplete=incomplete)
        for data in outputs:
            yield from self._finish(self._open(data, None), data, incomplete=incomplete)

    def _open(self, data: Mapping[str, Json], index: int | None) -> _Item:
        if index is None:
            index = max(self._by_index, default=-1) + 1
        item = _Item(_kind(data), index, data, text_of(data.get("phase")) or None)
        if item.kind is Kind.CALL:
            item.call = Call(custom=data.get("type") == "custom_tool_call")
            item.call.fill_from(data)
        self._items.append(item)
        self._by_index[index] = item
        return item

    def _find(self, event: Mapping[str, Json], item_type: str) -> _Item:
        """Find the item that an event is about; open it if the provider did not announce it."""
        kind = _kind({"type": item_type})
        index = _index(event)
        item = None if index is None else self._by_index.get(index)
        if item is None and index is None:
            item = self._by_id({"id": event.get("item_id")})
        if item is None or item.kind is not kind:
            same = (
                i
                for i in reversed(self._items)
                # Of items that are not announced, an id is all that tells them apart.
                if i.kind is kind
                and not i.done
                and (i.announced or not (i.id and event.get("item_id")))
            )
            item = next(same, None) if item or index is None else None
        if item is None:
            item = self._open({"type": item_type, "id": event.get("item_id")}, index)
            item.announced = False
        return item

    def _unannounced(self, data: Mapping[str, Json], index: int | None) -> _Item | None:
        """Find the item whose deltas came before the item itself."""
        found = [i for i in self._items if not (i.announced or i.done) and i.kind is _kind(data)]
        if index is not None:
            return next((i for i in found if i.index == index), None)
        same = (i for i in found if i.id == data.get("id"))
        return next(same, found[0] if found else None)

    def _by_id(self, data: Mapping[str, Json]) -> _Item | None:
        item_id = text_of(data.get("id"))
        return next((i for i in self._items if item_id and i.id == item_id), None)

    def _mark_emitted(self, item: _Item) -> Iterator[Event]:
        """Mark the item; emit earlier reasoning without text first, so that parts keep order."""
        if item.emitted:
            return
        item.emitted = True
        for earlier in self._items:
            if earlier.index < item.index and not (earlier.emitted or earlier.done):
                yield from self._sign(earlier, earlier.data)

    def _number(self, kind: type[Event]) -> int:
        self._numbers[kind] = self._numbers.get(kind, -1) + 1
        return self._numbers[kind]

    def _text_state(self, item: _Item, channel: Channel, part: int) -> Text:
        if (channel, part) not in item.texts:
            kind: type[Event]
            match channel:
                case Channel.TEXT:
                    kind = ContentDelta
                case Channel.REFUSAL:
                    kind = RefusalDelta
                case _:
                    kind = ReasoningDelta
            item.texts[channel, part] = Text(self._number(kind), item.phase)
        return item.texts[channel, part]

    def _text(self, item: _Item, channel: Channel, part: int, piece: str) -> Iterator[Event]:
        text = self._text_state(item, channel, part)
        delta = text.joiner.feed(piece)
        if not delta:
            return
        text.sent += delta
        yield from self._mark_emitted(item)
        match channel:
            case Channel.TEXT:
                yield ContentDelta(delta=delta, index=text.number, phase=text.phase)
            case Channel.REFUSAL:
                yield RefusalDelta(delta=delta, index=text.number)
            case Channel.REASONING:
                yield ReasoningDelta(delta=delta, channel="text", index=text.number)
            case Channel.SUMMARY:
                yield ReasoningDelta(delta=delta, channel="summary", index=text.number)

    def _whole(self, item: _Item, channel: Channel, part: int, whole: str) -> Iterator[Event]:
        text = self._text_state(item, channel, part)
        text.whole = True
        if rest := remainder(text.sent, fix_surrogates(whole)):
            text.joiner = SurrogateJoiner()
            yield from self._text(item, channel, part, rest)

    def _part(
        self, item: _Item, channel: Channel, number: int, data: Mapping[str, Json]
    ) -> Iterator[Event]:
        if whole := _text_in(data, channel):
            yield from self._whole(item, channel, number, whole)
        if channel is Channel.TEXT:
            for source in _list(data.get("annotations")):
                yield from self._cite(item, number, source)

    def _cite(self, item: _Item, part: int, data: Json) -> Iterator[Event]:
        if not isinstance(data, Mapping):
            return
        text = self._text_state(item, Channel.TEXT, part)
        citation = Citation(
            url=text_of(data.get("url")) or None,
            title=text_of(data.get("title")) or text_of(data.get("filename")) or None,
            start=_count(data.get("start_index")),
            end=_count(data.get("end_index")),
            index=text.number,
        )
        if citation not in text.citations:
            text.citations.append(citation)
            yield from self._mark_emitted(item)
            yield citation

    def _emit_call(self, item: _Item) -> Iterator[Event]:
        if item.call:
            yield from self._emit_all(item, self.calls.emit(item.call))

    def _emit_all(self, item: _Item, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            yield from self._mark_emitted(item)
            yield event

    def _finish(
        self, item: _Item, data: Mapping[str, Json], *, incomplete: bool
    ) -> Iterator[Event]:
        match item.kind:
            case Kind.MESSAGE:
                item.phase = item.phase or text_of(data.get("phase")) or None
                yield from self._parts(item, data.get("content"), Channel.TEXT)
                yield from self._flush(item)
            case Kind.REASONING:
                yield from self._parts(item, data.get("summary"), Channel.SUMMARY)
                yield from self._parts(item, data.get("content"), Channel.REASONING)
                yield from self._flush(item)
                yield from self._sign(item, data)
                if not item.emitted:
                    yield from self._mark_emitted(item)
                    yield ReasoningOmitted()
            case Kind.CALL:
                assert item.call is not None
                item.call.fill_from(data)
                whole = data.get("input" if item.call.custom else "arguments")
                yield from self._emit_all(
                    item, self.calls.end(item.call, whole, incomplete=incomplete)
                )
            case Kind.HOSTED:
                kind = str(data["type"]).removesuffix("_call")
                yield from self._mark_emitted(item)
                yield HostedToolEvent(kind=kind, status=text_of(data.get("status")) or None)
                if image := text_of(data.get("result")):
                    form = text_of(data.get("output_format")) or "png"
                    yield Image(url=f"data:image/{form};base64,{image}")
        item.done, item.data = True, data

    def _parts(self, item: _Item, parts: Json, usual: Channel) -> Iterator[Event]:
        """Take all parts of a complete item; some servers send plain text for one or for all."""
        listed = [parts] if isinstance(parts, str | Mapping) else _list(parts)
        read = ({"text": part} if isinstance(part, str) else part for part in listed)
        found = [
            (channel, number, data)
            for number, data in enumerate(read)
            if isinstance(data, Mapping) and (channel := _channel(data, usual))
        ]
        for one in dict.fromkeys(channel for channel, _, _ in found):
            wholes = {n: fix_surrogates(_text_in(d, c)) for c, n, d in found if c is one}
            renumber_all(item.texts, one, wholes)
        for channel, number, data in found:
            yield from self._part(item, channel, number, data)

    def _flush(self, item: _Item) -> Iterator[Event]:
        for (channel, part), text in item.texts.items():
            yield from self._text(item, channel, part, text.joiner.close())

    def _sign(self, item: _Item, data: Mapping[str, Json]) -> Iterator[Event]:
        """Emit the encrypted content; that of ``output_item.done`` replaces it."""
        encrypted = text_of(data.get("encrypted_content")) or text_of(
            item.data.get("encrypted_content")
        )
        if item.kind is not Kind.REASONING or encrypted in ("", item.signed):
            return
        if item.number is None:
            numbers = [text.number for text in item.texts.values()]
            item.number = max(numbers) if numbers else self._number(ReasoningDelta)
        item.signed = encrypted
        yield from self._mark_emitted(item)
        yield ReasoningSignature(encrypted_content=encrypted, index=item.number)


def _kind(data: Mapping[str, Json]) -> Kind:
    name = text_of(data.get("type"))
    if name in _CALLS:
        return Kind.CALL
    if name in _HOSTED:
        return Kind.HOSTED
    return Kind(name) if name in (Kind.MESSAGE, Kind.REASONING) else Kind.UNKNOWN


def _differ(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Return whether two items at one index differ; item ids may change, a call's id does not."""
    key = "call_id" if "call_id" in one else "id"
    return one.get(key) != other.get(key)


def _channel(data: Mapping[str, Json], usual: Channel | None = None) -> Channel | None:
    name = data.get("type")
    if name in tuple(Channel):
        return Channel(name)
    return usual if name in (None, "text") else None


def _text_in(part: Mapping[str, Json], channel: Channel) -> str:
    text = part.get("refusal" if channel is Channel.REFUSAL else "text")
    return text if isinstance(text, str) else ""


def _index(event: Mapping[str, Json]) -> int | None:
    return _count(event.get("output_index"))


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
