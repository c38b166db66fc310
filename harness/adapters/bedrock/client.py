"""``bedrock-client``: a client for Converse and ConverseStream of Amazon Bedrock.

A program can use the class; the function at the end is the adapter of the harness. Requests carry a
Bedrock API key as a bearer token; they are not signed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from harness.adapters.bedrock.frames import FrameBody
from harness.adapters.bedrock.stream import ConverseStream
from harness.adapters.chat.tool_calls import call_ids
from harness.adapters.common.answer import Answer
from harness.adapters.common.harness_call import make_call
from harness.adapters.common.native_client import NativeClient
from harness.clients.interface import Call, adapter
from mockserver.vocabulary import AssistantTurn, Event, NeutralCall


class BedrockClient(NativeClient):
    """Sends requests to ``{base_url}/model/{model}/converse-stream``, or ``…/converse``."""

    dialect = "bedrock"
    reading = FrameBody

    def answering(self, call: NeutralCall, request_id: str | None) -> Answer:
        """Return the reader of one answer."""
        return ConverseStream(
            taken_ids=call_ids(call.messages), secrets=self._secrets, request_id=request_id
        )


@adapter(
    dialects=["bedrock"],
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
async def bedrock_client(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """Run the client under the harness: one client for each call, closed after it."""
    client = BedrockClient.for_call(call)
    async with client, aclosing(make_call(client, call)) as answer:
        async for item in answer:
            yield item
