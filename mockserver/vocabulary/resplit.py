"""The same events with other deltas: the turn must stay the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mockserver.vocabulary.model import (
    ContentDelta,
    Event,
    ReasoningDelta,
    ReasoningSignature,
    RefusalDelta,
    ToolCallDelta,
)

#: About how many pieces a delta is split into.
_PIECES = 8


def split(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the same events with every delta in up to about ten pieces."""
    for event in events:
        if _text_key(event) is None:
            yield event
        else:
            yield from (_with(event, piece) for piece in pieces(_delta_of(event)))


def joined(events: Iterable[Event]) -> list[Event]:
    """Return the same events with one delta for each text, in place of its first one."""
    out: list[Event] = []
    positions: dict[tuple[object, ...], int] = {}
    for event in events:
        if isinstance(event, ReasoningSignature):
            # It ends the reasoning before it; what follows is another text.
            positions = {key: at for key, at in positions.items() if key[0] is not ReasoningDelta}
        key = _text_key(event)
        if key is not None and key in positions:
            at = positions[key]
            out[at] = _with(out[at], _delta_of(out[at]) + _delta_of(event))
            continue
        if key is not None:
            positions[key] = len(out)
        out.append(event)
    return out


def _text_key(event: Event) -> tuple[object, ...] | None:
    """Return which text a delta adds to; ``None`` for other events."""
    match event:
        case ContentDelta() | RefusalDelta():
            return (type(event), event.index)
        case ReasoningDelta():
            return (type(event), event.index, event.channel)
        case ToolCallDelta():
            return (type(event), event.tool_call_index)
    return None


def _delta_of(event: Event) -> str:
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


def pieces(text: str) -> list[str]:
    """Split a text into about ten pieces, at least one."""
    size = max(1, len(text) // _PIECES)
    return [text[at : at + size] for at in range(0, len(text), size)] or [text]
