"""Writes answers of the Responses API, streamed and whole. Pure.

The events, their order and their fields are those of
https://platform.openai.com/docs/api-reference/responses-streaming, as api.openai.com sends them;
``obfuscation``, which a client may turn off, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mockserver.cassettes.cassette import Headers, Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.openai_responses.output import Item, items_of, whole_part
from mockserver.dialects.openai_writing import (
    CREATED,
    error_object,
    headers_of,
    usage_object,
)
from mockserver.dialects.writing import Pace, deltas, digest, sse_event, streamed, whole
from mockserver.vocabulary.fold import merged
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    ImagePart,
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    RefusalPart,
    Status,
    TextPart,
    ToolCallPart,
)

CAPACITY = Capacity(
    words={
        FinishReason.STOP: "completed",
        FinishReason.TOOL_CALLS: "completed",
        FinishReason.LENGTH: "max_output_tokens",
        FinishReason.CONTENT_FILTER: "content_filter",
    },
    parts=frozenset({ReasoningPart, TextPart, RefusalPart, ToolCallPart, ImagePart}),
    channel="summary",
    channels=frozenset({"text"}),
    seals=frozenset({"encrypted_content"}),
    citations=True,
    urls_only=True,
    phases=True,
    omitted=True,
    usage=frozenset(
        {
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "reasoning_tokens",
        }
    ),
)
#: Fields of a response that repeat the request, with what they are if it has none.
_ECHOES: Mapping[str, object] = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "auto",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}


@dataclass(frozen=True, slots=True)
class Manner:
    """What differs between the servers of the API.

    ``output`` says that the end of a stream repeats the items, ``queued`` that a stream begins with
    a job that waits; ``headers`` come beside those of the API.
    """

    output: bool = True
    queued: bool = False
    headers: Headers = ()


_PLAIN = Manner()
#: Seen in the answers of OpenAI (openai/openai-agents-python#3472); there it is longer.
_POLL_AFTER_MS = "100"
_Event = tuple[str, JsonObject]


def write_answer(
    turn: AssistantTurn, body: JsonObject, pace: Pace, manner: Manner = _PLAIN
) -> Response:
    """Return the answer to the request with that ``body``, streamed if it asks for a stream.

    Raises :class:`~mockserver.dialects.UnwritableError` for an image that is not in a ``data:``
    URL, and for a failure that no server says.
    """
    headers = (*headers_of(turn), *manner.headers)
    if not body.get("stream"):
        return whole(response_of(turn, body, manner=manner), headers=headers, pace=pace)
    return streamed(events(turn, body, pace, manner), pace, headers=headers)


def events(
    turn: AssistantTurn, body: JsonObject, pace: Pace, manner: Manner = _PLAIN
) -> Iterator[bytes]:
    """Yield the events of a stream, each by its number."""
    for number, (kind, fields) in enumerate(_Writer(turn, body, pace, manner).events()):
        yield sse_event({"type": kind, "sequence_number": number, **fields}, kind)


def response_of(
    turn: AssistantTurn, body: JsonObject, status: str | None = None, manner: Manner = _PLAIN
) -> JsonObject:
    """Return the response at its end, or in a ``status`` in which it says nothing yet."""
    writer = _Writer(turn, body, Pace(), manner)
    return writer.ended() if status is None else writer.silent(status)


def job_headers(turn: AssistantTurn) -> Headers:
    """Return the headers of a response that is not ready, with the wait before the next poll."""
    return (*headers_of(turn), ("openai-poll-after-ms", _POLL_AFTER_MS))


def id_of(turn: AssistantTurn) -> str:
    """Return the id of the response that says a turn."""
    return turn.response_id or "resp_" + digest(turn, length=48)


class _Writer:
    def __init__(self, turn: AssistantTurn, body: JsonObject, pace: Pace, manner: Manner) -> None:
        self._turn = turn
        self._body = body
        self._pace = pace
        self._manner = manner
        self._id = id_of(turn)
        self._items = items_of(turn.parts, self._id)

    def events(self) -> Iterator[_Event]:
        """Yield all events, by type and fields."""
        first = "queued" if self._manner.queued else "in_progress"
        yield "response.created", {"response": self._response(first)}
        if self._manner.queued:
            yield "response.queued", {"response": self._response("queued")}
        yield "response.in_progress", {"response": self._response("in_progress")}
        for index, item in enumerate(self._items):
            place: JsonObject = {"item_id": item.id, "output_index": index}
            yield "response.output_item.added", {"output_index": index, "item": item.begun()}
            yield from self._inside(item, place)
            yield "response.output_item.done", {"output_index": index, "item": self._whole(item)}
        response = self.ended()
        if not self._manner.output:
            response["output"] = []
        yield f"response.{self._turn.status}", {"response": response}

    def ended(self) -> JsonObject:
        """Return the response at its end."""
        turn = self._turn
        output = [self._whole(item) for item in self._items]
        response = self._response(str(turn.status), output)
        if turn.status is Status.INCOMPLETE:
            response["incomplete_details"] = {"reason": turn.raw_finish_reason}
        if turn.error is not None:
            error = error_object(turn.error)
            response["error"] = {
                "code": error["code"] or error["type"],
                "message": error["message"],
            }
        if turn.usage is not None:
            response["usage"] = usage_object(turn.usage, "input_tokens", "output_tokens")
        return response

    def silent(self, status: str) -> JsonObject:
        """Return the response without what it will say."""
        return self._response(status)

    def _response(self, status: str, output: Sequence[JsonObject] = ()) -> JsonObject:
        given = {name: value for name, value in self._body.items() if value is not None}
        echoes = merged({**_ECHOES}, {name: given[name] for name in _ECHOES if name in given})
        if isinstance(echoes["tools"], list):
            echoes["tools"] = [_echoed(tool) for tool in echoes["tools"]]
        return {
            "id": self._id,
            "object": "response",
            "created_at": CREATED,
            "completed_at": CREATED + 1 if status == Status.COMPLETED else None,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self._turn.model or self._body.get("model"),
            "output": list(output),
            **echoes,
            "usage": None,
        }

    def _whole(self, item: Item) -> JsonObject:
        stopped = self._turn.status is not Status.COMPLETED and item is self._items[-1]
        return item.whole(complete=not stopped)

    def _inside(self, item: Item, place: JsonObject) -> Iterator[_Event]:
        """Yield the events between the beginning and the end of an item."""
        numbers = {"summary_index": 0, "content_index": 0}
        for part in item.parts:
            match part:
                case ToolCallPart():
                    yield from self._call(part, place)
                case ImagePart():
                    for step in ("in_progress", "generating", "completed"):
                        yield f"response.image_generation_call.{step}", place
                case ReasoningPart() if not part.text:
                    continue
                case _:
                    is_summary = isinstance(part, ReasoningPart) and part.channel == "summary"
                    name = "summary_index" if is_summary else "content_index"
                    yield from self._part(part, {**place, name: numbers[name]})
                    numbers[name] += 1

    def _part(self, part: Part, place: JsonObject) -> Iterator[_Event]:
        done = whole_part(part)
        kind, field = _TEXTS[done["type"]]
        frame = _SUMMARY_PART if "summary_index" in place else _CONTENT_PART
        extra: JsonObject = {"logprobs": []} if kind == "output_text" else {}
        empty = {**done, field: ""} | ({"annotations": []} if extra else {})
        yield f"response.{frame}.added", {**place, "part": empty}
        for piece in deltas(done[field], self._pace):
            yield f"response.{kind}.delta", {**place, "delta": piece, **extra}
        for number, source in enumerate(done.get("annotations", ())):
            at = {**place, "annotation_index": number, "annotation": source}
            yield "response.output_text.annotation.added", at
        yield f"response.{kind}.done", {**place, field: done[field], **extra}
        yield f"response.{frame}.done", {**place, "part": done}

    def _call(self, call: ToolCallPart, place: JsonObject) -> Iterator[_Event]:
        kind = "response.function_call_arguments"
        for piece in deltas(call.arguments_raw, self._pace):
            yield f"{kind}.delta", {**place, "delta": piece}
        if call.arguments is not None:
            yield f"{kind}.done", {**place, "arguments": call.arguments_raw}


def _echoed(tool: Json) -> Json:
    """Return a tool as a response repeats it: with the defaults of what was left out."""
    if not isinstance(tool, dict) or tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, "strict": True, **tool}


_CONTENT_PART, _SUMMARY_PART = "content_part", "reasoning_summary_part"
#: The event and the field of a text, by the type of its part.
_TEXTS: Mapping[str, tuple[str, str]] = {
    "output_text": ("output_text", "text"),
    "refusal": ("refusal", "refusal"),
    "reasoning_text": ("reasoning_text", "text"),
    "summary_text": ("reasoning_summary_text", "text"),
}
