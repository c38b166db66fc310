"""Why a provider refuses a request. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.vocabulary.failure import ErrorInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One reason to refuse a request.

    ``check`` is its id, ``error`` what the provider answers, ``source`` the page or the recording
    that shows it. ``proves``: the request is wrong about what the model has said before, such as a
    tool result without its call, which no client can mean.
    """

    check: str
    error: ErrorInfo
    source: str
    proves: bool = False
