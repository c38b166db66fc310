"""Broken clients for Cohere's chat: the bundled one, one step changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import replace

from harness.adapters.cohere.client import CohereClient
from harness.adapters.cohere.stream import CohereAnswer
from harness.adapters.common.answer import Answer
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.native_client import AnswerTerms
from harness.model import AssistantTurn, ErrorClass, ErrorInfo
from harness.model import Event as NeutralEvent
from mockserver.vocabulary import Json, NeutralCall
from tests.saboteurs.broken import caught_by
from tests.saboteurs.native_caller import NativeCaller


class CohereCaller(NativeCaller):
    """Makes its call with the bundled client, one of whose readers is broken."""

    dialect = "cohere"
    bundled = CohereClient
    answer = CohereAnswer

    def reader(self, call: NeutralCall, terms: AnswerTerms) -> Answer:
        return self.answer(tools=call.tools, **terms)


@caught_by("error", "false-success", "cohere/finish-timeout/timeout/recorded")
class TakesATimeoutForAStop(CohereCaller):
    class answer(CohereAnswer):  # noqa: N801
        def _end(self, end: Mapping[str, Json]) -> ErrorInfo | None:
            word = "COMPLETE" if end.get("finish_reason") == "TIMEOUT" else end.get("finish_reason")
            return super()._end({**end, "finish_reason": word})


@caught_by("request", "request-form", "cohere/plan-roundtrip/recorded")
class LosesThePlan(CohereCaller):
    def made(self, client: CohereClient) -> AsyncGenerator[NeutralEvent | AssistantTurn, None]:
        plain = tuple(
            {name: value for name, value in message.items() if name != "parts"}
            for message in self.call.messages
        )
        return make_call(client, replace(self.call, messages=plain))


@caught_by("turn", "usage", "cohere/usage-two-pairs/both/recorded")
class MixesThePairs(CohereCaller):
    class answer(CohereAnswer):  # noqa: N801
        def _count(self, usage: Json) -> None:
            if isinstance(usage, Mapping):
                given = usage["tokens"]["input_tokens"]
                made = usage["billed_units"]["output_tokens"]
                self._usage.add({"input_tokens": given, "output_tokens": made})


@caught_by("calls-kept", "tool-call", "cohere/calls-interleaved/alternating/recorded")
class ContinuesTheCallThatBeganLast(CohereCaller):
    class answer(CohereAnswer):  # noqa: N801
        def _message(self, message: Mapping[str, Json], index: Json) -> Iterator[NeutralEvent]:
            return super()._message(message, None)


@caught_by("error", "false-success", "cohere/bad-json-event/recorded")
class SkipsWhatItCannotRead(CohereCaller):
    class answer(CohereAnswer):  # noqa: N801
        def fail(self, error: ErrorInfo) -> list[NeutralEvent]:
            return [] if error.error_class is ErrorClass.PROTOCOL else super().fail(error)
