"""What a provider refuses, and in which words: the protocol that every dialect may fill.

A dialect has an object of a subclass of :class:`Refusals`. Each method returns the words that a
page or a recording shows; where none are known, nothing is refused. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, NoReturn

from mockserver.cassettes.cassette import Headers, Request
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection, objection
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass
from mockserver.vocabulary.model import Json, JsonObject


class Problem(StrEnum):
    """Why a body is no JSON object."""

    EMPTY = "empty"
    NO_JSON = "no JSON"
    NO_OBJECT = "no object"


@dataclass(frozen=True)
class Sent:
    """A request for an answer as it was sent.

    ``call`` is ``None`` if it cannot be read. ``memory`` has what was answered before.
    """

    request: Request
    call: NeutralCall | None = None
    memory: Memory | None = None

    @cached_property
    def _parsed(self) -> tuple[Json, Problem | None]:
        if not self.request.body.strip():
            return None, Problem.EMPTY
        try:
            value: Json = json.loads(self.request.body, parse_constant=_no_number)
        except (ValueError, RecursionError):
            return None, Problem.NO_JSON
        return value, None if isinstance(value, dict) else Problem.NO_OBJECT

    @property
    def problem(self) -> Problem | None:
        """Why the body is no JSON object, if it is none."""
        return self._parsed[1]

    @property
    def value(self) -> Json:
        """The body, whatever it is; ``None`` if it is no JSON."""
        return self._parsed[0]

    @property
    def body(self) -> JsonObject:
        """The body; empty if it is no object."""
        value = self.value
        return value if isinstance(value, dict) else {}

    @cached_property
    def model(self) -> str:
        """The model that is asked, by the body or by the call; empty if none is."""
        named = self.body.get("model")
        if isinstance(named, str):
            return named
        return self.call.model if self.call is not None else ""


class QuotaKind(StrEnum):
    """What is counted in a minute."""

    REQUESTS = "requests"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much of a quota is left after a request.

    ``limit`` is how much a minute has, ``remaining`` what may still be asked for at once, ``reset``
    in how many seconds all of it is there again.
    """

    kind: QuotaKind
    limit: int
    remaining: int
    reset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """A request for more than a quota has left.

    ``asked`` is what the request needs, ``wait`` in how many seconds that is there: ``None`` if
    the quota is never so large.
    """

    quota: Quota
    asked: int
    wait: float | None


#: What a status means, where a provider does not say otherwise.
_CLASSES: Mapping[int, ErrorClass] = {
    401: ErrorClass.AUTHENTICATION,
    402: ErrorClass.QUOTA_EXHAUSTED,
    403: ErrorClass.PERMISSION,
    404: ErrorClass.MODEL_NOT_FOUND,
    408: ErrorClass.TIMEOUT,
    413: ErrorClass.PAYLOAD_TOO_LARGE,
    429: ErrorClass.RATE_LIMIT,
    499: ErrorClass.CANCELLED,
    503: ErrorClass.OVERLOADED,
    504: ErrorClass.TIMEOUT,
    529: ErrorClass.OVERLOADED,
}
_SERVER_ERRORS = 500


class Refusals:
    """The words of one provider. What is not overridden is plain English."""

    #: What the provider says of a failure, by status.
    failures: ClassVar[Mapping[int, str]] = {}
    #: Where that is shown.
    source: ClassVar[str] = "https://www.rfc-editor.org/rfc/rfc9110#section-15"

    def objections(self, _sent: Sent) -> Iterator[Objection]:
        """Yield what the provider refuses about a request, in the order in which it looks."""
        yield from ()

    def bad_key(self, _request: Request, *, given: bool) -> Objection:
        """Return what is said to a wrong key, or to none if ``given`` is false."""
        message = "the API key is wrong" if given else "the API key is missing"
        return objection(
            "key", message, self.source, status=401, error_class=ErrorClass.AUTHENTICATION
        )

    def over_limit(self, excess: Excess, _call: NeutralCall) -> Objection:
        """Return what is said to a request that is one too many, or too large."""
        quota = excess.quota
        return objection(
            "rate_limit",
            f"more than {quota.limit} {quota.kind} in a minute",
            self.source,
            status=429,
            error_class=ErrorClass.RATE_LIMIT,
            retry_after=whole_seconds(excess.wait),
        )

    def too_long(self, tokens: int, most: int, _call: NeutralCall) -> Objection:
        """Return what is said to a conversation of more tokens than the model takes."""
        return objection(
            "context_length",
            f"the conversation has {tokens} tokens, the model takes {most}",
            self.source,
            error_class=ErrorClass.CONTEXT_LENGTH,
        )

    def limit_headers(self, _quotas: Sequence[Quota], _epoch: float) -> Headers:
        """Return the headers that tell what is left, ``epoch`` seconds after 1970."""
        return ()

    def failure(self, status: int, retry: float | None, call: NeutralCall) -> Objection:
        """Return a failure that is not the fault of the request. ``retry`` is in seconds."""
        words = self.failures.get(status) or self.failures.get(status // 100 * 100)
        return objection(
            "failure",
            (words or "an error").replace("{model}", call.model),
            self.source,
            status=status,
            error_class=class_of(status),
            retry_after=retry,
        )


def class_of(status: int) -> ErrorClass:
    """Return what an HTTP status means."""
    other = ErrorClass.SERVER_ERROR if status >= _SERVER_ERRORS else ErrorClass.INVALID_REQUEST
    return _CLASSES.get(status, other)


def whole_seconds(wait: float | None) -> float | None:
    """Return a wait in whole seconds, at least one: a shorter one would be too short."""
    return None if wait is None else float(max(1, -int(-wait // 1)))


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
