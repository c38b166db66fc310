"""Ids for the messages inside one answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    Event,
    ReasoningDelta,
    ReasoningOmitted,
    ReasoningSignature,
    RefusalDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)

_COUNTER = (1 << 7) - 1
_NODE = (1 << 48) - 1

_Key = tuple[str] | tuple[str, int | None]


class MessageIds:
    """Appends ``{"type": ..., "message_id": ...}`` to the ``native`` of each event.

    One answer holds several messages, by their types ``reasoning``, ``hidden_reasoning``,
    ``text``, ``refusal`` and ``tool_call``; events of the answer as a whole belong to none. The
    id is that of the answer plus a counter, which is in the low 7 bits of the UUID and grows
    whenever another message begins; a tool call that continues keeps its id. After 128 messages
    it carries into the bits above, up to the 48 bits of the node field, so ids stay unique.
    """

    def __init__(self, answer: UUID) -> None:
        self._base = answer.int & ~_COUNTER
        self._next = 0
        self._open: _Key | None = None
        self._numbers: dict[_Key, int] = {}

    def feed(self, event: Event) -> Iterator[Event]:
        """Take one event and yield it with the id of its message."""
        key = _message(event)
        if key is None:
            yield event
            return
        if key != self._open and (key not in self._numbers or key[0] != "tool_call"):
            self._numbers[key] = self._next
            self._next += 1
        self._open = key
        node = (self._base + self._numbers[key]) & _NODE
        made = str(UUID(int=self._base & ~_NODE | node))
        message = {"type": key[0], "message_id": made}
        yield replace(event, native=(*event.native, message))


def is_uuid(text: str) -> bool:
    """Return whether ``text`` is a UUID in one of its written forms."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _message(event: Event) -> _Key | None:
    match event:
        case ReasoningDelta() | ReasoningSignature():
            return ("reasoning", event.index)
        case ReasoningOmitted():
            return ("hidden_reasoning",)
        case ContentDelta() | Citation():
            return ("text", event.index)
        case RefusalDelta():
            return ("refusal", event.index)
        case ToolCallStart() | ToolCallDelta() | ToolCallEnd():
            return ("tool_call", event.tool_call_index)
    return None
