"""Parts of an interaction in vcrpy's words, for formats that write them in other ones."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

#: Longer waits, about a hundred days, are damage.
LONGEST_MS = 1e10
_STATUS = re.compile(r"(\d{3})\s*(.*)")


def status(code: Any, text: Any) -> dict[str, Any]:
    """Return a status; ``text`` is its reason, or the code and its reason."""
    match = _STATUS.fullmatch(str(text)) if text else None
    if code is None and match:
        code = int(match[1])
    return {"code": code, "message": match[2] if match else str(text or "")}


def with_kind(headers: dict[str, Any], body: Any) -> dict[str, Any]:
    """Add a content type that a body shows where the file has none: clients go by it."""
    text = body.get("string") if isinstance(body, dict) else body
    start = (text.encode() if isinstance(text, str) else text or b"").lstrip()[:6]
    if any(name.lower() == "content-type" for name in headers) or not start:
        return headers
    if start[:1] in (b"{", b"["):
        return {**headers, "content-type": "application/json"}
    stream = start.startswith((b"data:", b"event:"))
    return {**headers, "content-type": "text/event-stream"} if stream else headers


def body_of(data: Any) -> dict[str, Any]:
    """Return a body that a file has as text, or as the value of its JSON."""
    if data is None or isinstance(data, str | bytes):
        return {"body": data or ""}
    return {"parsed_body": data}


def as_json(data: Any) -> str:
    """Return a text as it is, and any other value as JSON."""
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)


def from_base64(text: Any) -> bytes:
    """Return the bytes. Raises ``ValueError`` that says what is wrong."""
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error as exc:
        raise ValueError(f"has a body that is not base64: {exc}") from None
