"""Reads the content of Chat Completions deltas and messages: all but the tool calls. Pure.

Providers send reasoning under many names, often the same under two. Where the names differ in
what they say, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mockserver.dialects.facts import Facts, repaired
from mockserver.dialects.openai_chat.call_facts import signatures_in
from mockserver.vocabulary.model import Citation, Json, JsonObject

_REASONING = ("reasoning_content", "reasoning", "thinking_blocks", "reasoning_details")
#: Other fields that some clients may take for reasoning.
_LIKE_REASONING = re.compile("reason|think|thought", re.I)
_THINK_TAG = re.compile(r"\s*<think>")


class ContentReader:
    """Collects the content of one answer."""

    def __init__(self) -> None:
        self.is_odd = False
        self._texts: dict[str, str | None] = {"content": "", "refusal": ""}
        self._reasoning: dict[str, str] = {}
        self._reasoning_in_doubt = False
        self._from_deltas: set[str] = set()
        self._citations: list[Citation] = []
        self._cites_in_doubt = False
        self._images: list[str] = []
        self._signatures: list[str] = []

    @property
    def has_begun(self) -> bool:
        """Whether there was some text."""
        return any(text != "" for text in self._texts.values())

    def doubt(self) -> None:
        """Say nothing about the texts: the answer restarted."""
        self._texts = dict.fromkeys(self._texts)
        self._reasoning_in_doubt = True

    def take(self, data: JsonObject, *, in_message: bool, ended: bool) -> None:
        """Take a delta or a message; ``ended``: a finish reason was sent before.

        After deltas a whole message repeats them; what they left out is new.
        """
        for name in self._texts:
            piece = "".join(self._content(data.get(name)))
            if not piece:
                continue
            if in_message and name in self._from_deltas:
                if self._texts[name] != piece:
                    self._texts[name] = None
                continue
            before = self._texts[name]
            in_place = in_message or not ended
            self._texts[name] = before + piece if before is not None and in_place else None
            if not in_message:
                self._from_deltas.add(name)
        self._take_reasoning(data, in_message=in_message)
        for source in _objects(data.get("annotations")):
            if isinstance(cited := source.get("url_citation"), dict):
                self._cite(cited)
        for image in _objects(data.get("images")):
            self._image(image)
        self._sign(*signatures_in(data))

    def fill(self, facts: Facts, *, unfinished: bool) -> None:
        """Write what was collected; ``unfinished``: more was to come."""
        for name, attribute in (("content", "text"), ("refusal", "refusal")):
            text = self._texts[name]
            fixed = None if text is None else repaired(text, unfinished=unfinished)
            setattr(facts, attribute, fixed)
        facts.reasoning = self._all_reasoning(unfinished=unfinished)
        facts.citations = None if self._cites_in_doubt else tuple(self._citations)
        facts.images = tuple(self._images)
        facts.signatures = tuple(self._signatures)

    def _content(self, content: Json) -> Iterator[str]:
        """Yield the texts of content: a string, or parts of some types."""
        if isinstance(content, str):
            yield content
            return
        self.is_odd |= content is not None
        for part in content if isinstance(content, list) else [content]:
            if isinstance(part, str):
                yield part
            elif isinstance(part, dict):
                yield from self._part(part)

    def _part(self, part: JsonObject) -> Iterator[str]:
        match part.get("type"):
            case None | "" | "text" | "output_text":
                yield from _texts_of(part.get("text"))
            case "thinking":
                self._think("content", "".join(_texts_of(part.get("thinking"))))
            case "image_url" | "output_image" | "image":
                self._image(part)
            case "refusal":
                self._texts["refusal"] = None
            case _:
                self._cites_in_doubt = True  # as Mistral's references

    def _take_reasoning(self, data: JsonObject, *, in_message: bool) -> None:
        if in_message and "reasoning" in self._from_deltas:
            return
        found = {
            name: text
            for name in ("reasoning_content", "reasoning")
            if isinstance(text := data.get(name), str) and text
        }
        found["thinking_blocks"] = "".join(self._blocks(data.get("thinking_blocks")))
        found["reasoning_details"] = "".join(self._details(data.get("reasoning_details")))
        for name, text in found.items():
            self._think(name, text)
        if any(found.values()) and not in_message:
            self._from_deltas.add("reasoning")
        self._reasoning_in_doubt |= any(
            value and name not in _REASONING and _LIKE_REASONING.search(name)
            for name, value in data.items()
        ) or isinstance(data.get("reasoning"), dict | list)

    def _blocks(self, blocks: Json) -> Iterator[str]:
        """Read Anthropic's blocks, as LiteLLM forwards them."""
        for block in _objects(blocks):
            self._sign(block.get("signature"), block.get("data"))
            yield from _texts_of(block.get("thinking"))

    def _details(self, details: Json) -> Iterator[str]:
        """Read OpenRouter's ``reasoning_details``."""
        for item in _objects(details):
            match item.get("type"):
                case "reasoning.text":
                    self._sign(item.get("signature"))
                    yield from _texts_of(item.get("text"))
                case "reasoning.summary":
                    yield from _texts_of(item.get("summary"))
                case "reasoning.encrypted":
                    self._sign(item.get("data"))

    def _think(self, name: str, text: str) -> None:
        if text:
            self._reasoning[name] = self._reasoning.get(name, "") + text

    def _all_reasoning(self, *, unfinished: bool) -> str | None:
        if self._reasoning_in_doubt or _THINK_TAG.match(self._texts["content"] or ""):
            return None
        fixed = {repaired(text, unfinished=unfinished) for text in self._reasoning.values()}
        return (fixed or {""}).pop() if len(fixed) < 2 else None

    def _cite(self, source: Mapping[str, Json]) -> None:
        url, title = source.get("url"), source.get("title")
        citation = Citation(
            url=url if isinstance(url, str) and url else None,
            title=title if isinstance(title, str) and title else None,
            start=_offset(source.get("start_index")),
            end=_offset(source.get("end_index")),
        )
        if citation not in self._citations:
            self._citations.append(citation)

    def _image(self, image: Mapping[str, Json]) -> None:
        source = image.get("image_url") or image
        url = source.get("url") if isinstance(source, dict) else source
        found = url or image.get("b64_json")
        if isinstance(found, str) and found and found not in self._images:
            self._images.append(found)

    def _sign(self, *signatures: Json) -> None:
        for signature in signatures:
            if isinstance(signature, str) and signature and signature not in self._signatures:
                self._signatures.append(signature)


def _objects(value: Json) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts_of(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in _objects(value):
        if isinstance(text := part.get("text"), str):
            yield text


def _offset(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
