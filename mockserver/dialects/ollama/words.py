"""The names of options, in Chat Completions and in Ollama's API.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md and docs/modelfile.mdx.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Chat Completions names by those in Ollama's ``options``. Other options have no such name.
OPTIONS: Mapping[str, str] = {
    "num_predict": "max_completion_tokens",
    "stop": "stop",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
#: The option of a call that asks ``/api/generate`` instead of ``/api/chat``.
ENDPOINT = "endpoint"
GENERATE = "generate"
#: A schema has no name in ``format``.
SCHEMA_NAME = "response"
