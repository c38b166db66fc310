"""Why a provider refuses a request. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockserver.vocabulary.failure import ErrorClass, ErrorInfo
from mockserver.vocabulary.model import Json

#: How many characters of a message are kept: it may quote the request.
_LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One reason to refuse a request.

    ``check`` is its id, ``error`` what the provider answers, ``source`` the page or the recording
    that shows it. ``fields`` are what the provider says of it besides: further fields of its error
    object. ``proves``: the request is wrong about what the model has said before, such as a tool
    result without its call, which no client can mean.
    """

    check: str
    error: ErrorInfo
    source: str
    proves: bool = False
    fields: Mapping[str, Json] = field(default_factory=dict)


def objection(
    check: str,
    message: str,
    source: str,
    *,
    status: int = 400,
    error_class: ErrorClass = ErrorClass.INVALID_REQUEST,
    retry_after: float | None = None,
    proves: bool = False,
    **fields: Json,
) -> Objection:
    """Return an objection with the words of a provider. ``retry_after`` is in seconds."""
    error = ErrorInfo(
        error_class=error_class,
        message=message[:_LONGEST],
        retryable=error_class.retryable,
        status=status,
        retry_after=retry_after,
    )
    return Objection(check=check, error=error, source=source, proves=proves, fields=fields)
