"""Extracts inner thoughts and messages from the arguments of tool calls. Pure.

An agent may ask the model to think in an argument of every tool, and to talk to the user with a
tool. Both then arrive as pieces of JSON; this stage turns them into reasoning and text as they
arrive. It works on normalized events, after the quirks of servers have been handled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from harness.adapters.inner_thoughts.json_stream import Extracted, MemberExtractor, Remaining
from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    ErrorEvent,
    Event,
    FinishReason,
    MessageStop,
    ReasoningDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UsageEvent,
    WarningEvent,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRules:
    """What to extract from tool arguments; ``None`` extracts nothing.

    ``inner_thoughts_key``: the tool argument with the inner thoughts, ``thinking`` in
    today's Letta, ``inner_thoughts`` in older servers. ``assistant_message_tool``: the tool
    whose ``assistant_message_key`` argument is text for the user.
    """

    inner_thoughts_key: str | None = None
    assistant_message_tool: str | None = None
    assistant_message_key: str = "message"


@dataclass(slots=True, eq=False)  # two equal calls are two calls
class _Call:
    start: ToolCallStart
    is_message: bool
    extractor: MemberExtractor | None
    number: int | None = None
    pieces: list[str] = field(default_factory=list)


class CallArguments:
    """Rewrites the events of one answer; feed them all, the terminal one last.

    A call is announced with its first remaining argument, so that its thoughts come before it,
    but never after a later call; a call without one is announced when it ends, or when the
    token limit ends the turn. Calls of the message tool are removed: their text is content;
    another argument in them, or no text, gives a ``warning``. The thoughts and the text of each
    call are separate parts. Calls are renumbered; a turn whose calls were all messages ends
    with ``stop``.
    """

    def __init__(self, rules: CallRules) -> None:
        self._rules = rules
        self._calls: dict[int, _Call] = {}
        self._announced = 0
        self._texts: dict[int | None, int] = {}
        self._thoughts: dict[int | None, int] = {}
        self._warnings: list[Event] = []
        self._usage: list[Event] = []

    def feed(self, event: Event) -> Iterator[Event]:
        """Take one event and yield its replacement."""
        match event:
            case ContentDelta() | Citation() if event.index is None:
                yield replace(event, index=_part_number(self._texts, None))
            case ToolCallStart():
                yield from self._open(event)
            case ToolCallDelta():
                yield from self._arguments(self._calls[event.tool_call_index], event)
            case ToolCallEnd():
                yield from self._end(self._calls[event.tool_call_index], event)
            case UsageEvent():
                self._usage.append(event)
            case MessageStop():
                yield from self._announce_all()
                yield from self._warnings
                yield from self._usage
                yield self._stop(event)
            case ErrorEvent():
                yield from self._usage
                yield event
            case _:
                yield event

    def _open(self, start: ToolCallStart) -> Iterator[Event]:
        rules = self._rules
        is_message = start.tool_name == rules.assistant_message_tool
        keys = {rules.inner_thoughts_key} if rules.inner_thoughts_key is not None else set()
        if is_message:
            keys.add(rules.assistant_message_key)
        call = _Call(start, is_message, MemberExtractor(keys) if keys else None)
        self._calls[start.tool_call_index] = call
        if call.extractor is None:
            yield from self._announce(call)

    def _arguments(self, call: _Call, delta: ToolCallDelta) -> Iterator[Event]:
        piece, index = delta.arguments_delta, delta.tool_call_index
        for found in call.extractor.feed(piece) if call.extractor else [Remaining(piece)]:
            match found:
                case Extracted(key, text) if key == self._rules.inner_thoughts_key:
                    part = _part_number(self._thoughts, index)
                    yield ReasoningDelta(delta=text, channel="inner_thoughts", index=part)
                case Extracted(_, text):
                    yield ContentDelta(delta=text, index=_part_number(self._texts, index))
                case Remaining(text) if not call.is_message:
                    yield from self._announce(call)
                    assert call.number is not None
                    call.pieces.append(text)
                    yield ToolCallDelta(tool_call_index=call.number, arguments_delta=text)

    def _end(self, call: _Call, end: ToolCallEnd) -> Iterator[Event]:
        key = self._rules.inner_thoughts_key
        arguments = {name: value for name, value in end.arguments.items() if name != key}
        if call.is_message:
            self._check_message(call, arguments)
            return
        yield from self._announce(call)
        assert call.number is not None
        yield replace(
            end,
            tool_call_index=call.number,
            arguments=arguments,
            arguments_raw="".join(call.pieces)
            if call.extractor and call.extractor.any_extracted
            else end.arguments_raw,
        )

    def _check_message(self, call: _Call, arguments: dict[str, object]) -> None:
        name, key = call.start.tool_name, self._rules.assistant_message_key
        if arguments.pop(key, None) is None:
            self._warnings.append(
                WarningEvent(code="message_missing", message=f"{name} was called without {key}")
            )
        if arguments:
            others = ", ".join(arguments)
            self._warnings.append(
                WarningEvent(
                    code="message_arguments_dropped",
                    message=f"{name} was called with more than {key}: {others}",
                )
            )

    def _announce(self, call: _Call) -> Iterator[Event]:
        """Emit the start of ``call``, and of those opened before it, in order."""
        for earlier in self._calls.values():
            if earlier.number is None and not earlier.is_message:
                earlier.number = self._announced
                self._announced += 1
                yield replace(earlier.start, tool_call_index=earlier.number)
            if earlier is call:
                return

    def _announce_all(self) -> Iterator[Event]:
        for call in self._calls.values():
            yield from self._announce(call)

    def _stop(self, stop: MessageStop) -> MessageStop:
        only_messages = self._calls and all(call.is_message for call in self._calls.values())
        if only_messages and stop.finish_reason is FinishReason.TOOL_CALLS:
            return replace(stop, finish_reason=FinishReason.STOP)
        return stop


def _part_number(parts: dict[int | None, int], source: int | None) -> int | None:
    """Return the number of the part that ``source`` fills; ``None`` for the first part."""
    return parts.setdefault(source, len(parts)) or None
