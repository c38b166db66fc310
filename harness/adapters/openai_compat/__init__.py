"""A small client for any server that speaks Chat Completions."""

from harness.adapters.openai_compat.client import (
    OpenAICompatClient,
    OpenAICompatError,
    openai_compat,
)

__all__ = ["OpenAICompatClient", "OpenAICompatError", "openai_compat"]
