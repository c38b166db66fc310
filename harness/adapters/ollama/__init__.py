"""A client for Ollama's own API."""

from harness.adapters.ollama.client import OllamaClient, ollama_client

__all__ = ["OllamaClient", "ollama_client"]
