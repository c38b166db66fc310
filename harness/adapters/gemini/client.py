"""``gemini-client``: a client for Gemini's own API, of AI Studio and of Vertex AI.

A program can use the class; the object at the end is the adapter of the harness.
"""

from __future__ import annotations

from harness.adapters.common.native_client import NativeClient
from harness.adapters.gemini.body import GeminiBody
from harness.adapters.gemini.stream import GeminiStream
from harness.clients.interface import adapter
from mockserver.vocabulary import NeutralCall


class GeminiClient(NativeClient):
    """Sends requests to ``{base_url}/v1beta/models/{model}:generateContent`` and its stream.

    The key goes into ``x-goog-api-key``.
    """

    dialect = "gemini"
    key_header = "x-goog-api-key"
    reading = GeminiBody

    def answering(self, call: NeutralCall, request_id: str | None) -> GeminiStream:
        """Return the reader of one answer to ``call``."""
        return GeminiStream(**self._reading_terms(call, request_id))


gemini_client = adapter(
    name="gemini-client",
    dialects=["gemini"],
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "citations",
        "retries",
        "multi_turn",
        "structured_output",
        "multiple_choices",
        "hosted_tools",
    ],
)(GeminiClient.run)
