"""Reads the facts of a Gemini wire: an event stream, one array, or one whole answer. Pure.

Source: ``GenerateContentResponse`` of google-genai 3.6.1 and
https://ai.google.dev/api/generate-content. A prompt that was blocked has its reason as the word
for why the answer stopped: a client may call that a failure or a filtered answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mockserver.dialects.facts import CallFacts, Facts, counts, merge_usage, only, repaired
from mockserver.dialects.failures import read_failure
from mockserver.dialects.gemini.sources import sources_of
from mockserver.vocabulary.model import Citation, Json, JsonObject
from mockserver.wire.body import Body, Media

#: Counts on the wire. Ours are sums of them.
_COUNTS: Mapping[str, tuple[str, ...]] = {
    name: (name,)
    for name in (
        "promptTokenCount",
        "toolUsePromptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "cachedContentTokenCount",
        "totalTokenCount",
    )
}
#: Parts of the provider's own tools.
_HOSTED = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_NOT_JSON = object()


#: The word for an answer that goes on in the answer to another request.
_GOES_ON = "CONTINUATION"


def read(bodies: Sequence[Body]) -> Facts:
    """Read the facts of the last answer, and of those before it that it goes on from."""
    reader = _FactsReader()
    for body in bodies:
        if not reader.goes_on():
            reader = _FactsReader()
        for value in _values(body, reader.facts):
            if not reader.chunk(value):
                break
    return reader.finish()


def _values(body: Body, facts: Facts) -> Iterator[Json]:
    """Yield the JSON values of a body, in order; a text for what is not JSON."""
    match body.media:
        case Media.SSE:
            yield from _events(body, facts)
        case Media.JSON_ARRAY:
            # Whoever asked for an event stream may refuse it.
            facts.may_fail = True
            for element in body.elements:
                yield _json(element.data)
        case _ if body.data.strip():
            value = _json(body.data)
            # What is whole is complete, with or without a finish word.
            facts.done = isinstance(value, dict) and not value.get("error")
            yield from value if isinstance(value, list) else [value]


def _events(body: Body, facts: Facts) -> Iterator[Json]:
    bare: list[str] = []
    last = body.unfinished
    for block in (*body.blocks, *([last] if last else ())):
        bare += block.ignored
        data = (block.data or "").strip()
        if not data or block.is_keepalive:
            continue
        if data == "[DONE]":
            # Not Google's: a gateway's. The official SDKs fail on it.
            facts.done = facts.may_fail = True
            continue
        value = _json(data.encode(errors="surrogatepass"))
        if block is last:
            # Some clients read what the blank line is missing of, some do not.
            facts.may_fail = True
            if value is _NOT_JSON:
                break
        yield value
    # An error may follow the events as it would stand alone (theopenco/llmgateway#3616).
    if isinstance(value := _json("\n".join(bare).encode(errors="replace")), dict | list):
        yield value


class _FactsReader:
    def __init__(self) -> None:
        self.facts = Facts(reasoning="", signatures=(), citations=(), images=())
        self.usage: dict[str, int | None] = {}
        self.texts: list[str] = []
        self.reasoning: list[str] = []
        self.calls: list[JsonObject] = []
        self.is_streaming_arguments = False
        self.signatures: list[str] = []
        self.images: list[str] = []
        self.has_hosted = False
        self.late_text = False
        self.has_several = False
        self.words: list[str] = []
        self.ids: list[str] = []
        self.models: list[str] = []
        self.metadata: list[JsonObject] = []

    def goes_on(self) -> bool:
        """Return whether the next answer goes on from this one, and be ready for that."""
        if self.words != [_GOES_ON] or self.facts.error:
            return False
        self.words, self.ids, self.has_several = [], [], True
        return True

    def chunk(self, value: Json) -> bool:
        """Take one chunk; return false if nothing behind it counts."""
        match value:
            case [dict() as only_one]:
                value = only_one
            case dict():
                pass
            case None:
                return True
            case _:
                self.facts.broken = True
                return False
        if value.get("error"):
            self.facts.error = read_failure(value)
            return False
        merge_usage(self.usage, counts(value.get("usageMetadata"), _COUNTS))
        for values, name in ((self.ids, "responseId"), (self.models, "modelVersion")):
            if isinstance(found := value.get(name), str) and found:
                values.append(found)
        candidates = [c for c in _objects(value.get("candidates")) if c.get("index") in (None, 0)]
        for candidate in candidates:
            self.candidate(candidate)
        feedback = value.get("promptFeedback")
        blocked = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if isinstance(blocked, str) and blocked:
            self.words.append(blocked)
            self.facts.may_fail = True
        return True

    def candidate(self, candidate: JsonObject) -> None:
        content = candidate.get("content")
        for part in _objects(content.get("parts")) if isinstance(content, dict) else ():
            self.part(part)
        for name in ("citationMetadata", "groundingMetadata"):
            if isinstance(found := candidate.get(name), dict) and found:
                self.metadata.append({name: found})
        word = candidate.get("finishReason")
        if isinstance(word, str) and word:
            self.words.append(word)

    def part(self, part: JsonObject) -> None:
        signature = part.get("thoughtSignature") or part.get("thought_signature")
        if isinstance(call := part.get("functionCall"), dict):
            self.call(call, signature)
            return
        if isinstance(signature, str) and signature and signature not in self.signatures:
            self.signatures.append(signature)
        if isinstance(text := part.get("text"), str) and text:
            (self.reasoning if part.get("thought") is True else self.texts).append(text)
            self.late_text |= bool(self.words)
        elif (image := _image_in(part)) is not None:
            self.images.append(image)
        self.has_hosted |= any(name in part for name in _HOSTED)

    def call(self, call: JsonObject, signature: Json) -> None:
        streams = call.get("partialArgs") is not None or call.get("willContinue") is not None
        self.is_streaming_arguments |= streams
        if call.get("name") or not self.is_streaming_arguments:
            self.calls.append({**call, "signature": signature})

    def finish(self) -> Facts:
        facts = self.facts
        unfinished = not (self.words or facts.error or facts.broken)
        facts.text = repaired("".join(self.texts), unfinished=unfinished)
        facts.reasoning = repaired("".join(self.reasoning), unfinished=unfinished)
        facts.calls = tuple(self.call_facts(call) for call in self.calls)
        facts.signatures = tuple(self.signatures)
        facts.images = tuple(self.images)
        facts.citations = self.citations()
        facts.response_id, facts.model = only(self.ids), only(self.models)
        facts.usage = _usage(self.usage)
        if self.has_several:
            # Whether counts are added up is not said.
            facts.usage, facts.response_id = dict.fromkeys(facts.usage), None
        if self.words:
            facts.terminal, *others = dict.fromkeys(self.words)
            facts.other_terminals = tuple(others)
        if self.late_text:
            facts.text = facts.reasoning = None
        facts.may_fail |= (
            facts.terminal != "STOP"
            or bool(facts.other_terminals)
            or not (facts.text or facts.calls or facts.images or self.has_hosted)
            or any(call.name is None or call.arguments is None for call in facts.calls)
        )
        return facts

    def call_facts(self, call: JsonObject) -> CallFacts:
        name, call_id, arguments = call.get("name"), call.get("id"), call.get("args", {})
        same = sum(1 for other in self.calls if other.get("id") == call_id)
        if arguments is None:
            arguments = {}
        whole = isinstance(arguments, dict) and not self.is_streaming_arguments
        signature = call["signature"]
        return CallFacts(
            name=name if isinstance(name, str) and name else None,
            id=call_id if isinstance(call_id, str) and call_id.strip() and same == 1 else None,
            arguments=(arguments,) if whole and _is_plain(arguments) else None,
            signature=signature if isinstance(signature, str) and signature else None,
        )

    def citations(self) -> tuple[Citation, ...] | None:
        if not self.metadata:
            return ()
        if any(one != self.metadata[0] for one in self.metadata):
            return None  # in pieces, or repeated with more in it
        if self.signatures or not "".join(self.texts).isascii():
            return None  # where a part begins, and what is counted, are questions of their own
        return sources_of(self.metadata[0])


def _usage(wire: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return our counts: input is prompt and tools, output is candidates and thoughts.

    A sum whose parts do not add up to the total is in doubt.
    """
    found: dict[str, int | None] = {}
    for name, first, second in (
        ("input_tokens", "promptTokenCount", "toolUsePromptTokenCount"),
        ("output_tokens", "candidatesTokenCount", "thoughtsTokenCount"),
    ):
        if first in wire or second in wire:
            pair = (wire.get(first, 0), wire.get(second, 0))
            found[name] = None if None in pair else sum(count or 0 for count in pair)
    for name, wire_name in (
        ("total_tokens", "totalTokenCount"),
        ("cache_read_input_tokens", "cachedContentTokenCount"),
        ("reasoning_tokens", "thoughtsTokenCount"),
    ):
        if wire_name in wire:
            found[name] = wire[wire_name]
    sums = [found[name] for name in ("input_tokens", "output_tokens") if name in found]
    known = [count for count in sums if count is not None]
    total = found.get("total_tokens")
    if len(known) == len(sums) and total is not None and sum(known) != total:
        found |= dict.fromkeys((n for n in found if n != "total_tokens"), None)
    return found


def _image_in(part: JsonObject) -> str | None:
    """Return the data or the address of an image; of another file nothing."""
    for name, field in (("inlineData", "data"), ("fileData", "fileUri")):
        if isinstance(file := part.get(name), dict):
            is_image = str(file.get("mimeType")).startswith("image/")
            return found if is_image and isinstance(found := file.get(field), str) else None
    return None


def _is_plain(value: Json) -> bool:
    """Return whether every client can hold a value: no lone surrogates, not too deep."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _objects(value: Any) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _json(text: bytes) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOT_JSON
