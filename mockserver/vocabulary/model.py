"""The normalized vocabulary: what an adapter returns, for every provider.

The JSON Schemas in ``specs/schemas`` are the public contract; this module is its Python
twin, kept equal by ``tests/mockserver/vocabulary/test_model.py``. Names of usage fields and finish
reasons follow OpenTelemetry's GenAI conventions and the OpenAI APIs. Everything is frozen
and uses the standard library only. ``mockserver.vocabulary.codec`` turns it into JSON and back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeAlias

from mockserver.vocabulary.failure import ErrorClass as ErrorClass
from mockserver.vocabulary.failure import ErrorInfo as ErrorInfo
from mockserver.vocabulary.limits import Count, Limit, Text

Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]
#: Where reasoning was sent.
Channel: TypeAlias = Annotated[str, Limit(words=("text", "summary", "inner_thoughts"))]


class FinishReason(StrEnum):
    """Why the model stopped, in one vocabulary for all providers."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """How far a turn got."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts; ``None`` where the provider was silent.

    ``estimated`` says that the client counted, not the provider.
    """

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    total_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    estimated: bool = False

    def merged(self, later: Usage) -> Usage:
        """Return the counts of ``later`` where it has some, else these; nothing is added up."""
        known = {
            f.name: value
            for f in dataclasses.fields(later)
            if (value := getattr(later, f.name)) is not None
        }
        return dataclasses.replace(self, **known)


# --- events -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all stream events. ``native`` has the wire events it came from."""

    type: ClassVar[str]
    native: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStart(Event):
    """The provider began to answer."""

    type: ClassVar[str] = "message_start"
    response_id: Text | None = None
    model: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDelta(Event):
    """A piece of visible text. ``index`` is the content part; absent means the only one.

    ``phase`` is the provider's word for what its part is: ``commentary`` or ``final_answer``;
    ``thought_signature`` is the opaque proof of its part.
    """

    type: ClassVar[str] = "content_delta"
    delta: Text
    index: Count | None = None
    phase: Text | None = None
    thought_signature: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta(Event):
    """A piece of reasoning. ``channel`` is ``text``, ``summary`` or ``inner_thoughts``."""

    type: ClassVar[str] = "reasoning_delta"
    delta: Text
    channel: Channel
    index: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningSignature(Event):
    """Opaque proof that belongs to the reasoning before it, to be sent back unchanged."""

    type: ClassVar[str] = "reasoning_signature"
    signature: Text | None = None
    encrypted_content: Text | None = None
    redacted_data: Text | None = None
    index: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningOmitted(Event):
    """The model reasoned and the provider hides it."""

    type: ClassVar[str] = "reasoning_omitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalDelta(Event):
    """A piece of a refusal, apart from the text."""

    type: ClassVar[str] = "refusal_delta"
    delta: Text
    index: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation(Event):
    """A source of the text; ``start`` and ``end`` are the provider's character offsets."""

    type: ClassVar[str] = "citation"
    url: Text | None = None
    title: str | None = None
    start: Count | None = None
    end: Count | None = None
    index: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallStart(Event):
    """A tool call whose name is known. ``id_synthesized``: the client made the id."""

    type: ClassVar[str] = "tool_call_start"
    tool_call_index: Count
    tool_call_id: Text
    tool_name: Text
    id_synthesized: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDelta(Event):
    """A piece of a tool call's argument text."""

    type: ClassVar[str] = "tool_call_delta"
    tool_call_index: Count
    arguments_delta: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallEnd(Event):
    """A complete tool call: ``arguments_raw`` is valid JSON text of the object.

    ``send_back`` has fields of the call that the provider wants back unchanged; without it a
    ``thought_signature`` goes back under Google's name.
    """

    type: ClassVar[str] = "tool_call_end"
    tool_call_index: Count
    arguments: JsonObject
    arguments_raw: Annotated[str, Limit(least=2)]
    thought_signature: Text | None = None
    send_back: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Event):
    """An image that the model made, as a ``data:`` URL or a web address."""

    type: ClassVar[str] = "image"
    url: Text
    thought_signature: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBack(Event):
    """Fields of the message that the provider wants back unchanged, by their names on the wire."""

    type: ClassVar[str] = "send_back"
    fields: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedToolEvent(Event):
    """A tool that the provider ran itself; never to be dispatched by the client."""

    type: ClassVar[str] = "hosted_tool"
    kind: Text
    status: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent(Event):
    """Token counts so far; a later one replaces its fields."""

    type: ClassVar[str] = "usage"
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningEvent(Event):
    """A protocol violation that could be fixed without guessing at content."""

    type: ClassVar[str] = "warning"
    code: Annotated[str, Limit(pattern="^[a-z][a-z0-9_]*$")]
    message: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStop(Event):
    """The turn ended with a reason. Terminal."""

    type: ClassVar[str] = "message_stop"
    finish_reason: FinishReason
    raw_finish_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent(Event):
    """The turn failed. Terminal."""

    type: ClassVar[str] = "error"
    error: ErrorInfo


EVENT_TYPES: Mapping[str, type[Event]] = {
    cls.type: cls
    for cls in (
        MessageStart,
        ContentDelta,
        ReasoningDelta,
        ReasoningSignature,
        ReasoningOmitted,
        RefusalDelta,
        Citation,
        ToolCallStart,
        ToolCallDelta,
        ToolCallEnd,
        Image,
        SendBack,
        HostedToolEvent,
        UsageEvent,
        WarningEvent,
        MessageStop,
        ErrorEvent,
    )
}


# --- the turn ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Base of the ordered parts of a turn."""

    type: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart(Part):
    """Visible text with its citations (``Citation`` objects without ``index``).

    ``phase`` must be sent back, as it lets the model distinguish its remarks from its answers, and
    so must ``thought_signature``, with the very text that it came with.
    """

    type: ClassVar[str] = "text"
    text: str
    phase: Text | None = None
    thought_signature: Text | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningPart(Part):
    """Reasoning with what must be sent back; ``omitted`` when the provider hides it."""

    type: ClassVar[str] = "reasoning"
    text: str
    channel: Channel
    signature: Text | None = None
    encrypted_content: Text | None = None
    redacted_data: Text | None = None
    omitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalPart(Part):
    """The model declined."""

    type: ClassVar[str] = "refusal"
    refusal: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallPart(Part):
    """A tool call; ``arguments`` is ``None`` when it never became complete."""

    type: ClassVar[str] = "tool_call"
    id: Text
    name: Text
    arguments: JsonObject | None
    arguments_raw: str
    thought_signature: Text | None = None
    send_back: JsonObject | None = None
    id_synthesized: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart(Part):
    """An image that the model made; ``thought_signature`` goes back with it."""

    type: ClassVar[str] = "image"
    url: Text
    thought_signature: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBackPart(Part):
    """Fields of the message that the provider wants back unchanged."""

    type: ClassVar[str] = "send_back"
    fields: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedToolPart(Part):
    """A tool that the provider ran."""

    type: ClassVar[str] = "hosted_tool"
    kind: Text
    status: Text | None = None
    native: tuple[Json, ...] = ()


PART_TYPES: Mapping[str, type[Part]] = {
    cls.type: cls
    for cls in (
        TextPart,
        ReasoningPart,
        RefusalPart,
        ToolCallPart,
        ImagePart,
        SendBackPart,
        HostedToolPart,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantTurn:
    """The final assistant turn. ``parts`` is the truth, the properties are views of it."""

    response_id: Text | None = None
    model: Text | None = None
    status: Status
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None
    usage: Usage | None = None
    error: ErrorInfo | None = None
    parts: tuple[Part, ...]

    @property
    def content(self) -> str:
        """All visible text."""
        return "".join(p.text for p in self.parts if isinstance(p, TextPart))

    @property
    def reasoning(self) -> str:
        """All reasoning text, of every channel."""
        return "".join(p.text for p in self.parts if isinstance(p, ReasoningPart))

    @property
    def refusal(self) -> str:
        """All refusal text."""
        return "".join(p.refusal for p in self.parts if isinstance(p, RefusalPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tool calls in order, complete or not."""
        return tuple(p for p in self.parts if isinstance(p, ToolCallPart))
