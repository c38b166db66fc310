"""The entrance for what a client emits: copied, checked and typed, once.

A client is hostile. It may yield values that are not JSON, that contain themselves, that change
later, or that only look like strings. After the door there are objects of the model, plain JSON,
and a list of what was wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.clients import lenient
from harness.judge.transcript import UNPAIRED, Emitted
from harness.suite.loader import describe
from harness.suite.schemas import definition, validator
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorInfo,
    Event,
    Json,
    JsonObject,
    Part,
    Usage,
    fields_of,
    read_event,
    read_turn,
)

_T = TypeVar("_T")
#: Levels of nested lists and objects that every later step can handle.
MAX_DEPTH = 100
#: Values in one event: far more than any wire sends, few enough to check.
MAX_VALUES = 1_000_000
#: Fields of an event or a turn.
MAX_FIELDS = 1_000
#: Bits of a number that can be written as decimal digits.
MAX_NUMBER_BITS = 4096
_MODEL = (Event, Part, AssistantTurn, ErrorInfo, Usage)


@dataclass(frozen=True, slots=True)
class Copied:
    """An event or a turn as plain JSON, and what of it is not JSON.

    ``lossy`` says that the copy has a placeholder somewhere, so that it is not checked further.
    """

    data: JsonObject
    problems: tuple[str, ...] = ()
    lossy: bool = False


def copied(item: Any, before: Copied | None = None) -> Copied:
    """Copy an event or a turn. ``before`` is what an earlier copier noted about the same one."""
    copier = _Copier()
    try:
        # The type itself: ``isinstance`` believes what an object says of its class.
        data = copier.copy(item if issubclass(type(item), _MODEL) else _fields(item))
    except KeyboardInterrupt:
        raise
    except BaseException as exc:
        # The client's own classes may raise anything when they are read.
        return Copied({}, (f"cannot be read: {type(exc).__name__}",), lossy=True)
    if before is None:
        return Copied(data, tuple(copier.problems), copier.lossy)
    problems = tuple(dict.fromkeys((*before.problems, *copier.problems)))
    return Copied(data, problems, copier.lossy or before.lossy)


def event(item: Event | Mapping[Any, Any] | Copied) -> Emitted[Event]:
    """Copy, check and type an event."""
    return _checked(item, lenient.filled_event, read_event, _event_problems)


def turn(item: AssistantTurn | Mapping[Any, Any] | Copied) -> Emitted[AssistantTurn]:
    """Copy, check and type a turn."""
    return _checked(item, lenient.filled_turn, read_turn, _turn_problems)


def _checked(
    item: Any,
    filled: Callable[[JsonObject], JsonObject],
    read: Callable[[Json, list[str]], _T],
    problems_of: Callable[[JsonObject], Iterable[str]],
) -> Emitted[_T]:
    copy = item if type(item) is Copied else copied(item)
    if copy.lossy:
        return Emitted(value=None, data=copy.data, problems=copy.problems)
    data = filled(copy.data)
    value, broken = None, list[str]()
    try:
        value = read(data, broken)
    except ValueError as exc:
        broken.append(str(exc))
    if broken:
        # The schemas are the contract, and users know their messages.
        broken = list(problems_of(data)) or broken
    return Emitted(value=value, data=data, problems=(*copy.problems, *broken))


def _fields(item: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the fields of a mapping. Raises ``ValueError`` for one that does not end."""
    fields: dict[Any, Any] = {}
    for count, key in enumerate(item):
        if count == MAX_FIELDS:
            raise ValueError("too many fields")
        fields[key] = item[key]
    return fields


def _event_problems(data: JsonObject) -> Iterator[str]:
    kind = data.get("type")
    check = definition("stream_event", kind) if isinstance(kind, str) else None
    if check is None:
        yield f"unknown type {kind!r:.100}"
    else:
        yield from (f"{kind}: {describe(problem)}" for problem in check.iter_errors(data))


def _turn_problems(data: JsonObject) -> Iterator[str]:
    return (describe(problem) for problem in validator("assistant_turn").iter_errors(data))


class _Copier:
    """Copies a value as plain JSON and notes what cannot be copied.

    ``lossy`` says that the copy has a placeholder somewhere, so that it is not checked further.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.lossy = False
        self._path: list[str] = []
        self._open: set[int] = set()
        self._count = 0

    def copy(self, value: Any) -> Any:
        self._count += 1
        # The type itself: ``isinstance`` believes what an object claims to be.
        kind = type(value)
        if value is None or kind is bool:
            return value
        if issubclass(kind, str):
            return self._text(str.__str__(value))
        if issubclass(kind, int):
            number = int.__int__(value)
            return (
                number
                if number.bit_length() <= MAX_NUMBER_BITS
                else self._reject("a number of more than a thousand digits")
            )
        if issubclass(kind, float):
            real = float.__float__(value)
            if self._path[-1:] == ["retry_after"] and not math.isfinite(real):
                return None  # some headers say so, and no caller can wait for it
            return real if math.isfinite(real) else self._reject(f"{real} is not JSON")
        if not issubclass(kind, (dict, list, tuple, *_MODEL)):
            return self._reject(f"{kind.__name__} is not JSON")
        if id(value) in self._open:
            return self._reject("contains itself")
        if len(self._path) >= MAX_DEPTH:
            return self._reject(f"is nested more than {MAX_DEPTH} levels deep")
        if self._count > MAX_VALUES:
            return self._reject(f"is more than {MAX_VALUES} values")
        self._open.add(id(value))
        copied: Any = [] if issubclass(kind, list | tuple) else {}
        for key, item in self._items(kind, value):
            self._path.append(key)
            one = self.copy(item)
            self._path.pop()
            if isinstance(copied, list):
                copied.append(one)
            else:
                copied[key] = one
        self._open.discard(id(value))
        return copied

    def _items(self, kind: type, value: Any) -> Iterator[tuple[str, Any]]:
        # Through the built-in types: a subclass may override its methods.
        if issubclass(kind, list):
            yield from ((str(at), item) for at, item in enumerate(list.__iter__(value)))
        elif issubclass(kind, tuple):
            yield from ((str(at), item) for at, item in enumerate(tuple.__iter__(value)))
        else:
            pairs = dict.items(value) if issubclass(kind, dict) else fields_of(value)
            for key, item in pairs:
                is_text = issubclass(type(key), str)
                name = (
                    self._text(str.__str__(key))
                    if is_text
                    else self._reject("a key is not a string")
                )
                yield name, item

    def _text(self, text: str) -> str:
        if not text.isascii():
            try:
                # Two halves side by side are one character to JSON.
                text.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                self._note(UNPAIRED)
        return text

    def _reject(self, message: str) -> str:
        self.lossy = True
        self._note(message)
        return f"<{message}>"

    def _note(self, message: str) -> None:
        where = "/".join(self._path)
        self.problems.append(f"{where}: {message}" if where else message)
