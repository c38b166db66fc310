"""What is said of an address that nothing is served at. Pure."""

from __future__ import annotations

from mockserver.backend import refusing
from mockserver.backend import reply as replies
from mockserver.backend.reply import REFUSED, Given, Reply
from mockserver.backend.routes import NoRoute
from mockserver.cassettes.cassette import Origin, Request, Response, Wire
from mockserver.dialects.objection import objection
from mockserver.library.refusal import RefusalError

#: Known to the official OpenAI and Anthropic SDKs.
_NO_RETRY = ("x-should-retry", "false")


def unserved(request: Request, nowhere: NoRoute) -> Given:
    """Say that an address is not served, and what is; ``OPTIONS`` asks for no more.

    Raises :class:`RefusalError` where it is not known whose words to use.
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
    reason = objection("route", f"tapecheck: {nowhere.message}", "", status=status)
    given = refusing.refused(nowhere.dialect, request, reason)
    own = (("allow", ", ".join(nowhere.allowed)),) if nowhere.allowed else ()
    if given.exchange.schedule.header(_NO_RETRY[0]) is None:
        own = (*own, _NO_RETRY)
    return replies.with_headers(given, own)
