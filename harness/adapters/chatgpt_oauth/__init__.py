"""A client for the Codex backend of ChatGPT, signed in by OAuth."""

from harness.adapters.chatgpt_oauth.client import ChatGPTOAuthClient, chatgpt_oauth

__all__ = ["ChatGPTOAuthClient", "chatgpt_oauth"]
