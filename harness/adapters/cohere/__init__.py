"""A client for Cohere's chat, version 2."""

from harness.adapters.cohere.client import CohereClient, cohere_client

__all__ = ["CohereClient", "cohere_client"]
