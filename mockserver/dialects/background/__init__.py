"""Background jobs of the Responses API: created, polled, resumed and cancelled."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.facts import Facts
from mockserver.dialects.form import Form
from mockserver.dialects.openai_responses import OpenAIResponses
from mockserver.dialects.openai_responses.answer import Manner, job_headers, response_of
from mockserver.dialects.openai_responses.facts import read_job
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.writing import Pace, whole
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import AssistantTurn, JsonObject
from mockserver.wire.schedule import Schedule


class Background(OpenAIResponses):
    """A response in the background (https://platform.openai.com/docs/guides/background)."""

    name = "background"
    refines = frozenset({"openai-responses"})
    form = Form()
    manner = Manner(queued=True)

    def matches(self, request: Request) -> bool:
        """Return whether it creates a job: later requests about a job are useless without that."""
        if not super().matches(request) or b'"background"' not in request.body:
            return False
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            return False
        return isinstance(body, dict) and body.get("background") is True

    def body(self, call: NeutralCall) -> JsonObject:
        """Return the body that creates a job."""
        return self._written(call, background=True)

    def write_answer(self, turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
        """Return the stream of a job, from its creation to its end.

        Raises :class:`UnwritableError` without a stream: the answer to the creation is a job that
        waits, and the turn is in the answer to a later request.
        """
        if not call.stream:
            raise UnwritableError("a job without a stream takes several answers")
        return super().write_answer(turn, call, pace)

    def answer_to(
        self, request: Request, turn: AssistantTurn, call: NeutralCall, pace: Pace
    ) -> Response:
        """Return a job that waits, or its stream."""
        if call.stream:
            return super().answer_to(request, turn, call, pace)
        return whole(response_of(turn, body_of(request), "queued"), headers=job_headers(turn))

    def sdk_program(
        self, _base_url: str, _body: JsonObject, _max_retries: int = 0, _path: str = ""
    ) -> str | None:
        """Return ``None``: a job takes several calls."""
        return None

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        """Read all answers about the job: together they show its result."""
        return read_job(answers)


DIALECT = Background()
