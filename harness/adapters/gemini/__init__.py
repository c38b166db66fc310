"""A client for Google Gemini's own API."""

from harness.adapters.gemini.client import GeminiClient, gemini_client

__all__ = ["GeminiClient", "gemini_client"]
