"""The output items of a Responses stream, and the events of each. Pure.

An item is added, sends its pieces, and is done. The joined pieces, the ``done`` events and the
final item have the same text, kept in one place here. The events have no ``sequence_number``
yet: that belongs to the whole stream.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.adapters.chatcmpl_to_responses.logprobs import without_bytes
from mockserver.vocabulary import Json, JsonObject


@dataclass(frozen=True, slots=True)
class PartKind:
    """The names of one kind of part: its type, its events, and the keys of its text and index."""

    type: str
    part_event: str
    text_event: str
    text_key: str
    index_key: str


_CONTENT, _SUMMARY = "response.content_part", "response.reasoning_summary_part"
OUTPUT_TEXT = PartKind("output_text", _CONTENT, "response.output_text", "text", "content_index")
REFUSAL = PartKind("refusal", _CONTENT, "response.refusal", "refusal", "content_index")
REASONING_TEXT = PartKind(
    "reasoning_text", _CONTENT, "response.reasoning_text", "text", "content_index"
)
SUMMARY_TEXT = PartKind(
    "summary_text", _SUMMARY, "response.reasoning_summary_text", "text", "summary_index"
)


@dataclass(slots=True)
class _Part:
    kind: PartKind
    index: int
    pieces: list[str] = field(default_factory=list)
    annotations: list[JsonObject] = field(default_factory=list)
    logprobs: list[JsonObject] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def to_json(self) -> JsonObject:
        part: JsonObject = {"type": self.kind.type, self.kind.text_key: self.text}
        if self.kind is OUTPUT_TEXT:
            part |= {"annotations": list(self.annotations), "logprobs": list(self.logprobs)}
        return part


@dataclass(slots=True, kw_only=True)
class Item(ABC):
    """Base of the items. ``status`` is ``in_progress`` until :meth:`done`."""

    type: ClassVar[str]
    id: str
    output_index: int
    status: str = "in_progress"

    @abstractmethod
    def to_json(self) -> JsonObject:
        """Return the item as it is now."""

    def added(self) -> JsonObject:
        """Return the event that opens the item."""
        return {
            "type": "response.output_item.added",
            "output_index": self.output_index,
            "item": self.to_json(),
        }

    def done(self, status: str) -> Iterator[JsonObject]:
        """Yield the events that close the item; ``status``: ``completed`` or ``incomplete``."""
        yield from self._closing_events()
        self.status = status
        yield {
            "type": "response.output_item.done",
            "output_index": self.output_index,
            "item": self.to_json(),
        }

    def _closing_events(self) -> Iterator[JsonObject]:
        yield from ()

    def _event(self, kind: str, /, **fields: Json) -> JsonObject:
        return {"type": kind, "item_id": self.id, "output_index": self.output_index, **fields}


@dataclass(slots=True, kw_only=True)
class _TextItem(Item):
    """An item with one part of each kind, in the order in which they began."""

    parts: dict[PartKind, _Part] = field(default_factory=dict)

    def add(
        self, kind: PartKind, piece: str, logprobs: Sequence[JsonObject] = ()
    ) -> Iterator[JsonObject]:
        """Add ``piece`` to the part of this kind and yield the events; the first opens the part.

        ``logprobs`` are those of its tokens; only text has them.
        """
        yield from self._open_part(kind)
        part = self.parts[kind]
        part.pieces.append(piece)
        part.logprobs += logprobs
        yield self._text_event(part, "delta", logprobs, delta=piece)

    def _open_part(self, kind: PartKind) -> Iterator[JsonObject]:
        if kind not in self.parts:
            index = sum(other.index_key == kind.index_key for other in self.parts)
            part = self.parts[kind] = _Part(kind, index)
            yield self._part_event(part, f"{kind.part_event}.added", part=part.to_json())

    def _closing_events(self) -> Iterator[JsonObject]:
        for kind, part in self.parts.items():
            yield self._text_event(part, "done", part.logprobs, **{kind.text_key: part.text})
            yield self._part_event(part, f"{kind.part_event}.done", part=part.to_json())

    def _text_event(
        self, part: _Part, step: str, logprobs: Sequence[JsonObject], /, **fields: Json
    ) -> JsonObject:
        if part.kind is OUTPUT_TEXT:
            fields["logprobs"] = without_bytes(logprobs)
        return self._part_event(part, f"{part.kind.text_event}.{step}", **fields)

    def _part_event(self, part: _Part, kind: str, /, **fields: Json) -> JsonObject:
        return self._event(kind, **{part.kind.index_key: part.index}, **fields)

    def _parts_json(self, index_key: str) -> list[JsonObject]:
        return [p.to_json() for k, p in self.parts.items() if k.index_key == index_key]


@dataclass(slots=True, kw_only=True)
class MessageItem(_TextItem):
    """The visible answer: text and refusal.

    ``send_back`` has fields that the provider wants back unchanged.
    """

    type: ClassVar[str] = "message"
    send_back: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """Return the item as it is now."""
        item: JsonObject = {
            "id": self.id,
            "type": self.type,
            "status": self.status,
            "role": "assistant",
            "content": self._parts_json("content_index"),
        }
        if self.send_back:
            item["provider_specific_fields"] = self.send_back
        return item

    def cite(self, annotation: JsonObject) -> Iterator[JsonObject]:
        """Add an annotation to the text and yield the events."""
        yield from self._open_part(OUTPUT_TEXT)
        text = self.parts[OUTPUT_TEXT]
        text.annotations.append(annotation)
        yield self._part_event(
            text,
            "response.output_text.annotation.added",
            annotation_index=len(text.annotations) - 1,
            annotation=annotation,
        )


@dataclass(slots=True, kw_only=True)
class ReasoningItem(_TextItem):
    """A block of reasoning.

    ``encrypted_content`` is the signature or encrypted text that must be sent back unchanged;
    ``block`` is the provider's own form of a signed block.
    """

    type: ClassVar[str] = "reasoning"
    encrypted_content: str | None = None
    block: JsonObject | None = None

    @property
    def text(self) -> str:
        """The reasoning so far, without the summary."""
        return self.parts[REASONING_TEXT].text if REASONING_TEXT in self.parts else ""

    def to_json(self) -> JsonObject:
        """Return the item as it is now."""
        item: JsonObject = {
            "id": self.id,
            "type": self.type,
            "status": self.status,
            "summary": self._parts_json("summary_index"),
            "content": self._parts_json("content_index"),
        }
        if self.encrypted_content is not None:
            item["encrypted_content"] = self.encrypted_content
        if self.block is not None:
            item["provider_specific_fields"] = {"thinking_blocks": [self.block]}
        return item


@dataclass(slots=True, kw_only=True)
class ImageItem(Item):
    """An image. The API has it as base64 only; the address of another goes beside it."""

    type: ClassVar[str] = "image_generation_call"
    url: str

    def to_json(self) -> JsonObject:
        """Return the item as it is now."""
        item: JsonObject = {
            "id": self.id,
            "type": self.type,
            "status": self.status,
            "result": None,
        }
        if self.status == "completed" and self.url.startswith("data:"):
            item["result"] = self.url.partition(",")[2]
        elif self.status == "completed":
            item["provider_specific_fields"] = {"image_url": self.url}
        return item


@dataclass(slots=True, kw_only=True)
class CallItem(Item):
    """A function call. ``complete`` says that its arguments are complete."""

    type: ClassVar[str] = "function_call"
    call_id: str
    name: str
    complete: bool = False
    send_back: JsonObject = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)
    pending: str = ""

    def to_json(self) -> JsonObject:
        """Return the item as it is now."""
        item: JsonObject = {
            "id": self.id,
            "type": self.type,
            "status": self.status,
            "call_id": self.call_id,
            "name": self.name,
            "arguments": "".join(self.pieces),
        }
        if self.send_back:
            item["provider_specific_fields"] = self.send_back
        return item

    def add(self, piece: str) -> Iterator[JsonObject]:
        """Add to the arguments and yield the events.

        Blank text and ``null`` wait for more: alone they mean ``{}``, and the pieces must join
        to that.
        """
        self.pending += piece
        if self.pieces or not "null".startswith(self.pending.strip()):
            yield from self._release()

    def finish(self, arguments: str, send_back: JsonObject) -> None:
        """Set the complete arguments."""
        if not self.pieces:
            self.pending = arguments
        self.complete, self.send_back = True, send_back

    def _release(self) -> Iterator[JsonObject]:
        if self.pending:
            self.pieces.append(self.pending)
            delta, self.pending = self.pending, ""
            yield self._event("response.function_call_arguments.delta", delta=delta)

    def _closing_events(self) -> Iterator[JsonObject]:
        yield from self._release()
        # Truncated arguments are never announced as done: a reader may run the call.
        if self.complete:
            yield self._event(
                "response.function_call_arguments.done",
                name=self.name,
                arguments="".join(self.pieces),
            )
