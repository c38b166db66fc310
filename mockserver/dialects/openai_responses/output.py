"""The output items of a written Responses answer: which parts of a turn make which item. Pure.

Texts and refusals that follow each other are one message, until the phase changes. Reasoning is
one item up to its encrypted content. Each call and each image is an item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.writing import made_id
from mockserver.vocabulary.model import (
    Citation,
    ImagePart,
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)

_IMAGE = re.compile(r"data:image/([a-z0-9.+-]+);base64,(.+)", re.S)
_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc"}


@dataclass(frozen=True, slots=True)
class Item:
    """An output item of ``type`` with the parts that it is made of, at least one."""

    type: str
    id: str
    parts: tuple[Part, ...]

    def begun(self) -> JsonObject:
        """Return the item as it is announced."""
        match self.type, self.parts[0]:
            case "message", _:
                fields: JsonObject = {"status": "in_progress", "content": []}
            case "reasoning", _:
                sealed = self.encrypted
                fields = {"summary": []} | ({"encrypted_content": sealed} if sealed else {})
            case _, ToolCallPart() as call:
                fields = {"status": "in_progress", "arguments": ""} | _names(call)
            case _:
                fields = {"status": "in_progress", "result": None}
        return {"id": self.id, "type": self.type, **fields, **self._last_fields()}

    def whole(self, *, complete: bool = True) -> JsonObject:
        """Return the item as it is at its end; not ``complete``: the model was stopped in it."""
        status = "completed" if complete else "incomplete"
        match self.type, self.parts[0]:
            case "message", _:
                content = [whole_part(part) for part in self.parts]
                fields: JsonObject = {"status": status, "content": content}
            case "reasoning", _:
                fields = self._thoughts()
            case _, ToolCallPart() as call:
                ended = complete and call.arguments is not None
                fields = {
                    "status": "completed" if ended else "incomplete",
                    "arguments": call.arguments_raw,
                    **_names(call),
                }
            case _, part:
                form, data = _image(part)
                fields = {"status": "completed", "output_format": form, "result": data}
        return {"id": self.id, "type": self.type, **fields, **self._last_fields()}

    @property
    def encrypted(self) -> str | None:
        """The encrypted content of reasoning."""
        last = self.parts[-1]
        return last.encrypted_content if isinstance(last, ReasoningPart) else None

    def _thoughts(self) -> JsonObject:
        thoughts = [p for p in self.parts if isinstance(p, ReasoningPart) and p.text]
        summary = [whole_part(p) for p in thoughts if p.channel == "summary"]
        content = [whole_part(p) for p in thoughts if p.channel != "summary"]
        return {
            "summary": summary,
            **({"content": content} if content else {}),
            **({"encrypted_content": self.encrypted} if self.encrypted else {}),
        }

    def _last_fields(self) -> JsonObject:
        if self.type != "message":
            return {}
        phase = _phase(self.parts)
        return {"role": "assistant"} | ({"phase": phase} if phase else {})


def items_of(parts: Sequence[Part], seed: str) -> list[Item]:
    """Group parts to items; their ids depend on ``seed``.

    Raises :class:`UnwritableError` for an image that is not in a ``data:`` URL.
    """
    found = []
    for number, (kind, group) in enumerate(_grouped(parts)):
        item_id = made_id(_PREFIXES.get(kind, "ig") + "_" + "#" * 48, number, of=seed)
        found.append(Item(kind, item_id, tuple(group)))
    return found


def whole_part(part: Part) -> JsonObject:
    """Return a complete part of a message or of reasoning."""
    match part:
        case TextPart():
            annotations = [annotation(c) for c in part.citations]
            return {
                "type": "output_text",
                "annotations": annotations,
                "logprobs": [],
                "text": part.text,
            }
        case RefusalPart():
            return {"type": "refusal", "refusal": part.refusal}
        case ReasoningPart():
            kind = "summary_text" if part.channel == "summary" else "reasoning_text"
            return {"type": kind, "text": part.text}
    raise UnwritableError(f"a {part.type} part is no part of a message")


def annotation(citation: Citation) -> Json:
    """Return a source of a text."""
    return {
        "type": "url_citation",
        "end_index": citation.end,
        "start_index": citation.start,
        "title": citation.title,
        "url": citation.url,
    }


def _grouped(parts: Sequence[Part]) -> Iterator[tuple[str, list[Part]]]:
    open_type, group = "", list[Part]()
    for part in parts:
        kind = _type_of(part)
        if group and not (kind == open_type and _continues(group, part)):
            yield open_type, group
            group = []
        open_type = kind
        group.append(part)
    if group:
        yield open_type, group


def _type_of(part: Part) -> str:
    match part:
        case TextPart() | RefusalPart():
            return "message"
        case ReasoningPart():
            return "reasoning"
        case ToolCallPart():
            return "function_call"
        case ImagePart():
            _image(part)
            return "image_generation_call"
    raise UnwritableError(f"a {part.type} part cannot be said in a Responses answer")


def _continues(group: Sequence[Part], part: Part) -> bool:
    """Return whether a part of the same type belongs to the item of those before it."""
    last = group[-1]
    match part:
        case TextPart():
            return _phase(group) == part.phase
        case RefusalPart():
            return True
        case ReasoningPart() if isinstance(last, ReasoningPart):
            # The summary comes before the content, and the seal is that of the last part.
            in_order = (last.channel, part.channel) != ("text", "summary")
            return bool(last.text and part.text and in_order) and not last.encrypted_content
    return False


def _phase(parts: Sequence[Part]) -> str | None:
    return next((part.phase for part in parts if isinstance(part, TextPart)), None)


def _names(call: ToolCallPart) -> JsonObject:
    return {"call_id": call.id, "name": call.name}


def _image(part: Part) -> tuple[str, str]:
    found = _IMAGE.fullmatch(part.url) if isinstance(part, ImagePart) else None
    if found is None:
        raise UnwritableError("an image that is not in a data: URL")
    return found[1], found[2]
