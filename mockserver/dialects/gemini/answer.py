"""Writes a turn as Gemini would answer, as an event stream or whole. Pure.

An answer is written with what its turn has. A text with a signature is one chunk: parts of a
stream with and without one are parts of their own. The last chunk has the finish word, and every
chunk the usage so far. Source: recorded answers, ``GenerateContentResponse`` of google-genai 3.6.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mockserver.cassettes.cassette import Response
from mockserver.dialects.gemini.contents import made_part
from mockserver.dialects.gemini.errors import HEADERS, error_body, pretty, write_error
from mockserver.dialects.writing import Pace, deltas, digest, streamed
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.codec import to_json
from mockserver.vocabulary.model import AssistantTurn, Citation, Json, JsonObject, TextPart, Usage


def write_answer(
    turn: AssistantTurn, call: NeutralCall, pace: Pace, *, array: bool = False
) -> Response:
    """Return the answer; a failed turn is its parts and the error, or the error alone.

    With ``array`` a stream is one JSON array, as it is unless an event stream is asked for.
    """
    if not call.stream:
        if turn.error is not None:
            return write_error(turn.error, streamed=False)
        answer = pretty(_whole(turn, call))
        (first,) = pace.times(1)
        wire = replace(answer.wire, headers_ms=first, end_ms=first)
        return replace(answer, wire=wire)
    values = list(_chunks(turn, call, pace))
    if turn.error is not None:
        values.append(error_body(turn.error))
    if array:
        content_type = "application/json; charset=UTF-8"
        return streamed(_elements(values), pace, content_type=content_type, headers=HEADERS)
    headers = (("content-disposition", "attachment"), *HEADERS)
    pieces = (f"data: {_spaced(value)}\r\n\r\n".encode() for value in values)
    return streamed(pieces, pace, content_type="text/event-stream", headers=headers)


def _elements(values: list[JsonObject]) -> Iterator[bytes]:
    """Yield the pieces of an array, an element each."""
    for number, value in enumerate(values):
        before = "[" if number == 0 else ",\r\n"
        after = "\n]" if number == len(values) - 1 else ""
        yield f"{before}{json.dumps(value, indent=2)}{after}".encode()


def _whole(turn: AssistantTurn, call: NeutralCall) -> JsonObject:
    parts = [made for part in _parts(turn) for made in made_part(part)]
    candidate: JsonObject = {"content": {"parts": parts, "role": "model"} if parts else {}}
    return _response(candidate | _ending(turn), turn, call, _usage(turn.usage))


def _chunks(turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Iterator[JsonObject]:
    """Yield the chunks of a stream; that of the last part ends the turn if it has no text."""
    parts = [cut for part in _parts(turn) for cut in _cut(part, pace)]
    ends = turn.error is None
    if ends and not (parts and parts[-1].get("text") == ""):
        parts.append({"text": ""})
    before, after = _early(turn.usage), _usage(turn.usage)
    for number, part in enumerate(parts):
        last = ends and number == len(parts) - 1
        candidate = {"content": {"parts": [part], "role": "model"}}
        ending = _ending(turn) if last else {"index": 0}
        yield _response(candidate | ending, turn, call, after if last else before)


def _cut(part: JsonObject, pace: Pace) -> Iterator[JsonObject]:
    for made in made_part(part):
        if made.get("text") and "thoughtSignature" not in made:
            yield from ({**made, "text": piece} for piece in deltas(made["text"], pace))
        else:
            yield made


def _ending(turn: AssistantTurn) -> JsonObject:
    """Return what the last chunk says of the answer besides its parts."""
    ending: JsonObject = {"finishReason": turn.raw_finish_reason or "STOP", "index": 0}
    if grounding := _grounding(turn):
        ending["groundingMetadata"] = grounding
    return ending


def _response(
    candidate: JsonObject, turn: AssistantTurn, call: NeutralCall, usage: JsonObject
) -> JsonObject:
    return {
        "candidates": [candidate],
        **({"usageMetadata": usage} if usage else {}),
        "modelVersion": turn.model or call.model.rpartition("/")[2],
        "responseId": turn.response_id or _made_id(turn),
    }


def _made_id(turn: AssistantTurn) -> str:
    """Make an id from what the turn says, in the form of Google's."""
    return digest(turn, length=23)


def _usage(usage: Usage | None) -> JsonObject:
    """Return the counts: the candidates are the output without the thoughts."""
    if usage is None:
        return {}
    output, thoughts = usage.output_tokens, usage.reasoning_tokens
    candidates = None if output is None else max(output - (thoughts or 0), 0)
    counts = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": candidates,
        "totalTokenCount": usage.total_tokens,
        "cachedContentTokenCount": usage.cache_read_input_tokens,
        "thoughtsTokenCount": thoughts,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _early(usage: Usage | None) -> JsonObject:
    """Return the counts before the end: of the prompt alone."""
    known = _usage(usage)
    prompt = known.get("promptTokenCount")
    if prompt is None:
        return {}
    return {n: prompt for n in ("promptTokenCount", "totalTokenCount") if n in known}


def _parts(turn: AssistantTurn) -> list[JsonObject]:
    found: list[JsonObject] = to_json(turn.parts)
    return found


def _grounding(turn: AssistantTurn) -> JsonObject:
    """Return the sources; offsets are bytes inside their part."""
    chunks: list[JsonObject] = []
    supports: list[JsonObject] = []
    for number, part in enumerate(turn.parts):
        for citation in part.citations if isinstance(part, TextPart) else ():
            assert isinstance(part, TextPart)
            source = {"uri": citation.url, "title": citation.title}
            chunks.append({"web": {n: v for n, v in source.items() if v is not None}})
            if segment := _segment(part.text, citation):
                place = {"partIndex": number} if number else {}
                support = {"segment": {**place, **segment}}
                supports.append({**support, "groundingChunkIndices": [len(chunks) - 1]})
    if not chunks:
        return {}
    return {"groundingChunks": chunks, **({"groundingSupports": supports} if supports else {})}


def _segment(text: str, citation: Citation) -> Mapping[str, Json]:
    if citation.end is None:
        return {}
    start, end = citation.start or 0, citation.end
    place = {"startIndex": _bytes(text[:start])} if start else {}
    return {**place, "endIndex": _bytes(text[:end]), "text": text[start:end]}


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _spaced(value: Json) -> str:
    """Return JSON text as Google sends it: a space behind each colon."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ": "))
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)
