"""Amazon Bedrock Runtime."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.bedrock import sdk, side
from mockserver.dialects.bedrock.answer import CAPACITY, write_answer, write_error
from mockserver.dialects.bedrock.call import asks_for_reasoning, read_call
from mockserver.dialects.bedrock.facts import read
from mockserver.dialects.bedrock.refusals import BedrockRefusals, write_objection
from mockserver.dialects.bedrock.request import write_request
from mockserver.dialects.bedrock.sdk_arguments import sdk_arguments
from mockserver.dialects.dialect import Dialect, Ids, Reasoning
from mockserver.dialects.facts import Facts, of_last
from mockserver.dialects.form import Form
from mockserver.dialects.objection import Objection
from mockserver.dialects.side import SideRoute
from mockserver.dialects.writing import Pace
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import AssistantTurn, FinishReason, Json, JsonObject
from mockserver.wire.schedule import Schedule


class Bedrock(Dialect):
    """Converse and InvokeModel (https://docs.aws.amazon.com/bedrock/latest/APIReference/)."""

    name = "bedrock"
    endpoint = re.compile(
        "/model/[^/]+/(?:converse-stream|converse|invoke-with-response-stream|invoke)"
    )
    answer_routes: ClassVar[tuple[str, ...]] = (
        "/model/{model}/converse",
        "/model/{model}/converse-stream",
    )
    side_routes: ClassVar[tuple[SideRoute, ...]] = side.ROUTES
    form = Form(
        opaque_fields={"signature": "signature", "redactedContent": "redacted"},
        foreign_fields=frozenset({"inputSchema", "requestMetadata"}),
        volatile_fields=frozenset({"latencyMs", "p"}),
        delta_numbers=frozenset({"contentBlockIndex"}),
        kept_response_headers=("x-amzn-errortype",),
        replaced_response_headers={"x-amzn-requestid": "req"},
        base_url_variables=("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",),
        key_variables=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        other_variables={"AWS_DEFAULT_REGION": "us-east-1"},
        hidden_variables=("AWS_BEARER_TOKEN_BEDROCK", "AWS_SESSION_TOKEN"),
    )
    # botocore sends both; an empty list of tools is refused.
    silent_values: ClassVar[Mapping[str, tuple[Json, ...]]] = {
        "inferenceConfig": ({},),
        "system": ([],),
    }
    # malformed_tool_use and malformed_model_output are failures.
    refusals = BedrockRefusals()
    reasons: ClassVar[Mapping[str, FinishReason]] = {
        "end_turn": FinishReason.STOP,
        "stop_sequence": FinishReason.STOP,
        "tool_use": FinishReason.TOOL_CALLS,
        "max_tokens": FinishReason.LENGTH,
        "model_context_window_exceeded": FinishReason.LENGTH,
        "guardrail_intervened": FinishReason.CONTENT_FILTER,
        "content_filtered": FinishReason.CONTENT_FILTER,
    }
    capacity = CAPACITY
    ids = Ids(call="tooluse_" + "*" * 22, seal="EqQBCkYI")

    def knows(self, request: Request) -> bool:
        """Return whether it is signed for AWS, or names a model as Bedrock does."""
        return side.knows(request)

    def read_call(self, request: Request) -> NeutralCall:
        """Read the request in the words of Chat Completions."""
        return read_call(request)

    def write_request(self, call: NeutralCall) -> Request:
        """Write the request for a region of AWS; the model is in the path."""
        return write_request(call)

    def sdk_arguments(self, call: NeutralCall) -> JsonObject:
        """Return the arguments of ``converse``, which ``converse_stream`` takes too."""
        return sdk_arguments(call.model, super().sdk_arguments(call))

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Write frames, or one JSON object."""
        return write_answer(turn, call, pace)

    def reasoning(self, call: NeutralCall, _request: Request) -> Reasoning | None:
        """Read the words of the models, which the API hands on."""
        return Reasoning() if asks_for_reasoning(call) else None

    def write_error(self, error: ErrorInfo, _call: NeutralCall) -> Response:
        """Write the error with its type in a header."""
        return write_error(error)

    def write_objection(self, objection: Objection, call: NeutralCall) -> Response:
        """Write the error with the exception that it is."""
        return write_objection(objection, self.write_error(objection.error, call))

    def sdk_program(
        self, base_url: str, body: JsonObject, max_retries: int = 0, path: str = ""
    ) -> str | None:
        """Use boto3."""
        return sdk.program(base_url, body, max_retries, path)

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        """Read the last answer: the ones before were retried."""
        return of_last(answers, read)


DIALECT = Bedrock()
