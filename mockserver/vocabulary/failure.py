"""Why a call failed, in one vocabulary for all providers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from mockserver.vocabulary.limits import Limit, Text


class ErrorClass(StrEnum):
    """What went wrong, from the caller's point of view."""

    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    MODEL_NOT_FOUND = "model_not_found"
    INVALID_REQUEST = "invalid_request"
    CONTEXT_LENGTH = "context_length"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    CONTENT_FILTERED = "content_filtered"
    QUOTA_EXHAUSTED = "quota_exhausted"
    RATE_LIMIT = "rate_limit"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    TRUNCATED_STREAM = "truncated_stream"
    EMPTY_RESPONSE = "empty_response"
    STREAM_ERROR = "stream_error"
    INVALID_TOOL_ARGUMENTS = "invalid_tool_arguments"
    PROTOCOL = "protocol"
    CANCELLED = "cancelled"

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later (the default of the class)."""
        return self in _RETRYABLE


_RETRYABLE = frozenset(
    {
        ErrorClass.RATE_LIMIT,
        ErrorClass.OVERLOADED,
        ErrorClass.SERVER_ERROR,
        ErrorClass.TIMEOUT,
        ErrorClass.CONNECTION_LOST,
        ErrorClass.TRUNCATED_STREAM,
        ErrorClass.EMPTY_RESPONSE,
        ErrorClass.STREAM_ERROR,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """One failure: its class and the provider's message, without secrets.

    ``status`` is the HTTP status, ``code`` the provider's own code, ``retry_after`` is in
    seconds, ``message`` is clipped by the adapter.
    """

    error_class: ErrorClass
    message: Annotated[str, Limit(most=2000)]
    retryable: bool
    status: Annotated[int, Limit(least=100, most=599)] | None = None
    code: Text | None = None
    request_id: Text | None = None
    retry_after: Annotated[float, Limit()] | None = None
