"""Responses stream events made from any Chat Completions answer."""

from harness.adapters.chatcmpl_to_responses.client import (
    ChatcmplToResponses,
    ChatcmplToResponsesClient,
    SyncChatcmplToResponsesClient,
    chatcmpl_to_responses,
)

__all__ = [
    "ChatcmplToResponses",
    "ChatcmplToResponsesClient",
    "SyncChatcmplToResponsesClient",
    "chatcmpl_to_responses",
]
