"""What Ollama refuses, in its words. Pure.

Source: https://github.com/ollama/ollama/blob/main/server/routes.go. It takes nearly everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mockserver.cassettes.cassette import Request
from mockserver.dialects import go_json
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.refusals import Problem, Refusals, Sent
from mockserver.vocabulary.failure import ErrorClass

_SOURCE = "https://github.com/ollama/ollama/blob/main/server/routes.go"
_MOST_LOGPROBS = 20


class OllamaRefusals(Refusals):
    """The words of Ollama."""

    source = _SOURCE
    failures: ClassVar[Mapping[int, str]] = {
        400: "invalid request",
        401: "unauthorized",
        404: "model '{model}' not found",
        429: "too many requests",
        500: "model runner has unexpectedly stopped, this may be due to resource limitations or an "
        "internal error, check ollama server logs for details",
        503: "server busy, please try again.  maximum pending requests exceeded",
    }

    def objections(self, sent: Sent) -> Iterator[Objection]:
        """Yield what is wrong."""
        kind = "Generate" if sent.request.url.path.endswith("/generate") else "Chat"
        if sent.problem is Problem.EMPTY:
            yield objection("body", "missing request body", _SOURCE)
        elif sent.problem is Problem.NO_JSON:
            yield objection("body", go_json.mistake(sent.request.body), _SOURCE)
        elif sent.problem is Problem.NO_OBJECT:
            found = go_json.kind_of(sent.value)
            if found != "null":
                words = f"json: cannot unmarshal {found} into Go value of type api.{kind}Request"
                yield objection("body", words, _SOURCE)
        if sent.problem is not None:
            return
        body = sent.body
        wanted = {"model": (str, "string"), "messages": (list, "[]api.Message")}
        for name, (type_, go) in wanted.items():
            value = body.get(name)
            if value is not None and not isinstance(value, type_):
                yield objection(
                    "type",
                    f"json: cannot unmarshal {go_json.kind_of(value)} into Go struct field "
                    f"{kind}Request.{name} of type {go}",
                    _SOURCE,
                )
        if not body.get("model"):
            yield objection("model", "model is required", _SOURCE)
        logprobs = body.get("top_logprobs")
        if isinstance(logprobs, int) and not 0 <= logprobs <= _MOST_LOGPROBS:
            yield objection("range", "top_logprobs must be between 0 and 20", _SOURCE)

    def bad_key(self, _request: Request, *, given: bool) -> Objection:  # noqa: ARG002
        """Return what Ollama's cloud says to a wrong key, or to none."""
        return objection(
            "key",
            "unauthorized",
            _SOURCE,
            status=401,
            error_class=ErrorClass.AUTHENTICATION,
        )
