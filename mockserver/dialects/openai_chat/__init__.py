"""OpenAI Chat Completions, and the many servers that speak it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects import openai_sdk
from mockserver.dialects.dialect import Dialect, Ids, Reasoning, UnreadableRequestError
from mockserver.dialects.facts import Facts, of_last
from mockserver.dialects.form import Form
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection
from mockserver.dialects.openai_chat import odd, side
from mockserver.dialects.openai_chat.answer import CAPACITY, write_answer
from mockserver.dialects.openai_chat.completions import COMPLETIONS
from mockserver.dialects.openai_chat.facts import read
from mockserver.dialects.openai_chat.refusals import ChatRefusals
from mockserver.dialects.openai_chat.request import outgoing_message, request_body
from mockserver.dialects.openai_refusals import write_objection
from mockserver.dialects.openai_writing import error_answer, wants_usage
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.respelling import StreamEvent
from mockserver.dialects.side import SideRoute
from mockserver.dialects.writing import Pace, compact
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import AssistantTurn, FinishReason, Json, JsonObject
from mockserver.wire.schedule import Schedule

__all__ = ["DIALECT", "OpenAIChat", "outgoing_message", "request_body"]

#: Fields of a request that a neutral call has too, or that a client sets itself.
_NEUTRAL_FIELDS = frozenset({"model", "messages", "tools", "stream", "stream_options"})
#: Fields that may be null, which is their default (the SDK's types say which).
_NULLABLE = (
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "metadata",
    "modalities",
    "moderation",
    "n",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream_options",
    "temperature",
    "top_logprobs",
    "top_p",
    "verbosity",
    "messages.*.audio",
    "messages.*.content",
    "messages.*.function_call",
    "messages.*.refusal",
)
_URL = "https://api.openai.com/v1/chat/completions"


class OpenAIChat(Dialect):
    """Chat Completions (https://platform.openai.com/docs/api-reference/chat)."""

    name = "openai-chat"
    endpoint = re.compile("/chat/completions")
    version = "/v1"
    form = Form(
        opaque_fields={"thought_signature": "signature"},
        foreign_fields=frozenset({"arguments"}),
        user_fields={"user": "user", "safety_identifier": "user"},
        user_trees={"metadata": "metadata"},
        volatile_fields=frozenset(
            {"cached_tokens", "created", "obfuscation", "system_fingerprint", "timings"}
        ),
        volatile_headers=("openai-version",),
        kept_request_headers=frozenset({"openai-beta"}),
        replaced_request_headers={"openai-organization": "org", "openai-project": "project"},
        kept_response_headers=("openai-(?:model|version)",),
        replaced_response_headers={
            "apim-request-id": "req",
            "openai-organization": "org",
            "openai-project": "project",
            "x-ms-request-id": "req",
        },
        base_url_variables=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        server_variables=("AZURE_OPENAI_ENDPOINT", "GROQ_BASE_URL"),
        key_variables=("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "GROQ_API_KEY"),
        other_variables={"OPENAI_API_VERSION": "2024-10-21"},
    )
    # An empty list of tools is refused: "empty array" (vllm-project/vllm#39780).
    silent_values: ClassVar[Mapping[str, tuple[Json, ...]]] = {
        "stream": (None, False),
        **dict.fromkeys(_NULLABLE, (None,)),
    }
    capacity = CAPACITY
    provider = "OpenAI"
    answer_routes: ClassVar[tuple[str, ...]] = ("/chat/completions",)
    side_routes: ClassVar[tuple[SideRoute, ...]] = side.ROUTES
    refusals = ChatRefusals()
    ids = Ids(answer="chatcmpl-" + "*" * 29)
    reasons: ClassVar[Mapping[str, FinishReason]] = {
        "stop": FinishReason.STOP,
        "length": FinishReason.LENGTH,
        "content_filter": FinishReason.CONTENT_FILTER,
        "tool_calls": FinishReason.TOOL_CALLS,
    }

    @property
    def served_only(self) -> tuple[Dialect, ...]:
        """Legacy completions."""
        return (COMPLETIONS,)

    def knows(self, request: Request) -> bool:
        """Return whether it has a bearer token or a path as OpenAI's."""
        return side.knows(request)

    def read_call(self, request: Request) -> NeutralCall:
        """Read the request: the neutral call has the same shape."""
        body = body_of(request)
        return NeutralCall(
            model=str(body.get("model", "")),
            messages=tuple(_objects(body, "messages")),
            tools=tuple(_objects(body, "tools")),
            stream=bool(body.get("stream", False)),
            stream_usage=not body.get("stream") or wants_usage(body.get("stream_options")),
            options={
                k: v
                for k, v in body.items()
                if k not in _NEUTRAL_FIELDS and not _says_nothing(k, v)
            },
        )

    def read_asked(self, request: Request, _memory: Memory) -> NeutralCall:
        """Read the request; a deployment in the path is the model if the body names none."""
        call = self.read_call(request)
        return call if call.model else replace(call, model=side.deployment(request))

    def write_request(self, call: NeutralCall) -> Request:
        """Return the request: the body has the shape of the call, without ``parts``."""
        body = request_body(
            model=call.model,
            messages=call.messages,
            tools=call.tools,
            stream=call.stream,
            options={**({} if call.stream_usage else {"stream_options": None}), **call.options},
        )
        headers = (("content-type", "application/json"),)
        return Request(method="POST", uri=_URL, headers=headers, body=compact(body).encode())

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Return the answer of OpenAI, with the reasoning that other servers send."""
        return write_answer(turn, call, pace)

    def reasoning(self, call: NeutralCall, _request: Request) -> Reasoning | None:
        """Read the words of OpenAI, and those of OpenRouter and of DeepSeek."""
        match call.options:
            case {"reasoning_effort": str(effort)}:
                wanted = effort != "none"
            case {"reasoning": {"enabled": False} | {"effort": "none"}}:
                wanted = False
            case {"reasoning": {"effort": _} | {"max_tokens": _} | {"enabled": _}}:
                wanted = True
            case {"thinking": {"type": "enabled"}}:
                wanted = True
            case _:
                wanted = False
        return Reasoning(sealed=False) if wanted else None

    def said_otherwise(self, event: StreamEvent) -> Iterator[tuple[StreamEvent, ...]]:
        """Yield other chunks that say the same: of no content, with null fields, with the role."""
        return odd.said_otherwise(event)

    def lane(self, event: StreamEvent) -> int | None:
        """Return the index of the call of which a chunk has a piece."""
        return odd.lane(event)

    def write_error(self, error: ErrorInfo, _call: NeutralCall) -> Response:
        """Return the error in OpenAI's form."""
        return error_answer(error)

    def write_objection(self, objection: Objection, _call: NeutralCall) -> Response:
        """Return the error with the field that is wrong, and its code."""
        return write_objection(objection)

    def sdk_program(
        self, base_url: str, body: JsonObject, max_retries: int = 0, _path: str = ""
    ) -> str | None:
        """Use OpenAI's SDK."""
        return openai_sdk.program(
            "chat.completions.create",
            base_url,
            body,
            asked="messages",
            known=_NEUTRAL_FIELDS | {"tool_choice", "n", "logprobs", "response_format"},
            retries=max_retries,
        )

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        """Read the last answer: the ones before were retried."""
        return of_last(answers, read)


def _objects(body: JsonObject, name: str) -> list[JsonObject]:
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise UnreadableRequestError(f"the recorded request has {name} that are no list of objects")
    return found


def _says_nothing(name: str, value: Json) -> bool:
    """Return whether an option is the default, which a client sends or leaves out."""
    return name == "tool_choice" and value in (None, "auto")


DIALECT = OpenAIChat()
