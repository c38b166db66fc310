"""The normalized vocabulary as JSON data, and back.

A field that equals its default is left out; one without a default always stands. The result
obeys ``specs/schemas/stream_event.schema.json`` and ``assistant_turn.schema.json``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from mockserver.vocabulary.model import (
    EVENT_TYPES,
    PART_TYPES,
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    JsonObject,
    Part,
    Status,
    Usage,
)

_T = TypeVar("_T")


def to_json(value: Any) -> Json:
    """Turn an event, a turn or any object inside one into plain JSON data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        out: JsonObject = {"type": value.type} if isinstance(value, Event | Part) else {}
        for f in dataclasses.fields(value):
            item = getattr(value, f.name)
            if f.default is dataclasses.MISSING or item != f.default:
                out["class" if f.name == "error_class" else f.name] = to_json(item)
        return out
    if isinstance(value, tuple):
        return [to_json(v) for v in value]
    if isinstance(value, StrEnum):
        return str(value)
    return value


def event_from_json(data: Mapping[str, Any]) -> Event:
    """Read one event. Raises ``ValueError`` for data that the schema would refuse."""
    return _read(EVENT_TYPES, data, "event")


def turn_from_json(data: Mapping[str, Any]) -> AssistantTurn:
    """Read one turn. Raises ``ValueError`` for data that the schema would refuse."""
    fields = dict(data)
    fields["parts"] = tuple(_read(PART_TYPES, p, "part") for p in fields.get("parts", ()))
    if "status" in fields:
        fields["status"] = Status(fields["status"])
    return _make(AssistantTurn, fields)


def error_from_json(data: Mapping[str, Any]) -> ErrorInfo:
    """Read one error. Raises ``ValueError`` for data that the schema would refuse."""
    fields = dict(data)
    fields["error_class"] = ErrorClass(fields.pop("class", ""))
    return _make(ErrorInfo, fields)


def usage_from_json(data: Mapping[str, Any]) -> Usage:
    """Read token counts. Raises ``ValueError`` for data that the schema would refuse."""
    return _make(Usage, dict(data))


def _read(types: Mapping[str, type[_T]], data: Mapping[str, Any], what: str) -> _T:
    fields = dict(data)
    name = fields.pop("type", None)
    if name not in types:
        raise ValueError(f"unknown {what} type {name!r}")
    return _make(types[name], fields)


def _make(cls: type[_T], fields: JsonObject) -> _T:
    for name, convert in _NESTED.items():
        if fields.get(name) is not None:
            fields[name] = convert(fields[name])
    try:
        return cls(**fields)
    except TypeError as exc:
        raise ValueError(str(exc)) from exc


_NESTED: Mapping[str, Callable[[Any], Any]] = {
    "usage": usage_from_json,
    "error": error_from_json,
    "finish_reason": FinishReason,
    "native": tuple,
    "citations": lambda items: tuple(event_from_json(c) for c in items),
}
