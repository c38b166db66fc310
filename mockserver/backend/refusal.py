"""Errors that a provider itself would answer with. Pure."""

from __future__ import annotations

from dataclasses import replace

from mockserver.backend import reply as replies
from mockserver.backend.asked import Asked
from mockserver.backend.reply import Given, Reply
from mockserver.backend.routes import NoRoute
from mockserver.cassettes.cassette import Origin, Request, Response, Wire
from mockserver.dialects import registry
from mockserver.dialects.dialect import Dialect
from mockserver.dialects.side import refused
from mockserver.library.refusal import RefusalError
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo

REFUSED = "refused"
#: Known to the official OpenAI and Anthropic SDKs.
_NO_RETRY = ("x-should-retry", "false")


def refusal(dialect: Dialect, request: Request, error: ErrorInfo) -> Given:
    """Refuse a request that cannot be read as a call."""
    asked = Asked(dialect, NeutralCall(model="", messages=(), stream=False), request)
    return replies.given(asked, Reply(source=REFUSED, error=error))


def unserved(request: Request, nowhere: NoRoute) -> Given:
    """Say that an address is not served, and what is.

    Raises :class:`RefusalError` where it cannot be told whose words to use.
    """
    if request.method.upper() == "OPTIONS" and nowhere.allowed:
        allow = (("allow", ", ".join((*nowhere.allowed, "OPTIONS"))),)
        wire = Wire(origin=Origin.AUTHORED)
        response = Response(status=204, reason="No Content", headers=allow, body=b"", wire=wire)
        return replies.of_response(request, response, Reply(source=REFUSED))
    status = 405 if nowhere.allowed else 404
    if nowhere.dialect is None:
        kind = "method_not_served" if nowhere.allowed else "unknown_route"
        raise RefusalError(status, kind, nowhere.message)
    error = refused(f"tapecheck: {nowhere.message}", status=status).error
    call = NeutralCall(model="", messages=(), stream=False)
    response = registry.written_error(nowhere.dialect, error, call)
    own = (("allow", ", ".join(nowhere.allowed)),) if nowhere.allowed else ()
    if response.header(_NO_RETRY[0]) is None:
        own = (*own, _NO_RETRY)
    response = replace(response, status=status, headers=(*response.headers, *own))
    return replies.of_response(request, response, Reply(source=REFUSED, error=error))
