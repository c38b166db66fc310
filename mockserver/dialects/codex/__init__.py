"""The Codex backend of ChatGPT: Responses for a signed-in user, without a key."""

from __future__ import annotations

from mockserver.cassettes.cassette import Request
from mockserver.dialects.form import Form
from mockserver.dialects.openai_responses import OpenAIResponses


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

    def matches(self, request: Request) -> bool:
        """Return whether it goes to the backend, or names the account for which it is sent."""
        if not super().matches(request):
            return False
        named = any(name.lower() == "chatgpt-account-id" for name, _ in request.headers)
        return named or "/backend-api/codex/" in request.url.path


DIALECT = Codex()
