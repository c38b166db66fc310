"""Reads the files of mitmproxy: flows, each a typed netstring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockserver.cassettes.parts import LONGEST_MS

#: How such a file begins.
START = re.compile(rb"\d{1,10}:\d{1,10}:")
#: How deep values of mitmproxy's files may be nested.
_DEEPEST = 50


def read(text: bytes) -> Iterator[dict[str, Any] | ValueError]:
    """Yield the HTTP exchanges of a file of mitmproxy, in vcrpy's words, or why one is unusable.

    Raises ``ValueError`` for what is no such file.
    """
    rest = memoryview(text)
    while rest:
        state, rest = _netstring(rest, 0)
        if not isinstance(state, dict):
            raise ValueError("is no flow of mitmproxy")
        if state.get("type") in (b"http", "http"):
            try:
                yield _flow(state)
            except (KeyError, TypeError, AttributeError, ValueError) as exc:
                yield ValueError(f"has no answer: {exc}")


def _flow(state: dict[str, Any]) -> dict[str, Any]:
    request, response = state["request"], state.get("response")
    if not isinstance(response, dict):
        raise ValueError("it was never answered")
    if state.get("websocket"):
        raise ValueError("it is a WebSocket")
    scheme, host, port = _text(request["scheme"]), _text(request["host"]), request["port"]
    usual = {"http": 80, "https": 443}.get(scheme) == port
    return {
        "request": {
            "method": _text(request["method"]),
            "uri": f"{scheme}://{host}{'' if usual else f':{port}'}{_text(request['path'])}",
            "headers": _pairs(request["headers"]),
            "body": request.get("content") or b"",
        },
        "response": {
            "status": {"code": response["status_code"], "message": _text(response["reason"])},
            "headers": _pairs(response["headers"]),
            "body": {"string": response.get("content") or b""},
            "http_version": _text(response["http_version"]),
            **_waits(request, response),
        },
    }


def _waits(request: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """Return when the answer began and ended, in milliseconds after the request."""
    asked = request.get("timestamp_end") or request.get("timestamp_start")
    times = [response.get(name) for name in ("timestamp_start", "timestamp_end")]
    if not isinstance(asked, int | float):
        return {}
    waits = [round(1000 * (t - asked), 1) for t in times if isinstance(t, int | float)]
    if len(waits) < len(times) or not 0 <= waits[0] <= waits[1] < LONGEST_MS:
        return {}
    began, ended = waits
    return {"wire": {"v": 1, "headers_ms": began, "end": [ended, "eof"]}}


def _pairs(headers: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(_text(name), []).append(_text(value))
    return found


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _netstring(text: memoryview, depth: int) -> tuple[Any, memoryview]:
    """Read one typed netstring: its length, a colon, that many bytes, and its type.

    A view, because slices of bytes would copy the rest of the file for each value.
    """
    length, colon, _ = bytes(text[:12]).partition(b":")
    if not colon or not length.isdigit() or depth > _DEEPEST:
        raise ValueError("is no file of mitmproxy")
    start = len(length) + 1
    end = start + int(length)
    data, kind, rest = text[start:end], bytes(text[end : end + 1]), text[end + 1 :]
    match kind:
        case b",":
            return bytes(data), rest
        case b";":
            return str(data, "utf-8", "replace"), rest
        case b"#" | b"^":
            return (int if kind == b"#" and len(data) < 20 else float)(bytes(data)), rest
        case b"!":
            return bytes(data) == b"true", rest
        case b"~":
            return None, rest
        case b"]" | b"}":
            items = []
            while data:
                item, data = _netstring(data, depth + 1)
                items.append(item)
            if kind == b"]":
                return items, rest
            pairs = zip(items[::2], items[1::2], strict=False)
            return {_text(k) if isinstance(k, bytes) else str(k): v for k, v in pairs}, rest
    raise ValueError("is no file of mitmproxy")
