"""Where the wire cut a text must not matter: only what its pieces join to.

The events of a turn are told again with their deltas cut finer, joined to one, and, for native
events that were translated, left out; each telling must give the same turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from harness.judge.native import PASSED_ON, is_judged, native_of
from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from mockserver.dialects.openai_responses.parsed_turn import story_of
from mockserver.vocabulary.codec import to_json
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    ContentDelta,
    Event,
    JsonObject,
    ReasoningDelta,
    ReasoningSignature,
    RefusalDelta,
    ToolCallDelta,
)

_PIECES = 8


def resplit(reading: Reading) -> Iterator[Finding]:
    """Deltas cut or joined otherwise tell the same turn."""
    if not reading.record.streamed or not reading.events:
        return
    told = to_json(fold(reading.events))
    for how, events in (("cut", cut(reading.events)), ("joined", joined(reading.events))):
        if (again := to_json(fold(events))) != told:
            yield Finding(
                check="resplit",
                message=f"with its deltas {how} the turn is another",
                expected=told,
                observed=again,
            )
    if not is_judged(reading):
        return
    native = native_of(reading)
    story = story_of(native)
    tellings: dict[str, Callable[[Sequence[JsonObject]], list[JsonObject]]] = {
        "cut": native_cut,
        "joined": native_joined,
    }
    if reading.case.scenario.dialect not in PASSED_ON:
        tellings["left out"] = native_without_deltas
    for how, tell in tellings.items():
        if (other := story_of(tell(native))) != story:
            yield Finding(
                check="resplit",
                message=f"with their deltas {how} the native events tell another turn",
                expected=str(story),
                observed=str(other),
            )


def cut(events: Iterable[Event]) -> Iterator[Event]:
    """The same events with every delta in up to some ten pieces."""
    for event in events:
        if _text_of(event) is None:
            yield event
        else:
            yield from (_with(event, piece) for piece in _pieces(_said(event)))


def joined(events: Iterable[Event]) -> list[Event]:
    """The same events with one delta for each text, where its first one stood."""
    out: list[Event] = []
    places: dict[tuple[object, ...], int] = {}
    for event in events:
        if isinstance(event, ReasoningSignature):
            # It ends the reasoning before it; what follows is another text.
            places = {key: at for key, at in places.items() if key[0] is not ReasoningDelta}
        key = _text_of(event)
        if key is not None and key in places:
            at = places[key]
            out[at] = _with(out[at], _said(out[at]) + _said(event))
            continue
        if key is not None:
            places[key] = len(out)
        out.append(event)
    return out


def _text_of(event: Event) -> tuple[object, ...] | None:
    """Which text a delta adds to; ``None`` for what is no delta."""
    match event:
        case ContentDelta() | RefusalDelta():
            return (type(event), event.index)
        case ReasoningDelta():
            return (type(event), event.index, event.channel)
        case ToolCallDelta():
            return (type(event), event.tool_call_index)
    return None


def _said(event: Event) -> str:
    match event:
        case ToolCallDelta():
            return event.arguments_delta
        case ContentDelta() | ReasoningDelta() | RefusalDelta():
            return event.delta
    return ""


def _with(event: Event, text: str) -> Event:
    match event:
        case ToolCallDelta():
            return replace(event, arguments_delta=text)
        case ContentDelta() | ReasoningDelta() | RefusalDelta():
            return replace(event, delta=text)
    return event


def native_cut(events: Sequence[JsonObject]) -> list[JsonObject]:
    """The same native events with every delta in up to some ten pieces."""
    return [
        {**event, "delta": piece} if _is_delta(event) else event
        for event in events
        for piece in (_pieces(event["delta"]) if _is_delta(event) else ("",))
    ]


def native_joined(events: Sequence[JsonObject]) -> list[JsonObject]:
    """The same native events with one delta for each text, where its first one stood."""
    out: list[JsonObject] = []
    places: dict[tuple[object, ...], int] = {}
    for event in events:
        if _is_delta(event):
            where = ("output_index", "content_index", "summary_index")
            key = (event["type"], *(event.get(k) for k in where))
            if key in places:
                first = out[places[key]]
                out[places[key]] = {**first, "delta": first["delta"] + event["delta"]}
                continue
            places[key] = len(out)
        out.append(event)
    return out


def native_without_deltas(events: Sequence[JsonObject]) -> list[JsonObject]:
    """The same native events with their whole texts alone."""
    return [event for event in events if not _is_delta(event)]


def _is_delta(event: JsonObject) -> bool:
    return str(event.get("type")).endswith(".delta") and isinstance(event.get("delta"), str)


def _pieces(text: str) -> list[str]:
    size = max(1, len(text) // _PIECES)
    return [text[at : at + size] for at in range(0, len(text), size)] or [text]
