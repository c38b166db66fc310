"""Cohere's own API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.cohere import answer, call, failures, request, side
from mockserver.dialects.cohere.facts import read_facts
from mockserver.dialects.cohere.refusals import CohereRefusals
from mockserver.dialects.cohere.sdk import program
from mockserver.dialects.dialect import Dialect, Ids, Reasoning
from mockserver.dialects.facts import Facts
from mockserver.dialects.form import Form
from mockserver.dialects.respelling import StreamEvent
from mockserver.dialects.side import SideRoute
from mockserver.dialects.writing import Pace
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import AssistantTurn, FinishReason, Json, JsonObject
from mockserver.wire.schedule import Schedule


class Cohere(Dialect):
    """Chat, version 2 (https://docs.cohere.com/reference/chat).

    Version 1 is served and recorded, and not judged: its requests cannot be turned into calls.
    """

    name = "cohere"
    endpoint = re.compile("/v[12]/chat")
    answer_routes: ClassVar[tuple[str, ...]] = ("/chat",)
    side_routes: ClassVar[tuple[SideRoute, ...]] = side.ROUTES
    form = Form(
        foreign_fields=frozenset({"arguments", "document", "tool_output"}),
        volatile_headers=(
            "x-debug-trace-id",
            "x-envoy-upstream-service-time",
            "x-endpoint-monthly-call-limit",
            "x-trial-endpoint-call-.*",
            "num_(?:chars|tokens)",
        ),
        delta_numbers=frozenset({"content_index"}),
        delta_openers=("content-", "tool-call-"),
        replaced_response_headers={"x-debug-trace-id": "trace"},
        base_url_variables=("CO_API_URL",),
        key_variables=("CO_API_KEY", "COHERE_API_KEY"),
    )
    silent_values: ClassVar[Mapping[str, tuple[Json, ...]]] = {"stream": (False,)}
    # ERROR and TIMEOUT are failures, not reasons.
    refusals = CohereRefusals()
    reasons: ClassVar[Mapping[str, FinishReason]] = {
        "COMPLETE": FinishReason.STOP,
        "STOP_SEQUENCE": FinishReason.STOP,
        "MAX_TOKENS": FinishReason.LENGTH,
        "TOOL_CALL": FinishReason.TOOL_CALLS,
    }
    capacity = answer.CAPACITY
    ids = Ids(answer=answer.ID_FORM, call="{name}_" + "*" * 12)

    def knows(self, request: Request) -> bool:
        """Return whether Cohere's SDK sends it."""
        return side.knows(request)

    def read_call(self, request: Request) -> NeutralCall:
        """Read a request of version 2."""
        return call.read_call(request)

    def write_request(self, call: NeutralCall) -> Request:
        """Write a request of version 2."""
        return request.write_request(call)

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Write an answer, streamed if the call is."""
        return answer.write_answer(turn, call, pace)

    def reasoning(self, call: NeutralCall, _request: Request) -> Reasoning | None:
        """Read ``thinking``."""
        match call.options.get("thinking"):
            case {"type": "enabled"}:
                return Reasoning(sealed=False)
        return None

    def said_otherwise(self, event: StreamEvent) -> Iterator[tuple[StreamEvent, ...]]:
        """Yield the event behind one for people who look for faults, which the API has too."""
        if isinstance(event.data, dict) and event.data.get("type") != "message-start":
            yield StreamEvent({"type": "debug", "prompt": "x"}, "debug"), event

    def write_error(self, error: ErrorInfo, call: NeutralCall) -> Response:
        """Write an error with its HTTP status."""
        return failures.write_error(error, call)

    def sdk_program(
        self, base_url: str, body: JsonObject, max_retries: int = 0, _path: str = ""
    ) -> str | None:
        """Use Cohere's SDK."""
        return program(base_url, body, max_retries)

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        """Read the last answer: the ones before were retried."""
        return read_facts(answers)


DIALECT = Cohere()
