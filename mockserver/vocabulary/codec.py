"""The normalized vocabulary as JSON data, and back.

A field that equals its default is left out; one without a default is always written. The result
obeys ``specs/schemas/stream_event.schema.json`` and ``assistant_turn.schema.json``; what is read
must obey them too: its types are checked here, its limits by the annotations of the model.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from mockserver.vocabulary.limits import Limit
from mockserver.vocabulary.model import (
    EVENT_TYPES,
    PART_TYPES,
    AssistantTurn,
    Citation,
    Event,
    FinishReason,
    Json,
    Part,
    ReasoningSignature,
    Status,
)

_T = TypeVar("_T")
#: Reads one value. Raises ``ValueError`` for a wrong type; notes broken limits in the list, and
#: the wrong values that a default replaces.
_FieldReader = Callable[[Any, list[str]], Any]


def to_json(value: Any) -> Json:
    """Turn an event, a turn or any object inside one into plain JSON data."""
    if is_model(value):
        return {name: to_json(item) for name, item in fields_of(value)}
    if isinstance(value, tuple):
        return [to_json(v) for v in value]
    if isinstance(value, StrEnum):
        return str(value)
    return value


def is_model(value: object) -> bool:
    """Return whether ``value`` is an object of the model."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def fields_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield JSON name and value of each field of an object that must be written."""
    if isinstance(value, Event | Part):
        yield "type", value.type
    for field in _shape(type(value)).fields.values():
        item = getattr(value, field.attribute)
        if field.default is dataclasses.MISSING or item != field.default:
            yield field.name, item


def event_from_json(data: Mapping[str, Any]) -> Event:
    """Read one event. Raises ``ValueError`` for data that breaks the schema."""
    return _valid(read_event, data)


def turn_from_json(data: Mapping[str, Any]) -> AssistantTurn:
    """Read one turn. Raises ``ValueError`` for data that breaks the schema."""
    return _valid(read_turn, data)


def read_event(data: Json, broken: list[str]) -> Event:
    """Read one event whose types are right, and note in ``broken`` which limits it breaks.

    Raises ``ValueError`` for unknown or missing fields and for values of a wrong type.
    """
    return _tagged("event", EVENT_TYPES, data, broken)


def read_turn(data: Json, broken: list[str]) -> AssistantTurn:
    """Read one turn as :func:`read_event` reads an event."""
    return _object(AssistantTurn, data, broken)


def _valid(read: Callable[[Json, list[str]], _T], data: Json) -> _T:
    broken: list[str] = []
    value = read(data, broken)
    if broken:
        raise ValueError(broken[0])
    return value


@dataclass(frozen=True, slots=True)
class _Field:
    """A field under its JSON name; ``default`` is ``MISSING`` where there is none."""

    name: str
    attribute: str
    default: Any
    read: _FieldReader


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a class of the model, computed once."""

    fields: Mapping[str, _Field]
    required: frozenset[str]


_SHAPES: dict[type, _Shape] = {}


def _shape(cls: type) -> _Shape:
    if cls not in _SHAPES:
        fields = {f.name: f for f in _model_fields(cls)}
        required = frozenset(n for n, f in fields.items() if f.default is dataclasses.MISSING)
        _SHAPES[cls] = _Shape(fields, required)
    return _SHAPES[cls]


def _model_fields(cls: Any) -> Iterator[_Field]:
    hints = typing.get_type_hints(cls, include_extras=True)
    for f in dataclasses.fields(cls):
        read = _reader(hints[f.name])
        if f.default is not dataclasses.MISSING:
            read = _unless_default(f.default, read)
        yield _Field("class" if f.name == "error_class" else f.name, f.name, f.default, read)


def _object(cls: type[_T], data: Json, broken: list[str], *, tagged: bool = False) -> _T:
    if not isinstance(data, Mapping):
        raise ValueError(f"{data!r:.60} is not an object")
    shape, values = _shape(cls), {}
    for name, value in data.items():
        if tagged and name == "type":
            continue
        field = shape.fields.get(name)
        if field is None:
            raise ValueError(f"unknown field {name!r}")
        try:
            values[field.attribute] = field.read(value, broken)
        except ValueError as exc:
            raise ValueError(f"{name}: {exc}") from None
    if missing := shape.required - data.keys():
        raise ValueError(f"missing {', '.join(sorted(missing))}")
    made = cls(**values)
    if (problem := _contradiction(made)) is not None:
        broken.append(problem)
    return made


def _contradiction(value: object) -> str | None:
    """Return what is wrong with fields that are each valid alone."""
    match value:
        case ReasoningSignature(signature=None, encrypted_content=None, redacted_data=None):
            return "missing signature, encrypted_content or redacted_data"
        case AssistantTurn(status=Status.FAILED):
            if value.error is None or value.finish_reason is not None:
                return "a failed turn must have an error and no finish_reason"
        case AssistantTurn():
            if value.error is not None or value.finish_reason is None:
                return f"a turn that is {value.status} must have a finish_reason and no error"
    return None


# --- how a value of each type is read ---------------------------------------------------


def _reader(hint: Any) -> _FieldReader:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _limited(_reader(arguments[0]), arguments[1])
    if origin is types.UnionType or origin is typing.Union:
        (inner,) = (a for a in arguments if a is not type(None))
        return _or_none(_reader(inner))
    if origin is tuple:
        return _list_of(_reader(arguments[0]))
    if origin is dict:
        return _mapping
    if hint in _READERS:
        return _READERS[hint]
    if issubclass(hint, StrEnum):
        return lambda value, _: hint(value)
    return lambda value, broken: _object(hint, value, broken)


def _unless_default(default: Any, read: _FieldReader) -> _FieldReader:
    """Note a default that is written out; such a field must be left out."""

    def read_unless(value: Any, broken: list[str]) -> Any:
        typed = read(value, broken)
        if typed is default or typed == ():
            broken.append(f"{value!r:.60} is the default: leave the field out")
        return typed

    return read_unless


def _limited(read: _FieldReader, limit: Limit) -> _FieldReader:
    def read_limited(value: Any, broken: list[str]) -> Any:
        typed = read(value, broken)
        if (problem := limit.problem(typed)) is not None:
            broken.append(problem)
        return typed

    return read_limited


def _or_none(read: _FieldReader) -> _FieldReader:
    return lambda value, broken: None if value is None else read(value, broken)


def _list_of(read: _FieldReader) -> _FieldReader:
    def read_list(value: Any, broken: list[str]) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{value!r:.60} is not a list")
        return tuple(read(item, broken) for item in value)

    return read_list


def _mapping(value: Any, _: list[str]) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r:.60} is not an object")
    return value


def _text(value: Any, broken: list[str]) -> str:
    if value is None:
        # The most common mistake of a client. It must not hide other problems.
        broken.append("None is not a string")
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.60} is not a string")
    return value


def _whole_number(value: Any, _: list[str]) -> int:
    # JSON Schema takes 3.0 for an integer, and true for none.
    if isinstance(value, bool) or not (isinstance(value, int) or _is_whole(value)):
        raise ValueError(f"{value!r:.60} is not an integer")
    return int(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _number(value: Any, _: list[str]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.60} is not a number")
    return value


def _flag(value: Any, _: list[str]) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r:.60} is not a boolean")
    return value


def _anything(value: Any, _: list[str]) -> Any:
    return value


def _finish_reason(value: Any, broken: list[str]) -> FinishReason:
    try:
        return FinishReason(value)
    except ValueError:
        # An end without a known reason is still an end.
        broken.append(f"{value!r:.60} is not a finish reason")
        return FinishReason.UNKNOWN


def _part(value: Any, broken: list[str]) -> Part:
    return _tagged("part", PART_TYPES, value, broken)


def _text_citation(value: Any, broken: list[str]) -> Citation:
    """Read a citation inside a text part, which has no index and no native events."""
    if not isinstance(value, Mapping) or value.get("type") != Citation.type:
        raise ValueError(f"{value!r:.60} is not a citation")
    if outside := {"index", "native"} & value.keys():
        broken.append(f"{', '.join(sorted(outside))} not allowed in a citation of a text part")
    return _object(Citation, value, broken, tagged=True)


def _tagged(what: str, kinds: Mapping[str, type[_T]], data: Json, broken: list[str]) -> _T:
    kind = data.get("type") if isinstance(data, Mapping) else None
    cls = kinds.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise ValueError(f"unknown {what} type {kind!r:.60}")
    return _object(cls, data, broken, tagged=True)


_READERS: Mapping[Any, _FieldReader] = {
    str: _text,
    int: _whole_number,
    float: _number,
    bool: _flag,
    Any: _anything,
    Part: _part,
    Citation: _text_citation,
    FinishReason: _finish_reason,
}
