"""Reads interactions of Ruby's VCR, and of those that write its format: betamax, and R's vcr.

The format is that of ``HTTPInteraction#to_hash``: a body is text under ``string`` or base64 under
``base64_string``, with the name of its character encoding.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any


def from_ruby(item: dict[str, Any]) -> dict[str, Any]:
    """Return an interaction in vcrpy's words. Raises ``ValueError`` for a body that is none."""
    request, response = item["request"], item["response"]
    return {
        **item,
        "request": {
            **request,
            "method": str(request.get("method", "")).upper(),
            "headers": _headers(request.get("headers")),
            "body": _body(request.get("body")),
        },
        "response": {
            **response,
            "status": _status(response.get("status")),
            "headers": _headers(response.get("headers")),
            "body": {"string": _body(response.get("body"))},
        },
    }


def _status(status: Any) -> Any:
    """Return a status; the VCR of R has its own name for the code, and writes it as text."""
    match status:
        case {"status_code": int() | str() as code}:
            code = int(code) if str(code).isdecimal() else code
            return {"code": code, "message": status.get("message")}
    return status


def _headers(headers: Any) -> Any:
    if not isinstance(headers, dict):
        return headers
    return {name: values for name, values in headers.items() if values is not None}


def _body(body: Any) -> bytes:
    match body:
        case None | {"string": None}:
            return b""
        case bytes() | {"string": bytes()}:
            return body if isinstance(body, bytes) else bytes(body["string"])
        case str():
            return body.encode()
        case {"base64_string": str(text) | bytes(text)}:
            try:
                return base64.b64decode(b"".join(_bytes(text).split()), validate=True)
            except binascii.Error as exc:
                raise ValueError(f"has a body that is not base64: {exc}") from None
        case {"string": str(text), **rest}:
            try:
                return text.encode(str(rest.get("encoding") or "utf-8"))
            except (LookupError, UnicodeEncodeError):
                # ASCII-8BIT is Ruby's name for bytes; Ruby keeps the text too if it does not fit.
                return text.encode()
    raise ValueError("has a body without 'string' and 'base64_string'")


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
