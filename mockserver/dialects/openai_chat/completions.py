"""Legacy completions: a prompt is answered with a text. Served only, by whatever has no recording.

Source: https://platform.openai.com/docs/api-reference/completions, and the types of the SDK.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.dialect import Dialect, Ids, UnreadableRequestError
from mockserver.dialects.objection import Objection
from mockserver.dialects.openai_refusals import OpenAIRefusals, write_objection
from mockserver.dialects.openai_writing import (
    CREATED,
    error_answer,
    error_object,
    headers_of,
    usage_object,
    wants_usage,
)
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.writing import Pace, deltas, digest, sse_event, streamed, whole
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    Json,
    JsonObject,
    TextPart,
)

_NOT_OPTIONS = frozenset({"model", "prompt", "stream", "stream_options"})
#: The limit of a text in tokens, which this API has even where none is given.
_LIMIT, _DEFAULT = "max_tokens", 16


class Completions(Dialect):
    """``/v1/completions``."""

    name = "openai-completions"
    endpoint = re.compile("(?<!/chat)/completions")
    answer_routes: ClassVar[tuple[str, ...]] = ("/completions",)
    ids = Ids(answer="cmpl-" + "*" * 29)
    refusals = OpenAIRefusals()
    capacity = Capacity(
        words={
            FinishReason.STOP: "stop",
            FinishReason.LENGTH: "length",
            FinishReason.CONTENT_FILTER: "content_filter",
        },
        parts=frozenset({TextPart}),
        order=(TextPart,),
    )

    def read_call(self, request: Request) -> NeutralCall:
        """Read the prompt as a message of the user; of several prompts, the first is answered."""
        body = body_of(request)
        options = {n: v for n, v in body.items() if n not in _NOT_OPTIONS and v is not None}
        return NeutralCall(
            model=str(body.get("model") or ""),
            messages=({"role": "user", "content": _prompt(body.get("prompt"))},),
            stream=bool(body.get("stream")),
            stream_usage=not body.get("stream") or wants_usage(body.get("stream_options")),
            options={_LIMIT: _DEFAULT, **options},
        )

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Write the text, streamed if the call is."""
        if call.stream:
            return streamed(_events(turn, call, pace), pace, headers=headers_of(turn))
        if turn.error is not None:
            return error_answer(turn.error)
        answer = _head(turn, call) | {"choices": [_choice(turn.content, turn.raw_finish_reason)]}
        return whole(answer | _usage(turn), headers=headers_of(turn), pace=pace)

    def write_error(self, error: ErrorInfo, _call: NeutralCall) -> Response:
        """Write the error in OpenAI's form."""
        return error_answer(error)

    def write_objection(self, objection: Objection, _call: NeutralCall) -> Response:
        """Write the error with the field that is wrong, and its code."""
        return write_objection(objection)


def _prompt(prompt: Json) -> str:
    """Return a prompt: a text, tokens, or a list of these of which the first counts."""
    match prompt:
        case None:
            return ""
        case str():
            return prompt
        case [str(first), *_]:
            return first
        case [int(), *_] if all(isinstance(number, int) for number in prompt):
            return " ".join(map(str, prompt))
        case [[int(), *_] as first, *_] if all(isinstance(number, int) for number in first):
            return " ".join(map(str, first))
    raise UnreadableRequestError("prompt is a text, a list of tokens, or a list of one of these")


def _events(turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Iterator[bytes]:
    head = _head(turn, call)
    early = {"usage": None} if call.stream_usage else {}
    for part in turn.parts:
        if isinstance(part, TextPart):
            for piece in deltas(part.text, pace):
                yield sse_event(head | {"choices": [_choice(piece, None)]} | early)
    if turn.error is not None:
        yield sse_event({"error": error_object(turn.error)})
        return
    yield sse_event(head | {"choices": [_choice("", turn.raw_finish_reason)]} | early)
    if call.stream_usage:
        yield sse_event(head | {"choices": []} | _usage(turn))
    yield sse_event("[DONE]")


def _choice(text: str, reason: str | None) -> JsonObject:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}


def _head(turn: AssistantTurn, call: NeutralCall) -> JsonObject:
    return {
        "id": turn.response_id or "cmpl-" + digest(turn, length=29),
        "object": "text_completion",
        "created": CREATED,
        "model": turn.model or call.model,
    }


def _usage(turn: AssistantTurn) -> JsonObject:
    if turn.usage is None:
        return {}
    return {"usage": usage_object(turn.usage, "prompt_tokens", "completion_tokens")}


COMPLETIONS = Completions()
