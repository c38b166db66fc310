"""Google Gemini's own API, of AI Studio and of Vertex AI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar
from urllib.parse import parse_qs

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.dialect import Dialect, Ids, Reasoning
from mockserver.dialects.facts import Facts, of_last
from mockserver.dialects.form import Form
from mockserver.dialects.gemini import answer, errors, sdk, side
from mockserver.dialects.gemini.call import asked_reasoning, read_call
from mockserver.dialects.gemini.facts import read
from mockserver.dialects.gemini.plain import plain_request
from mockserver.dialects.gemini.refusals import GeminiRefusals, write_objection
from mockserver.dialects.gemini.refused_contents import signed
from mockserver.dialects.gemini.request import write_request
from mockserver.dialects.gemini.sdk_arguments import sdk_arguments
from mockserver.dialects.gemini.words import REASONS, WORDS
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection
from mockserver.dialects.respelling import StreamEvent
from mockserver.dialects.side import SideRoute
from mockserver.dialects.writing import Pace
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    ImagePart,
    Json,
    JsonObject,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from mockserver.wire.schedule import Schedule

#: What stands before a model, without the proxy before that.
_ADDRESS = re.compile(
    r"/v\d\w*/(?:[^:]*/)?(models/[^/:]+:(?:streamGenerateContent|generateContent))"
)


#: In the JSON of protocol buffers null, and an empty list or map, is the same as nothing
#: (https://protobuf.dev/programming-guides/json/); an empty configuration says nothing.
_EMPTY: Mapping[str, tuple[Json, ...]] = {
    **dict.fromkeys(("tools", "safetySettings", "safety_settings"), (None, [])),
    **dict.fromkeys(("generationConfig", "generation_config"), (None, {})),
    **dict.fromkeys(("toolConfig", "tool_config", "labels"), (None, {})),
    **dict.fromkeys(("systemInstruction", "system_instruction"), (None,)),
    **dict.fromkeys(("cachedContent", "cached_content"), (None, "")),
}


class Gemini(Dialect):
    """generateContent (https://ai.google.dev/api/generate-content); the model is in the path."""

    name = "gemini"
    # The SDKs add the version and the rest of the path to the base URL themselves.
    endpoint = re.compile(
        r"/v\d\w*/(?:[^:]*/)?models/[^/:]+:(?:streamGenerateContent|generateContent)"
    )
    answer_routes: ClassVar[tuple[str, ...]] = (
        "/models/{model}:generateContent",
        "/models/{model}:streamGenerateContent",
    )
    side_routes: ClassVar[tuple[SideRoute, ...]] = side.ROUTES
    form = Form(
        opaque_fields={"thoughtSignature": "signature", "thought_signature": "signature"},
        foreign_fields=frozenset({"args"}),
        user_trees={"labels": "label"},
        volatile_fields=frozenset({"cachedContentTokenCount", "createTime"}),
        volatile_headers=("server-timing",),
        replaced_request_headers={"x-goog-user-project": "project"},
        base_url_variables=("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    )
    silent_values = _EMPTY
    refusals = GeminiRefusals()
    reasons: ClassVar[Mapping[str, FinishReason]] = REASONS
    ids = Ids(answer="*" * 23, call="*" * 8, seal="CpcBAdHt")
    capacity = Capacity(
        words=WORDS,
        parts=frozenset({TextPart, ReasoningPart, ToolCallPart, ImagePart}),
        seals=frozenset({"signature"}),
        call_text=False,
        call_signatures=True,
        text_signatures=True,
        neighbours=False,
        citations=True,
        usage=frozenset(
            {
                "input_tokens",
                "output_tokens",
                "total_tokens",
                "cache_read_input_tokens",
                "reasoning_tokens",
            }
        ),
    )

    def knows(self, request: Request) -> bool:
        """Return whether it has a key as Google takes one, or a version that only Google has."""
        return side.knows(request)

    def remember(
        self, _request: Request, call: NeutralCall, turn: AssistantTurn, memory: Memory
    ) -> None:
        """Remember the signatures of calls, where the model wants them back."""
        for part in turn.parts if "gemini-3" in call.model else ():
            if isinstance(part, ToolCallPart) and part.thought_signature:
                signature = part.thought_signature
                memory.keep(signed(part.name, part.arguments or {}), signature, len(signature))

    def read_call(self, request: Request) -> NeutralCall:
        """Read the request in the words of Chat Completions."""
        return read_call(request)

    def plain_path(self, path: str) -> str:
        """Leave out the version, and the project of Vertex AI: an SDK's default has changed."""
        return _ADDRESS.sub(r"/\1", path)

    def plain_request(self, body: JsonObject) -> JsonObject:
        """Return the body with one spelling of names, and one content for each turn."""
        return plain_request(body)

    def write_request(self, call: NeutralCall) -> Request:
        """Write the request to AI Studio's address."""
        return write_request(call)

    def sdk_arguments(self, call: NeutralCall) -> JsonObject:
        """Return the arguments of ``generate_content``, streamed or not."""
        return sdk_arguments(call.model, super().sdk_arguments(call))

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Write the answer, streamed if the call is."""
        return answer.write_answer(turn, call, pace)

    def answer_to(
        self, request: Request, turn: AssistantTurn, call: NeutralCall, pace: Pace
    ) -> Response:
        """Write the answer; a stream is one JSON array unless an event stream is asked for."""
        array = parse_qs(request.url.query).get("alt") != ["sse"]
        return answer.write_answer(turn, call, pace, array=array)

    def reasoning(self, call: NeutralCall, request: Request) -> Reasoning | None:
        """Read ``thinkingConfig``; models of version 3 always sign their calls."""
        return asked_reasoning(call, request)

    def said_otherwise(self, event: StreamEvent) -> Iterator[tuple[StreamEvent, ...]]:
        """Yield the chunk behind one without a candidate, and behind one with an empty text."""
        if isinstance(event.data, dict) and event.data.get("candidates"):
            rest = {n: v for n, v in event.data.items() if n != "candidates"}
            content = {"parts": [{"text": ""}], "role": "model"}
            yield StreamEvent(rest), event
            yield StreamEvent({**rest, "candidates": [{"content": content, "index": 0}]}), event

    def write_error(self, error: ErrorInfo, call: NeutralCall) -> Response:
        """Write the error in Google's body."""
        return errors.write_error(error, streamed=call.stream)

    def write_objection(self, objection: Objection, call: NeutralCall) -> Response:
        """Write the error with its details."""
        return write_objection(objection, streamed=call.stream)

    def sdk_program(
        self, base_url: str, body: JsonObject, max_retries: int = 0, path: str = ""
    ) -> str | None:
        """Use Google's SDK."""
        return sdk.program(base_url, body, max_retries, path)

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        """Read the last answer: the ones before were retried, unless it goes on from them."""
        whole = [answer.plain for answer in answers if answer.status < 400]
        return of_last(answers, lambda _last: read(whole))


DIALECT = Gemini()
