"""``ollama-client``: a client for Ollama's own API.

A program can use the class; the object at the end is the adapter of the harness.
"""

from __future__ import annotations

from harness.adapters.common.native_client import NativeClient
from harness.adapters.ollama.lines import LinesBody
from harness.adapters.ollama.stream import OllamaStream
from harness.clients.interface import adapter
from mockserver.vocabulary import NeutralCall


class OllamaClient(NativeClient):
    """Sends requests to ``{base_url}/api/chat``, such as ``http://127.0.0.1:11434/api/chat``.

    A server on the same machine needs no key: give an empty one. ``options`` of a call that
    Chat Completions do not have go to the server by Ollama's names: ``keep_alive``, ``think``, and
    ``options`` with those of the model. The option ``endpoint: generate`` asks ``/api/generate``.
    """

    dialect = "ollama"
    reading = LinesBody

    def answering(self, call: NeutralCall, request_id: str | None) -> OllamaStream:
        """Return the reader of one answer to ``call``."""
        return OllamaStream(**self._reading_terms(call, request_id))


ollama_client = adapter(
    name="ollama-client",
    dialects=["ollama"],
    features=[
        "streaming",
        "non_streaming",
        "tools",
        "reasoning",
        "retries",
        "multi_turn",
        "structured_output",
        "generate",
    ],
)(OllamaClient.run)
