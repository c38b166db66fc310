"""Anthropic Messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.anthropic import (
    answer,
    call,
    elsewhere,
    error_answer,
    facts,
    request,
    sdk,
    side,
)
from mockserver.dialects.anthropic.refusals import AnthropicRefusals
from mockserver.dialects.anthropic.refused_messages import signed, thought_out
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.dialect import Dialect, Ids, Reasoning
from mockserver.dialects.facts import Facts, of_last
from mockserver.dialects.form import Form
from mockserver.dialects.memory import Memory
from mockserver.dialects.refusals import Refusals
from mockserver.dialects.respelling import StreamEvent
from mockserver.dialects.side import SideRoute
from mockserver.dialects.writing import Pace
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    Json,
    JsonObject,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from mockserver.wire.schedule import Schedule


class Anthropic(Dialect):
    """Messages (https://platform.claude.com/docs/en/api/messages)."""

    name = "anthropic"
    endpoint = re.compile("/v1/messages")
    answer_routes: ClassVar[tuple[str, ...]] = ("/messages",)
    refusals: ClassVar[Refusals] = AnthropicRefusals()
    side_routes: ClassVar[tuple[SideRoute, ...]] = side.ROUTES
    form = Form(
        opaque_fields={
            "signature": "signature",
            "encrypted_content": "encrypted",
            "encrypted_index": "encrypted",
        },
        foreign_fields=frozenset({"input_schema"}),
        user_trees={"metadata": "metadata"},
        volatile_fields=frozenset(
            {
                "cache_creation",
                "cache_creation_input_tokens",
                "cache_read_input_tokens",
                "expires_at",
            }
        ),
        delta_openers=("content_block_",),
        kept_request_headers=frozenset({"anthropic-beta", "anthropic-version"}),
        replaced_response_headers={"anthropic-organization-id": "org", "request-id": "req"},
        base_url_variables=("ANTHROPIC_BASE_URL",),
        key_variables=("ANTHROPIC_API_KEY",),
    )
    # The SDK's types say which fields may be null; an empty list of tools is taken (LangChain's
    # recordings), and the others are refused.
    silent_values: ClassVar[Mapping[str, tuple[Json, ...]]] = {
        "stream": (False,),
        "tools": ([],),
        **dict.fromkeys(
            ("cache_control", "container", "diagnostics", "inference_geo", "speed"), (None,)
        ),
    }
    reasons: ClassVar[Mapping[str, FinishReason]] = {
        "end_turn": FinishReason.STOP,
        "stop_sequence": FinishReason.STOP,
        "tool_use": FinishReason.TOOL_CALLS,
        "max_tokens": FinishReason.LENGTH,
        "model_context_window_exceeded": FinishReason.LENGTH,
        "pause_turn": FinishReason.PAUSE,
        "compaction": FinishReason.PAUSE,
        "refusal": FinishReason.REFUSAL,
    }
    ids = Ids(answer="msg_01" + "*" * 22, call="toolu_01" + "*" * 22, seal="EqQBCkYI")
    capacity = Capacity(
        words={
            FinishReason.STOP: "end_turn",
            FinishReason.LENGTH: "max_tokens",
            FinishReason.TOOL_CALLS: "tool_use",
            FinishReason.PAUSE: "pause_turn",
            FinishReason.REFUSAL: "refusal",
        },
        parts=frozenset({TextPart, ReasoningPart, ToolCallPart}),
        seals=frozenset({"signature", "redacted_data"}),
        stop_word=answer.STOP_WORD,
        # Whole answers have objects, not texts.
        call_text=False,
        citations=True,
        usage=frozenset(
            {
                "input_tokens",
                "output_tokens",
                "cache_read_input_tokens",
                "cache_creation_input_tokens",
                "reasoning_tokens",
            }
        ),
    )

    @property
    def served_only(self) -> tuple[Dialect, ...]:
        """Messages on the platforms of others."""
        return (_OnVertex(), _OnBedrock())

    def knows(self, request: Request) -> bool:
        """Return whether it has a header that only this API has, or names the company."""
        return side.knows(request)

    def remember(
        self, _request: Request, _call: NeutralCall, turn: AssistantTurn, memory: Memory
    ) -> None:
        """Remember which thoughts have which signature, and which calls came of thoughts."""
        thinks = False
        for part in turn.parts:
            if isinstance(part, ReasoningPart) and part.signature:
                thinks = True
                memory.keep(signed(part.signature), part.text, len(part.text))
            elif isinstance(part, ToolCallPart) and part.id and thinks:
                memory.keep(thought_out(part.id), part.id, len(part.id))

    def read_call(self, request: Request) -> NeutralCall:
        """Read the request in the words of Chat Completions."""
        return call.read_call(request)

    def write_request(self, call: NeutralCall) -> Request:
        """Write the request; without a limit of tokens it gets one."""
        return request.write_request(call)

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Write the answer as a stream of events, or as one message."""
        return answer.write_answer(turn, call, pace)

    def reasoning(self, call: NeutralCall, _request: Request) -> Reasoning | None:
        """Read ``thinking``; where it is not displayed, its signature comes all the same."""
        match call.options.get("thinking"):
            case {"type": "enabled" | "adaptive", "display": "omitted"}:
                return Reasoning(shown=False)
            case {"type": "enabled" | "adaptive"}:
                return Reasoning()
        return None

    def said_otherwise(self, event: StreamEvent) -> Iterator[tuple[StreamEvent, ...]]:
        """Yield the event behind a ping, and behind one of a new kind, as the versioning allows."""
        if isinstance(event.data, dict) and event.data.get("type") != "message_start":
            for kind in ("ping", "x_new"):
                yield StreamEvent({"type": kind}, kind), event

    def write_error(self, error: ErrorInfo, call: NeutralCall) -> Response:
        """Write the error with the status that the provider has for it."""
        return error_answer.write_error(error, call)

    def sdk_arguments(self, call: NeutralCall) -> JsonObject:
        """Return the arguments of ``messages.create``."""
        return sdk.arguments(super().sdk_arguments(call))

    def sdk_program(
        self, base_url: str, body: JsonObject, max_retries: int = 0, _path: str = ""
    ) -> str | None:
        """Use Anthropic's SDK."""
        return sdk.program(base_url, body, max_retries)

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        """Read the last answer: the ones before were retried."""
        return of_last(answers, facts.read)


class _Elsewhere(Anthropic):
    """Messages on the platform of another company, which refuses in words of its own."""

    side_routes = ()
    refusals: ClassVar[Refusals] = Refusals()

    @property
    def served_only(self) -> tuple[Dialect, ...]:
        """Nothing more."""
        return ()


class _OnVertex(_Elsewhere):
    """Messages on Vertex AI (https://platform.claude.com/docs/en/build-with-claude)."""

    name = "anthropic-vertex"
    endpoint = elsewhere.VERTEX
    answer_routes = ("/models/{model}:rawPredict", "/models/{model}:streamRawPredict")

    def read_call(self, request: Request) -> NeutralCall:
        """Read the request; the model is in the path."""
        return call.read_call(elsewhere.of_vertex(request))


class _OnBedrock(_Elsewhere):
    """Messages by InvokeModel of Amazon Bedrock."""

    name = "anthropic-bedrock"
    endpoint = elsewhere.BEDROCK
    answer_routes = ("/model/{model}/invoke", "/model/{model}/invoke-with-response-stream")

    def read_call(self, request: Request) -> NeutralCall:
        """Read the request; the model and whether it wants a stream are in the path."""
        return call.read_call(elsewhere.of_bedrock(request))

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Write the message, or the events in frames."""
        if turn.error is not None and not call.stream:
            return self.write_error(turn.error, call)
        return elsewhere.framed(answer.write_answer(turn, call, pace), pace)

    def write_error(self, error: ErrorInfo, call: NeutralCall) -> Response:
        """Write the error with its type in a header."""
        return elsewhere.bedrock_error(error, error_answer.write_error(error, call).status)


DIALECT = Anthropic()
