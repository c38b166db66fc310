"""``anthropic-client``: a client for the Messages API.

A program can use the class; the function at the end is the adapter of the harness.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from harness.adapters.anthropic.stream import MessagesStream
from harness.adapters.chat.tool_calls import call_ids
from harness.adapters.common.answer import Answer
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.native_client import NativeClient
from harness.clients.interface import Call, adapter
from mockserver.vocabulary import AssistantTurn, Event, NeutralCall


class AnthropicClient(NativeClient):
    """Sends requests to ``{base_url}/v1/messages``.

    ``options`` are those of Chat Completions, as far as the API has them, and all fields of the
    API by their own name; ``betas`` go into the header ``anthropic-beta``. Without a limit of
    tokens a request asks for 4096. In the turn, cached input is part of ``input_tokens``, although
    the API counts it apart.
    """

    dialect = "anthropic"

    def headers(self) -> Mapping[str, str]:
        """Return the key as the API wants it."""
        (key,) = self._secrets
        return {"x-api-key": key} if key else {}

    def answering(self, call: NeutralCall, request_id: str | None) -> Answer:
        """Return the reader of one answer to ``call``."""
        return MessagesStream(
            taken_ids=call_ids(call.messages), secrets=self._secrets, request_id=request_id
        )


@adapter(
    dialects=["anthropic"],
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "citations",
        "retries",
        "multi_turn",
        "structured_output",
        "hosted_tools",
    ],
)
async def anthropic_client(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """Run the client under the harness: one client for each call, closed after it."""
    client = AnthropicClient.for_call(call)
    async with client, aclosing(make_call(client, call)) as answer:
        async for item in answer:
            yield item
