"""The exceptions of SDKs and HTTP libraries as :class:`~harness.clients.interface.ClientError`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import cast

from harness.adapters.common.failures import (
    clip,
    failure,
    from_http,
    from_payload,
    is_error,
    plain,
)
from harness.adapters.third_party.shims.tapecheck_client import described
from harness.clients.interface import ClientError
from harness.clients.protocol import Raised, read_raised
from mockserver.vocabulary import ErrorClass, ErrorInfo, JsonObject

#: What parts of the names of exceptions say, the first that fits; base classes count too.
_NAMES: Mapping[str, ErrorClass] = {
    "Timeout": ErrorClass.TIMEOUT,
    "Validation": ErrorClass.PROTOCOL,
    "Decod": ErrorClass.PROTOCOL,
    "LocalProtocol": ErrorClass.PROTOCOL,
    "Connect": ErrorClass.CONNECTION_LOST,
    "Network": ErrorClass.CONNECTION_LOST,
    "RemoteProtocol": ErrorClass.CONNECTION_LOST,
}


def error_from(
    status: int | None,
    code: str | None,
    message: str,
    *,
    retry_after: float | None = None,
    request_id: str | None = None,
) -> ClientError:
    """Return the error to raise for a failure that the provider reported.

    Its class follows from the provider's code, the HTTP status and the message. ``status`` is
    ``None`` for an error inside a stream; ``retry_after`` is in seconds.
    """
    body: JsonObject = {"error": {"code": code, "message": message}}
    error = _reported(status, {}, body)
    return ClientError(
        replace(
            error,
            retry_after=error.retry_after if retry_after is None else retry_after,
            request_id=error.request_id if request_id is None else request_id,
        )
    )


def error_of(exc: BaseException) -> ClientError:
    """Return the error to raise for an exception of an SDK or of its HTTP library.

    Reads what :func:`~harness.adapters.third_party.shims.tapecheck_client.described` finds, else
    the names of the exception's classes. Catch only what the client documents, and let the rest
    escape: an undocumented exception is a finding.
    """
    return ClientError(error_said(read_raised(described(exc))))


def error_said(raised: Raised) -> ErrorInfo:
    """Return what an exception says that a client in another process raised."""
    status = raised.status if raised.status is not None and raised.status >= 300 else None
    # With a good status the text is an answer that the SDK could not read.
    is_answer = status is None and raised.status is not None and isinstance(raised.body, str)
    body = _body_in(raised) if raised.body is None or is_answer else raised.body
    error_class = None if status is not None else _class_of(raised.names)
    if error_class is not None:
        error = failure(error_class, clip(raised.message or raised.names[0]))
    else:
        error = _reported(status, raised.headers, body)
    after = error.retry_after if raised.retry_after is None else max(raised.retry_after, 0)
    return replace(
        error,
        code=error.code or raised.code,
        retry_after=after,
        request_id=raised.request_id or error.request_id,
    )


def _body_in(raised: Raised) -> JsonObject:
    """Return what the provider sent, from the message of an exception that has it nowhere else.

    SDKs put the status, or words of their own, before the provider's text.
    """
    text = raised.message.removeprefix(f"{raised.status} ")
    begin = text.find("{")
    with suppress(ValueError, RecursionError):
        body = json.loads(text[begin:]) if begin >= 0 else None
        if is_error(body):
            return cast("JsonObject", body)
    shown = plain(text) if text.startswith("<") else raised.message
    said = {"message": shown, **({"code": raised.code} if raised.code else {})}
    return {"error": said}


def _class_of(names: Iterable[str]) -> ErrorClass | None:
    """Return what the names of an exception's classes say."""
    text = " ".join(names)
    return next((kind for part, kind in _NAMES.items() if part in text), None)


def _reported(status: int | None, headers: Mapping[str, str], body: object) -> ErrorInfo:
    if status is None:
        return from_payload(body)
    text = body if isinstance(body, str) else json.dumps(body)
    return from_http(status, headers, text.encode(errors="replace"), now=time.time())
