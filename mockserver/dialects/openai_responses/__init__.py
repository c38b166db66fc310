"""The OpenAI Responses API, and the servers that speak it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Headers, Interaction, Request, Response
from mockserver.dialects import openai_sdk
from mockserver.dialects.dialect import Dialect, Ids, Reasoning, UnwritableError
from mockserver.dialects.facts import Facts, of_last
from mockserver.dialects.form import Form
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection
from mockserver.dialects.openai_refusals import write_objection
from mockserver.dialects.openai_responses import refused_thoughts, side, stored
from mockserver.dialects.openai_responses.answer import CAPACITY, Manner, write_answer
from mockserver.dialects.openai_responses.call import (
    asks_for_encrypted,
    is_about,
    is_in_progress,
    read_call,
)
from mockserver.dialects.openai_responses.facts import read
from mockserver.dialects.openai_responses.native import GRAMMAR
from mockserver.dialects.openai_responses.refusals import ResponsesRefusals
from mockserver.dialects.openai_responses.request import is_reasoning_model, responses_body
from mockserver.dialects.openai_writing import error_answer
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.respelling import StreamEvent
from mockserver.dialects.side import SideRoute
from mockserver.dialects.writing import Pace, compact
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import AssistantTurn, FinishReason, Json, JsonObject
from mockserver.wire.schedule import Schedule, from_response

__all__ = ["DIALECT", "OpenAIResponses", "is_reasoning_model", "responses_body"]


#: Fields that may be null, which is their default (the SDK's types say which).
_NULLABLE = (
    "context_management",
    "conversation",
    "include",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream_options",
    "temperature",
    "top_logprobs",
    "top_p",
    "truncation",
)


class OpenAIResponses(Dialect):
    """Responses (https://platform.openai.com/docs/api-reference/responses)."""

    name = "openai-responses"
    endpoint = re.compile("/responses")
    version = "/v1"
    provider = "OpenAI"
    answer_routes: ClassVar[tuple[str, ...]] = ("/responses",)
    side_routes: ClassVar[tuple[SideRoute, ...]] = side.ROUTES
    form = Form(
        opaque_fields={"encrypted_content": "encrypted"},
        foreign_fields=frozenset({"arguments"}),
        user_fields={"user": "user", "safety_identifier": "user"},
        user_trees={"metadata": "metadata"},
        request_echoes=frozenset({"response"}),
        volatile_fields=frozenset({"cached_tokens", "completed_at", "created_at", "obfuscation"}),
        volatile_headers=("openai-version",),
        delta_numbers=frozenset({"output_index", "content_index", "summary_index", "item_id"}),
        kept_request_headers=frozenset({"openai-beta"}),
        replaced_request_headers={"openai-organization": "org", "openai-project": "project"},
        kept_response_headers=("openai-(?:model|version)",),
        replaced_response_headers={"openai-organization": "org", "openai-project": "project"},
        base_url_variables=("OPENAI_BASE_URL",),
        key_variables=("OPENAI_API_KEY",),
    )
    # The status, or the reason of an incomplete response.
    reasons: ClassVar[Mapping[str, FinishReason]] = {
        "completed": FinishReason.STOP,
        "max_output_tokens": FinishReason.LENGTH,
        "content_filter": FinishReason.CONTENT_FILTER,
    }
    silent_values: ClassVar[Mapping[str, tuple[Json, ...]]] = {
        "stream": (None, False),
        "background": (None, False),
        # A response without tools repeats the request with an empty list.
        "tools": ([],),
        **dict.fromkeys(_NULLABLE, (None,)),
    }
    grammar = GRAMMAR
    capacity = CAPACITY
    refusals = ResponsesRefusals()
    ids = Ids(answer="resp_" + "#" * 48, seal="gAAAAABp")
    #: Where the provider answers, and the headers that every request needs.
    address: ClassVar[str] = "https://api.openai.com/v1/responses"
    request_headers: ClassVar[Headers] = (("content-type", "application/json"),)
    #: What differs in the answers.
    manner: ClassVar[Manner] = Manner()

    def read_call(self, request: Request) -> NeutralCall:
        """Read the request in the words of Chat Completions."""
        return read_call(request)

    def read_asked(self, request: Request, memory: Memory) -> NeutralCall:
        """Read the request with what it refers to."""
        return stored.read_asked(request, memory)

    def remember(
        self, request: Request, call: NeutralCall, turn: AssistantTurn, memory: Memory
    ) -> None:
        """Store the response, unless the request says not to, and what its reasoning led to."""
        stored.remember(request, call, turn, memory)
        refused_thoughts.remember(turn, memory)

    def body(self, call: NeutralCall) -> JsonObject:
        """Return the body of the request that says a call. Raises :class:`UnwritableError`."""
        return self._written(call, background=False)

    def write_request(self, call: NeutralCall) -> Request:
        """Return the request. A system message becomes a developer's, which means the same.

        Models that reason are asked for their encrypted reasoning.
        """
        body = compact(self.body(call)).encode()
        return Request(method="POST", uri=self.address, headers=self.request_headers, body=body)

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Return the answer, which repeats the request. A failed turn is a failed response."""
        return write_answer(turn, self.body(call), pace, self.manner)

    def answer_to(
        self, request: Request, turn: AssistantTurn, call: NeutralCall, pace: Pace
    ) -> Response:
        """Return the answer, which repeats the fields of the very request."""
        return write_answer(turn, {**body_of(request), "stream": call.stream}, pace, self.manner)

    def reasoning(self, call: NeutralCall, request: Request) -> Reasoning | None:
        """Read effort and summary; what is encrypted must be asked for."""
        effort, config = call.options.get("reasoning_effort"), call.options.get("reasoning")
        summary = config.get("summary") if isinstance(config, Mapping) else None
        if effort == "none" or (effort is None and summary is None):
            return None
        return Reasoning(shown=summary is not None, sealed=asks_for_encrypted(request))

    def said_otherwise(self, event: StreamEvent) -> Iterator[tuple[StreamEvent, ...]]:
        """Yield the event behind one of a new kind, which OpenAI adds without notice."""
        if isinstance(event.data, dict) and event.data.get("type") != "response.created":
            yield StreamEvent({"type": "response.x_new"}, "response.x_new"), event

    def write_error(self, error: ErrorInfo, _call: NeutralCall) -> Response:
        """Return the error in OpenAI's form."""
        return error_answer(error)

    @staticmethod
    def _written(call: NeutralCall, *, background: bool) -> JsonObject:
        try:
            return responses_body(
                model=call.model,
                messages=call.messages,
                tools=call.tools,
                stream=call.stream,
                background=background,
                options=call.options,
            )
        except ValueError as exc:
            raise UnwritableError(str(exc)) from None

    def continues(self, before: Sequence[Interaction], request: Request) -> str | None:
        """Return ``background`` for a request that polls the response, still in progress.

        To resume an interrupted stream is a retry.
        """
        last = from_response(before[-1].response)
        return "background" if is_in_progress(last) and is_about(before[0], request) else None

    def is_pending(self, answers: Sequence[Schedule]) -> bool:
        """Return whether the last answer is a response that is still in progress."""
        return is_in_progress(answers[-1])

    def write_objection(self, objection: Objection, _call: NeutralCall) -> Response:
        """Return the error with the field that is wrong, and its code."""
        return write_objection(objection)

    def sdk_program(
        self, base_url: str, body: JsonObject, max_retries: int = 0, _path: str = ""
    ) -> str | None:
        """Use OpenAI's SDK."""
        return openai_sdk.program(
            "responses.create",
            base_url,
            body,
            asked="input",
            known=frozenset({"model", "input", "instructions", "stream", "background", "store"}),
            retries=max_retries,
        )

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        """Read the last answer: the ones before were retried."""
        return of_last(answers, read)


DIALECT = OpenAIResponses()
