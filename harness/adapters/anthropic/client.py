"""``anthropic-client``: a client for the Messages API.

A program can use the class; the object at the end is the adapter of the harness.
"""

from __future__ import annotations

from harness.adapters.anthropic.stream import MessagesStream
from harness.adapters.common.answer import Answer
from harness.adapters.common.native_client import NativeClient
from harness.clients.interface import adapter
from mockserver.vocabulary import NeutralCall


class AnthropicClient(NativeClient):
    """Sends requests to ``{base_url}/v1/messages``.

    ``options`` are those of Chat Completions, as far as the API has them, and all fields of the
    API by their own name; ``betas`` go into the header ``anthropic-beta``. Without a limit of
    tokens a request asks for 4096. In the turn, cached input is part of ``input_tokens``, although
    the API counts it apart.
    """

    dialect = "anthropic"
    key_header = "x-api-key"

    def answering(self, call: NeutralCall, request_id: str | None) -> Answer:
        """Return the reader of one answer to ``call``."""
        return MessagesStream(**self._reading_terms(call, request_id))


anthropic_client = adapter(
    name="anthropic-client",
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
)(AnthropicClient.run)
