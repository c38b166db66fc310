"""The Codex backend of ChatGPT: Responses for a signed-in user, without a key."""

from __future__ import annotations

from typing import ClassVar

from mockserver.cassettes.cassette import Headers, Request
from mockserver.dialects.codex.request import codex_body
from mockserver.dialects.dialect import UnwritableError
from mockserver.dialects.form import Form
from mockserver.dialects.openai_responses import OpenAIResponses
from mockserver.dialects.openai_responses.answer import Manner
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import JsonObject

__all__ = ["DIALECT", "Codex", "codex_body"]


class Codex(OpenAIResponses):
    """Responses at ``chatgpt.com/backend-api/codex``, in the name of a ChatGPT account."""

    name = "codex"
    refines = frozenset({"openai-responses"})
    form = Form(
        volatile_headers=("x-codex-.*",),
        replaced_request_headers={"chatgpt-account-id": "account"},
        kept_response_headers=("x-codex-.*", "x-error-json"),
        replaced_response_headers={"x-oai-request-id": "req"},
    )

    address = "https://chatgpt.com/backend-api/codex/responses"
    request_headers: ClassVar[Headers] = (
        ("content-type", "application/json"),
        ("openai-beta", "responses=experimental"),
        ("originator", "codex_cli_rs"),
        ("accept", "text/event-stream"),
    )
    manner = Manner(
        output=False,
        headers=(
            ("x-codex-primary-used-percent", "12"),
            ("x-codex-primary-window-minutes", "300"),
        ),
    )

    def body(self, call: NeutralCall) -> JsonObject:
        """Return the body, which has fewer options than that of the API, and always a stream."""
        if not call.stream:
            raise UnwritableError("the Codex backend answers in streams only")
        try:
            return codex_body(
                model=call.model, messages=call.messages, tools=call.tools, options=call.options
            )
        except ValueError as exc:
            raise UnwritableError(str(exc)) from None

    def matches(self, request: Request) -> bool:
        """Return whether it goes to the backend, or names the account for which it is sent."""
        if not super().matches(request):
            return False
        named = any(name.lower() == "chatgpt-account-id" for name, _ in request.headers)
        return named or "/backend-api/codex/" in request.url.path


DIALECT = Codex()
