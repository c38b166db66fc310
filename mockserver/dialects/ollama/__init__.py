"""Ollama's own API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.dialect import Dialect, Ids, Reasoning
from mockserver.dialects.facts import Facts, of_last
from mockserver.dialects.form import Form
from mockserver.dialects.ollama import side
from mockserver.dialects.ollama.answer import CAPACITY, write_answer, write_error
from mockserver.dialects.ollama.call import read_call
from mockserver.dialects.ollama.facts import read
from mockserver.dialects.ollama.refusals import OllamaRefusals
from mockserver.dialects.ollama.request import write_request
from mockserver.dialects.ollama.sdk import program
from mockserver.dialects.respelling import StreamEvent
from mockserver.dialects.side import SideRoute
from mockserver.dialects.writing import Pace
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import AssistantTurn, FinishReason, Json, JsonObject
from mockserver.wire.schedule import Schedule


class Ollama(Dialect):
    """/api/chat and /api/generate (https://github.com/ollama/ollama/blob/main/docs/api.md).

    A call with the option ``endpoint: generate`` asks the latter.
    """

    name = "ollama"
    endpoint = re.compile("/api/(?:chat|generate)")
    answer_routes: ClassVar[tuple[str, ...]] = ("/api/chat", "/api/generate")
    side_routes: ClassVar[tuple[SideRoute, ...]] = side.ROUTES
    form = Form(
        # The address names the machine and its public key.
        opaque_fields={"signin_url": "signin"},
        foreign_fields=frozenset({"arguments"}),
        volatile_fields=frozenset(
            {
                "created_at",
                "eval_duration",
                "load_duration",
                "prompt_eval_duration",
                "total_duration",
            }
        ),
        base_url_variables=("OLLAMA_HOST",),
    )
    # The server reads JSON into Go's values: null leaves the default, and a list without items is
    # no list (ollama/ollama#5779). It streams unless asked not to.
    silent_values: ClassVar[Mapping[str, tuple[Json, ...]]] = {
        "stream": (None, True),
        "options": (None, {}),
        **dict.fromkeys(("think", "keep_alive"), (None,)),
        **dict.fromkeys(("tools", "images", "messages.*.images"), (None, [])),
        "messages.*.tool_calls": (None, []),
    }
    refusals = OllamaRefusals()
    reasons: ClassVar[Mapping[str, FinishReason]] = {
        "stop": FinishReason.STOP,
        "length": FinishReason.LENGTH,
        "tool_calls": FinishReason.TOOL_CALLS,
    }
    capacity = CAPACITY
    ids = Ids(call="call_" + "*" * 8)
    results_by_name = True

    def knows(self, request: Request) -> bool:
        """Return whether its path is one of Ollama's."""
        return "/api/" in request.url.path

    def read_call(self, request: Request) -> NeutralCall:
        """Read the request in the words of Chat Completions."""
        return read_call(request)

    def write_request(self, call: NeutralCall) -> Request:
        """Write a request to a server on this machine."""
        return write_request(call)

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Write a stream of lines, or one object."""
        return write_answer(turn, call, pace)

    def reasoning(self, call: NeutralCall, _request: Request) -> Reasoning | None:
        """Read ``think``: true, or a level."""
        effort = call.options.get("reasoning_effort")
        wanted = call.options.get("think") is True or effort not in (None, "none")
        return Reasoning(sealed=False) if wanted else None

    def said_otherwise(self, event: StreamEvent) -> Iterator[tuple[StreamEvent, ...]]:
        """Yield the line behind one without text."""
        if isinstance(event.data, dict) and "message" in event.data:
            nothing = {"role": "assistant", "content": ""}
            kept = {n: v for n, v in event.data.items() if n in ("model", "created_at")}
            yield StreamEvent({**kept, "message": nothing, "done": False}), event

    def write_error(self, error: ErrorInfo, call: NeutralCall) -> Response:
        """Write an object with the text of the error."""
        return write_error(error, call)

    def sdk_program(
        self, base_url: str, body: JsonObject, _max_retries: int = 0, _path: str = ""
    ) -> str | None:
        """Use Ollama's SDK."""
        return program(base_url, body)

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        """Read the last answer: the ones before were retried."""
        return of_last(answers, read)


DIALECT = Ollama()
