"""What Cohere's Chat API refuses, in its words. Pure.

Source: https://docs.cohere.com/reference/errors, which lists the messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Headers, Request
from mockserver.dialects import go_json
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.refusals import Excess, Problem, Quota, QuotaKind, Refusals, Sent
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass
from mockserver.vocabulary.model import Json, JsonObject

_SOURCE = "https://docs.cohere.com/reference/errors"


class CohereRefusals(Refusals):
    """The words of Cohere."""

    source = _SOURCE
    failures: ClassVar[Mapping[int, str]] = {
        400: "invalid request",
        401: "invalid api token",
        402: "Please add or update your payment method at https://dashboard.cohere.com/billing",
        403: "your api key has no access to this resource",
        404: "model '{model}' not found, make sure the correct model ID was used and that you have "
        "access to the model.",
        429: "You are past the per minute request limit, please wait and try again later.",
        499: "request cancelled",
        500: "internal server error, this has been reported to our developers.",
        503: "the service is unavailable, please try again later",
        504: "the request timed out",
    }

    def objections(self, sent: Sent) -> Iterator[Objection]:
        """Yield what is wrong."""
        if sent.problem is not None:
            if sent.problem is not Problem.NO_OBJECT:
                words = go_json.mistake(sent.request.body, "unexpected end of JSON input")
                yield _wrong("body", f"invalid json syntax: {words}")
            return
        body = sent.body
        model, messages = body.get("model"), body.get("messages")
        if model in (None, ""):
            yield _wrong("missing", "a model parameter is required for this endpoint.")
        elif not isinstance(model, str):
            yield _type("model", model, "string")
        if messages is not None and not isinstance(messages, list):
            yield _type("messages", messages, "array")
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict) and _says_nothing(message):
                yield _wrong("empty_text", "message must not be empty in a turn")
        yield from _numbers(body)

    def bad_key(self, _request: Request, *, given: bool) -> Objection:
        """Return what is said to a wrong key, or to none."""
        return objection(
            "key",
            "invalid api token" if given else "no api key supplied",
            _SOURCE,
            status=401,
            error_class=ErrorClass.AUTHENTICATION,
        )

    def over_limit(self, excess: Excess, _call: NeutralCall) -> Objection:
        """Return what is said to one request too many. It names no wait."""
        words = self.failures[429]
        if excess.quota.kind is QuotaKind.TOKENS:
            most = excess.quota.limit
            words = f"trial token rate limit exceeded, limit is {most} tokens per minute"
        return objection(
            "rate_limit", words, _SOURCE, status=429, error_class=ErrorClass.RATE_LIMIT
        )

    def limit_headers(self, quotas: Sequence[Quota], _epoch: float) -> Headers:
        """Return what is left of the requests; tokens have no header."""
        return tuple(
            (f"x-trial-endpoint-call-{word}", str(value))
            for quota in quotas
            if quota.kind is QuotaKind.REQUESTS
            for word, value in (("limit", quota.limit), ("remaining", quota.remaining))
        )

    def too_long(self, tokens: int, most: int, _call: NeutralCall) -> Objection:
        """Return what is said to a conversation that is too long."""
        return objection(
            "context_length",
            f"too many tokens: size limit exceeded by {tokens - most} tokens. Try using shorter or "
            "fewer inputs, or setting prompt_truncation='AUTO'.",
            _SOURCE,
            error_class=ErrorClass.CONTEXT_LENGTH,
        )


def _says_nothing(message: JsonObject) -> bool:
    return message.get("role") == "user" and message.get("content") == ""


def _numbers(body: JsonObject) -> Iterator[Objection]:
    if _is_number(body.get("temperature")) and not 0 <= body["temperature"] <= 1:
        yield _wrong("range", "invalid request: temperature must be between 0 and 1.0 inclusive.")
    for name in ("presence_penalty", "frequency_penalty"):
        if _is_number(body.get(name)) and not 0 <= body[name] <= 1:
            yield _wrong("range", f"invalid request: {name} must be between 0 and 1 inclusive.")
    if _is_number(body.get("max_tokens")) and body["max_tokens"] < 0:
        yield _wrong("range", "invalid request: max_tokens cannot be less than 0.")
    if body.get("presence_penalty") and body.get("frequency_penalty"):
        yield _wrong(
            "penalties",
            "invalid request: cannot specify both frequency_penalty and presence_penalty.",
        )


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(name: str, value: Json, wanted: str) -> Objection:
    found = go_json.kind_of(value)
    return _wrong(
        "type",
        f"invalid type: parameter '{name}' is of type {found} but should be of type {wanted}.",
    )


def _wrong(check: str, message: str) -> Objection:
    return objection(check, message, _SOURCE)
