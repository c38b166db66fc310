"""``bedrock-client``: a client for Converse and ConverseStream of Amazon Bedrock.

A program can use the class; the object at the end is the adapter of the harness. Requests carry a
Bedrock API key as a bearer token; they are not signed.
"""

from __future__ import annotations

from harness.adapters.bedrock.frames import FrameBody
from harness.adapters.bedrock.stream import ConverseStream
from harness.adapters.common.answer import Answer
from harness.adapters.common.native_client import NativeClient
from harness.clients.interface import adapter
from mockserver.vocabulary import NeutralCall


class BedrockClient(NativeClient):
    """Sends requests to ``{base_url}/model/{model}/converse-stream``, or ``…/converse``."""

    dialect = "bedrock"
    reading = FrameBody

    def answering(self, call: NeutralCall, request_id: str | None) -> Answer:
        """Return the reader of one answer."""
        return ConverseStream(**self._reading_terms(call, request_id))


bedrock_client = adapter(
    name="bedrock-client",
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
)(BedrockClient.run)
