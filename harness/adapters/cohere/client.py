"""``cohere-client``: a client for Cohere's chat, version 2.

A program can use the class; the object at the end is the adapter of the harness.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

from harness.adapters.cohere.stream import CohereAnswer
from harness.adapters.common.answer import Answer
from harness.adapters.common.native_client import NativeClient
from harness.adapters.common.transport import HttpError
from harness.clients.interface import adapter
from mockserver.vocabulary import ErrorClass, Event, NeutralCall

#: The status of a request that the usage guidelines forbid
#: (cohere-ai/cohere-developer-experience#189). Elsewhere it means that a server is full.
_BLOCKED = 498


class CohereClient(NativeClient):
    """Sends calls to ``{base_url}/v2/chat``.

    The plan that a model writes before tool calls is reasoning, and goes back as ``tool_plan``.
    """

    dialect = "cohere"

    def answering(self, call: NeutralCall, request_id: str | None) -> Answer:
        """Read an answer."""
        return CohereAnswer(
            tools=call.tools,
            **self._reading_terms(call, request_id),
        )

    async def _attempt(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        answering: Callable[[str | None], Answer],
    ) -> AsyncGenerator[Event, None]:
        try:
            async with aclosing(super()._attempt(url, headers, body, answering)) as events:
                async for event in events:
                    yield event
        except HttpError as exc:
            if exc.error.status != _BLOCKED:
                raise
            error = replace(exc.error, error_class=ErrorClass.CONTENT_FILTERED, retryable=False)
            raise HttpError(error, exc.body) from None


cohere_client = adapter(
    name="cohere-client",
    dialects=["cohere"],
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "citations",
        "retries",
        "multi_turn",
        "structured_output",
    ],
)(CohereClient.run)
