"""Messages as lines, and lines as messages. What a client's process sends is checked here."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any

from harness.clients.interface import Call
from harness.clients.protocol.bounds import MAX_LOGS, MAX_TEXT
from harness.clients.protocol.messages import (
    PROTOCOL,
    CancelCall,
    Done,
    Emitted,
    Failed,
    FromClient,
    Hello,
    MessageError,
    Native,
    NotRun,
    Raised,
    Refused,
    Start,
    StartCall,
    ToClient,
)

# A client may replace them in its own process.
_loads, _dumps = json.loads, json.dumps
#: Names of classes, and headers, of one exception.
_NAMES, _HEADERS = 30, 100


def encode(message: ToClient | FromClient) -> bytes:
    """Return a message as a line."""
    return _dumps(_data_of(message), separators=(",", ":")).encode() + b"\n"


def _data_of(message: ToClient | FromClient) -> dict[str, Any]:
    match message:
        case Start():
            return {"type": "start", "protocol": message.protocol}
        case StartCall():
            call = {f.name: getattr(message.call, f.name) for f in fields(Call)}
            data = {"type": "call", "id": message.id, **call}
            for name in ("arguments", "stop_after"):
                if (value := getattr(message, name)) is not None:
                    data[name] = value
            return data
        case CancelCall():
            return {"type": "cancel", "id": message.id}
        case Hello():
            return {
                "type": "hello",
                "protocol": message.protocol,
                "declaration": message.declaration,
            }
        case Emitted():
            kind = "turn" if message.is_turn else "event"
            data = {"type": kind, "id": message.id, "data": message.data}
            if message.problems:
                data |= {"problems": message.problems, "incomplete": message.incomplete}
            return data
        case Native():
            kind = "native_turn" if message.is_turn else "native"
            return {"type": kind, "id": message.id, "data": message.data, "form": message.form}
        case Failed():
            return {"type": "failed", "id": message.id, "error": _fields(message.error)}
        case Refused():
            return {"type": "refused", **_fields(message)}
        case Done():
            return {"type": "done", **_fields(message)}
        case NotRun():
            return {"type": "not_run", **_fields(message)}


def _fields(message: Refused | Done | NotRun | Raised) -> dict[str, Any]:
    """Return the fields that say something."""
    values = {f.name: getattr(message, f.name) for f in fields(message)}
    return {name: value for name, value in values.items() if value not in (None, "", (), {})}


def decode_to_client(line: bytes) -> ToClient:
    """Read a message of the harness. Raises :class:`MessageError`."""
    data = _object(line)
    match data.get("type"):
        case "start":
            return Start(protocol=_get(data, "protocol", int))
        case "call":
            number = _get(data, "id", int)
            given = {f.name: data[f.name] for f in fields(Call) if f.name in data}
            for name in ("messages", "tools"):
                given[name] = tuple(given.get(name, ()))
            return StartCall(
                id=number,
                call=Call(**given),
                arguments=_get(data, "arguments", dict | None),
                stop_after=_get(data, "stop_after", int | None),
            )
        case "cancel":
            return CancelCall(id=_get(data, "id", int))
    raise MessageError(_unknown(data))


def decode_from_client(line: bytes) -> FromClient:
    """Read a message of a client's process. Raises :class:`MessageError`."""
    data = _object(line)
    match data.get("type"):
        case "event" | "turn" as kind:
            return Emitted(
                id=_get(data, "id", int),
                is_turn=kind == "turn",
                data=_get(data, "data", dict),
                problems=_texts(data, "problems"),
                incomplete=data.get("incomplete") is True,
            )
        case "native" | "native_turn" as kind:
            if "data" not in data:
                raise MessageError(f"{kind} message without data")
            return Native(
                id=_get(data, "id", int),
                is_turn=kind == "native_turn",
                data=data["data"],
                form=_shown(data, "form"),
            )
        case "failed":
            return Failed(id=_get(data, "id", int), error=read_raised(_get(data, "error", dict)))
        case "done":
            return Done(
                id=_get(data, "id", int),
                raised=_shown(data, "raised"),
                stopped=_shown(data, "stopped"),
                logs=_texts(data, "logs"),
                late=_get(data, "late", int | None),
                traceback=_shown(data, "traceback") or "",
            )
        case "not_run":
            return NotRun(id=_get(data, "id", int), message=_shown(data, "message") or "")
        case "hello":
            if _get(data, "protocol", int) != PROTOCOL:
                raise MessageError(f"protocol {data.get('protocol')!r:.20}, not {PROTOCOL}")
            return Hello(declaration=_get(data, "declaration", dict))
        case "refused":
            return Refused(
                message=_shown(data, "message") or "it does not say why",
                path=_shown(data, "path"),
                line=_get(data, "line", int | None),
                hint=_shown(data, "hint"),
            )
    raise MessageError(_unknown(data))


def read_raised(data: dict[str, Any]) -> Raised:
    """Read the ``error`` of a ``failed`` message. Raises :class:`MessageError`."""
    names = _texts(data, "names")[:_NAMES]
    if not names:
        raise MessageError("names of an error is empty: give the names of its classes")
    status, headers = data.get("status"), data.get("headers")
    code, after = data.get("code"), data.get("retry_after")
    return Raised(
        names=names,
        message=_shown(data, "message") or "",
        # SDKs have odd values here; what is no status says nothing.
        status=status if type(status) is int and 100 <= status <= 999 else None,
        code=str(code)[:MAX_TEXT] if isinstance(code, str | int) and code != "" else None,
        body=data.get("body"),
        headers={str(k): str(v)[:MAX_TEXT] for k, v in list(headers.items())[:_HEADERS]}
        if isinstance(headers, dict)
        else {},
        request_id=_shown(data, "request_id"),
        retry_after=_seconds(after),
        traceback=_shown(data, "traceback") or "",
    )


def _seconds(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _unknown(data: dict[str, Any]) -> str:
    return f"unknown message type {data.get('type')!r:.60}"


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = _loads(line)
    except (ValueError, RecursionError):
        raise MessageError(f"not a message, but {_start_of(line)}") from None
    if not isinstance(data, dict):
        raise MessageError(f"not an object, but {_start_of(line)}")
    return data


def _start_of(line: bytes) -> str:
    return json.dumps(line[:60].decode(errors="replace"), ensure_ascii=False)


def _get(data: dict[str, Any], name: str, kind: Any) -> Any:
    value = data.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise MessageError(f"{name} of a message is {value!r:.60}")
    return value


def _shown(data: dict[str, Any], name: str) -> str | None:
    text: str | None = _get(data, name, str | None)
    return None if text is None else text[:MAX_TEXT]


def _texts(data: dict[str, Any], name: str) -> tuple[str, ...]:
    texts = data.get(name, ())
    if not isinstance(texts, list | tuple) or not all(isinstance(t, str) for t in texts):
        raise MessageError(f"{name} of a message is {texts!r:.60}")
    return tuple(text[:MAX_TEXT] for text in texts[:MAX_LOGS])
