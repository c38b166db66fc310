"""The exceptions of SDKs and HTTP libraries as :class:`~harness.clients.interface.ClientError`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from harness.adapters.common.failures import clip, failure, from_http, from_payload
from harness.clients.interface import ClientError
from harness.clients.protocol import Raised
from harness.wrapping.plain import as_json
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

    Reads the attributes ``status_code``, ``body``, ``response`` and ``code`` that the OpenAI SDK
    and those like it have, Google's ``details``, the dict that boto3 calls its response, else the
    names of the exception's classes. Catch only what the client documents, and let the rest escape:
    an undocumented exception is a finding.
    """
    response = getattr(exc, "response", None)
    if isinstance(response, dict):
        return ClientError(_of_boto3(response))
    statuses = (
        getattr(exc, "status_code", None),
        getattr(response, "status_code", None),
        getattr(exc, "code", None),
    )
    status = next((s for s in statuses if isinstance(s, int) and not isinstance(s, bool)), None)
    if status is not None and status >= 300:
        return ClientError(_reported(status, _headers_of(response), _body_of(exc, response)))
    names = [kind.__name__ for kind in type(exc).__mro__]
    if (error_class := _class_of(names)) is not None:
        return ClientError(failure(error_class, clip(_text_of(exc))))
    return ClientError(_reported(None, {}, _body_of(exc, response)))


def error_said(raised: Raised) -> ErrorInfo:
    """Return what an exception says that a client in another process raised."""
    said = {"message": raised.message, **({"code": raised.code} if raised.code else {})}
    body = raised.body if raised.body not in (None, "", {}, []) else {"error": said}
    status = raised.status if raised.status is not None and raised.status >= 300 else None
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


def _class_of(names: Iterable[str]) -> ErrorClass | None:
    """Return what the names of an exception's classes say."""
    text = " ".join(names)
    return next((kind for part, kind in _NAMES.items() if part in text), None)


def _reported(status: int | None, headers: Mapping[str, str], body: object) -> ErrorInfo:
    if status is None:
        return from_payload(body)
    text = body if isinstance(body, str) else json.dumps(body)
    return from_http(status, headers, text.encode(errors="replace"), now=time.time())


def _of_boto3(response: JsonObject) -> ErrorInfo:
    """Read the error of boto3's ``ClientError``; one inside a stream has no status."""
    about, said = response.get("ResponseMetadata"), response.get("Error")
    metadata = about if isinstance(about, dict) else {}
    error = said if isinstance(said, dict) else {}
    body = {"__type": error.get("Code"), "message": error.get("Message")}
    headers = metadata.get("HTTPHeaders")
    status = metadata.get("HTTPStatusCode")
    return _reported(
        status if isinstance(status, int) and status >= 300 else None,
        {str(k): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {},
        body,
    )


def _body_of(exc: BaseException, response: object) -> object:
    """Return the error object that the provider sent, or the exception's text."""
    for name in ("body", "details"):
        body = as_json(getattr(exc, name, None))
        if isinstance(body, dict | list | str) and body:
            return body
    # The body of a streamed response may be unread, and reading it may fail.
    with suppress(Exception):
        text = getattr(response, "text", None)
        if isinstance(text, str) and text:
            return text
    return "" if response is not None else {"message": _text_of(exc)}


def _headers_of(response: object) -> dict[str, str]:
    headers = getattr(response, "headers", None)
    return {str(k): str(v) for k, v in headers.items()} if headers is not None else {}


def _text_of(exc: BaseException) -> str:
    return str(exc) or type(exc).__name__
