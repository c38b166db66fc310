"""A small client for any server that speaks Chat Completions."""

from harness.adapters.openai_compat.client import (
    Client,
    OpenAICompatClient,
    OpenAICompatError,
    openai_compat,
    played,
)

__all__ = ["Client", "OpenAICompatClient", "OpenAICompatError", "openai_compat", "played"]
