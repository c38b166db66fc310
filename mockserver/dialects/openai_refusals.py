"""What OpenAI's APIs say of keys, limits and failures. Pure.

Sources: https://platform.openai.com/docs/guides/error-codes and
https://platform.openai.com/docs/guides/rate-limits, and recorded errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Headers, Request, Response
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.openai_objections import wrong
from mockserver.dialects.openai_writing import error_answer, error_object
from mockserver.dialects.refusals import Excess, Quota, QuotaKind, Refusals, whole_seconds
from mockserver.dialects.writing import compact, digest
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass

_GUIDE = "https://platform.openai.com/docs/guides/"
_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank "
    "username) if you're accessing the API from your browser and are prompted for a username and "
    "password. You can obtain an API key from https://platform.openai.com/account/api-keys."
)
#: The key is not repeated: what is wrong here may be right elsewhere.
_WRONG_KEY = (
    "Incorrect API key provided: ********. You can find your API key at "
    "https://platform.openai.com/account/api-keys."
)
_ORGANIZATION = digest("organization", length=24)
_SHORT = {QuotaKind.REQUESTS: "RPM", QuotaKind.TOKENS: "TPM"}


class OpenAIRefusals(Refusals):
    """The words that all of OpenAI's APIs have in common."""

    source = f"{_GUIDE}error-codes"
    failures: ClassVar[Mapping[int, str]] = {
        400: "Invalid request.",
        401: _WRONG_KEY,
        403: "Country, region, or territory not supported",
        404: "The model `{model}` does not exist or you do not have access to it.",
        408: "Request timed out.",
        409: "The resource was updated by another process. Please try again.",
        429: "Rate limit reached for requests",
        500: "The server had an error while processing your request. Sorry about that!",
        503: "The engine is currently overloaded, please try again later",
    }

    def bad_key(self, _request: Request, *, given: bool) -> Objection:
        """Return what is said to a wrong key, or to none."""
        return objection(
            "key",
            _WRONG_KEY if given else _NO_KEY,
            self.source,
            status=401,
            error_class=ErrorClass.AUTHENTICATION,
            code="invalid_api_key" if given else None,
        )

    def over_limit(self, excess: Excess, call: NeutralCall) -> Objection:
        """Return what is said to one request too many, or one that is too large."""
        quota = excess.quota
        where = f"for {call.model} in organization org-{_ORGANIZATION} on {quota.kind} per min"
        where = f"{where} ({_SHORT[quota.kind]}): Limit {quota.limit}"
        if excess.wait is None:
            message = (
                f"Request too large {where}, Requested {excess.asked}. The input or output tokens "
                "must be reduced in order to run successfully."
            )
        else:
            message = (
                f"Rate limit reached {where}, Used {quota.limit - quota.remaining}, Requested "
                f"{excess.asked}. Please try again in {_duration(excess.wait)}."
            )
        return objection(
            "rate_limit",
            f"{message} Visit https://platform.openai.com/account/rate-limits to learn more.",
            f"{_GUIDE}rate-limits",
            status=429,
            error_class=ErrorClass.RATE_LIMIT,
            retry_after=whole_seconds(excess.wait),
            type=str(quota.kind),
            code="rate_limit_exceeded",
        )

    def too_long(self, tokens: int, most: int, _call: NeutralCall) -> Objection:
        """Return what is said to a conversation that is too long."""
        return wrong(
            "context_length",
            f"This model's maximum context length is {most} tokens. However, your messages "
            f"resulted in {tokens} tokens. Please reduce the length of the messages.",
            self.source,
            param="messages",
            code="context_length_exceeded",
        )

    def limit_headers(self, quotas: Sequence[Quota], _epoch: float) -> Headers:
        """Return what is left, and when all is there again."""
        found: list[tuple[str, str]] = []
        for word in ("limit", "remaining", "reset"):
            for quota in quotas:
                value = getattr(quota, word)
                text = _duration(value) if word == "reset" else str(value)
                found.append((f"x-ratelimit-{word}-{quota.kind}", text))
        return tuple(found)


def write_objection(refused: Objection) -> Response:
    """Return an error with the fields that an objection has besides."""
    answer = error_answer(refused.error)
    body = {"error": {**error_object(refused.error), **refused.fields}}
    return Response(
        status=answer.status,
        reason=answer.reason,
        headers=answer.headers,
        body=compact(body).encode(),
        wire=answer.wire,
    )


def _duration(seconds: float) -> str:
    """Return a duration as Go writes it, which the headers have: ``547ms``, ``6m0s``."""
    if seconds < 1:
        return f"{-int(-seconds * 1000 // 1)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
