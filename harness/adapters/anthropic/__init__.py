"""A client for the Messages API of Anthropic, and for servers that speak it."""

from harness.adapters.anthropic.client import AnthropicClient, anthropic_client

__all__ = ["AnthropicClient", "anthropic_client"]
