"""Makes a call with a bundled native client, one of whose readers is broken."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, ClassVar

from harness.adapters.common.answer import Answer
from harness.adapters.common.answer_body import AnswerBody
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.native_client import AnswerTerms, NativeClient
from harness.adapters.common.transport import BodyReading
from harness.model import AssistantTurn
from harness.model import Event as NeutralEvent
from mockserver.vocabulary import NeutralCall
from tests.saboteurs.client import SimpleClient


class NativeCaller(SimpleClient):
    """``bundled`` is the client; ``answer`` reads its answers, ``body_reader`` their bodies."""

    bundled: ClassVar[type[NativeClient]]
    answer: ClassVar[type[Answer]]
    body_reader: ClassVar[BodyReading] = AnswerBody

    async def run(self) -> AsyncIterator[Any]:
        reader, bodies = self.reader, self.body_reader

        class Client(self.bundled):  # type: ignore[name-defined,misc]
            reading = bodies

            def answering(self, call: NeutralCall, request_id: str | None) -> Answer:
                return reader(call, self._reading_terms(call, request_id))

        async with Client.for_call(self.call) as client:
            async for item in self.made(client):
                yield item

    def reader(self, _call: NeutralCall, terms: AnswerTerms) -> Answer:
        return self.answer(**terms)

    def made(self, client: NativeClient) -> AsyncGenerator[NeutralEvent | AssistantTurn, None]:
        return make_call(client, self.call)
