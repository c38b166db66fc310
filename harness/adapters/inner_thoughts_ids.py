"""Ids for the messages inside one answer. Pure."""

from __future__ import annotations

from uuid import UUID

from harness.model import (
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


class MessageIds:
    """Gives each event the id of the message it belongs to: the answer's id plus a counter.

    One answer holds several messages: reasoning, text, a refusal, each tool call. The counter
    stands in the low 7 bits of the answer's UUID and rises whenever another message begins; a
    tool call that goes on keeps its id. After 128 messages it carries into the bits above, up
    to the 48 bits of the node field, so ids stay unique and never fail.
    """

    def __init__(self, answer: UUID) -> None:
        self._base = answer.int & ~_COUNTER
        self._next = 0
        self._open: tuple[object, ...] | None = None
        self._current = 0
        self._calls: dict[tuple[object, ...], int] = {}

    def of(self, event: Event) -> UUID | None:
        """The id for ``event``; ``None`` if it belongs to the answer as a whole."""
        key = _message(event)
        if key is None:
            return None
        if key in self._calls:
            self._current = self._calls[key]
        elif key != self._open:
            self._current = self._next
            self._next += 1
            if key[0] == "tool_call":
                self._calls[key] = self._current
        self._open = key
        node = (self._base + self._current) & _NODE
        return UUID(int=self._base & ~_NODE | node)


def _message(event: Event) -> tuple[object, ...] | None:
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
