"""Folds a stream of events into their turn.

One rule for every dialect: a delta joins the part it belongs to. With an ``index``, that is
the part of this kind and index; without one, the turn has a single text, a single refusal,
and one reasoning part per channel until a signature closes it. A signature with an ``index``
belongs to the reasoning part of that index, and a later one replaces it. What must be sent back
is one part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mockserver.vocabulary.model import (
    AssistantTurn,
    Citation,
    ContentDelta,
    ErrorEvent,
    ErrorInfo,
    Event,
    FinishReason,
    HostedToolEvent,
    HostedToolPart,
    Image,
    ImagePart,
    JsonObject,
    MessageStart,
    MessageStop,
    Part,
    ReasoningDelta,
    ReasoningOmitted,
    ReasoningPart,
    ReasoningSignature,
    RefusalDelta,
    RefusalPart,
    SendBack,
    SendBackPart,
    Status,
    TextPart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallPart,
    ToolCallStart,
    Usage,
    UsageEvent,
)

#: The field of each part that deltas add to.
_GROWING: Mapping[type[Part], str] = {
    TextPart: "text",
    RefusalPart: "refusal",
    ReasoningPart: "text",
    ToolCallPart: "arguments_raw",
}
_INCOMPLETE = {FinishReason.LENGTH, FinishReason.CONTENT_FILTER}


def fold(events: Iterable[Event]) -> AssistantTurn:
    """Fold ``events`` into a turn. Without a terminal event the turn is ``failed``.

    Events that refer to a part that was never opened are left out: the checks judge the
    sequence, not the fold.
    """
    state = _Fold()
    for event in events:
        state.add(event)
    return state.turn()


def merged(one: JsonObject, other: JsonObject, *, depth: int = 4) -> JsonObject:
    """Return the fields of both objects, and of the objects in them; those of ``other`` win.

    Objects that are deeper than ``depth`` are not merged: an answer could nest them too deeply.
    """
    result = {**one, **other}
    for name in one.keys() & other.keys() if depth > 1 else ():
        if isinstance(one[name], dict) and isinstance(other[name], dict):
            result[name] = merged(one[name], other[name], depth=depth - 1)
    return result


class _Fold:
    def __init__(self) -> None:
        self.parts: list[Part] = []
        #: Deltas by the position of their part, joined at the end: there may be very many.
        self.deltas: defaultdict[int, list[str]] = defaultdict(list)
        self.positions: dict[tuple[object, ...], int] = {}
        self.response_id: str | None = None
        self.model: str | None = None
        self.usage: Usage | None = None
        self.stop: MessageStop | None = None
        self.error: ErrorInfo | None = None
        self.last_reasoning: tuple[object, ...] | None = None

    def add(self, event: Event) -> None:
        match event:
            case MessageStart():
                self.response_id = event.response_id or self.response_id
                self.model = event.model or self.model
            case ContentDelta():
                opened = TextPart(
                    text="", phase=event.phase, thought_signature=event.thought_signature
                )
                at = self._open(("text", event.index), opened)
                self.deltas[at].append(event.delta)
            case RefusalDelta():
                at = self._open(("refusal", event.index), RefusalPart(refusal=""))
                self.deltas[at].append(event.delta)
            case ReasoningDelta():
                self.last_reasoning = ("reasoning", event.index, event.channel)
                at = self._open(self.last_reasoning, ReasoningPart(text="", channel=event.channel))
                self.deltas[at].append(event.delta)
            case ReasoningSignature():
                self._sign(event)
            case ReasoningOmitted():
                self.parts.append(ReasoningPart(text="", channel="text", omitted=True))
            case Citation():
                at = self._open(("text", event.index), TextPart(text=""))
                text = self.parts[at]
                if isinstance(text, TextPart):
                    cited = replace(event, index=None, native=())
                    self.parts[at] = replace(text, citations=(*text.citations, cited))
            case ToolCallStart():
                self.positions[("tool", event.tool_call_index)] = len(self.parts)
                self.parts.append(
                    ToolCallPart(
                        id=event.tool_call_id,
                        name=event.tool_name,
                        arguments=None,
                        arguments_raw="",
                        id_synthesized=event.id_synthesized,
                    )
                )
            case ToolCallDelta():
                position = self.positions.get(("tool", event.tool_call_index))
                if position is not None:
                    self.deltas[position].append(event.arguments_delta)
            case ToolCallEnd():
                self._end_call(event)
            case Image():
                self.parts.append(
                    ImagePart(url=event.url, thought_signature=event.thought_signature)
                )
            case SendBack():
                at = self._open(("send_back",), SendBackPart(fields={}))
                back = self.parts[at]
                assert isinstance(back, SendBackPart)
                self.parts[at] = SendBackPart(fields=merged(back.fields, event.fields))
            case HostedToolEvent():
                self.parts.append(
                    HostedToolPart(kind=event.kind, status=event.status, native=event.native)
                )
            case UsageEvent():
                self.usage = (self.usage or Usage()).merged(event.usage)
            case MessageStop():
                self.stop = event
            case ErrorEvent():
                self.error = event.error
            case _:
                pass

    def turn(self) -> AssistantTurn:
        stop = None if self.error else self.stop
        if stop is None:
            status = Status.FAILED
        elif stop.finish_reason in _INCOMPLETE:
            status = Status.INCOMPLETE
        else:
            status = Status.COMPLETED
        return AssistantTurn(
            response_id=self.response_id,
            model=self.model,
            status=status,
            finish_reason=stop.finish_reason if stop else None,
            raw_finish_reason=stop.raw_finish_reason if stop else None,
            usage=self.usage,
            error=self.error,
            parts=tuple(self._grown(at, part) for at, part in enumerate(self.parts)),
        )

    def _open(self, key: tuple[object, ...], part: Part) -> int:
        if key not in self.positions:
            self.positions[key] = len(self.parts)
            self.parts.append(part)
        return self.positions[key]

    def _grown(self, at: int, part: Part) -> Part:
        if at not in self.deltas:
            return part
        name = _GROWING[type(part)]
        return replace(part, **{name: "".join((getattr(part, name), *self.deltas[at]))})

    def _end_call(self, event: ToolCallEnd) -> None:
        position = self.positions.get(("tool", event.tool_call_index))
        if position is None:
            return
        call = self.parts[position]
        assert isinstance(call, ToolCallPart)
        self.deltas.pop(position, None)
        self.parts[position] = replace(
            call,
            arguments=event.arguments,
            arguments_raw=event.arguments_raw,
            thought_signature=event.thought_signature,
            send_back=event.send_back,
        )

    def _sign(self, event: ReasoningSignature) -> None:
        at = None
        if event.index is not None:
            key = ("reasoning", event.index)
            at = next((p for k, p in self.positions.items() if k[:2] == key), None)
        elif self.last_reasoning is not None and event.redacted_data is None:
            at = self.positions.pop(self.last_reasoning, None)
        if at is None:
            at = len(self.parts)
            self.parts.append(ReasoningPart(text="", channel="text"))
            if event.index is not None:
                self.positions[("reasoning", event.index, "text")] = at
        signed = self.parts[at]
        assert isinstance(signed, ReasoningPart)
        self.parts[at] = replace(
            signed,
            signature=event.signature,
            encrypted_content=event.encrypted_content,
            redacted_data=event.redacted_data,
        )
