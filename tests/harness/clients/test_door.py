from __future__ import annotations

import collections
import enum
import json
from types import MappingProxyType
from typing import Any

import pytest

from harness.clients import door
from harness.model import (
    AssistantTurn,
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    FinishReason,
    MessageStop,
    Status,
    TextPart,
    ToolCallEnd,
    Usage,
    UsageEvent,
)

Json = dict[str, Any]
DELTA = {"type": "content_delta", "delta": "Hi"}
STOP = {"type": "message_stop", "finish_reason": "stop"}


class Liar(str):
    """A string that says of itself what suits it."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 7

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __len__(self) -> int:
        return 1


class Number(enum.IntEnum):
    ONE = 1


class Odd:
    @property
    def __class__(self) -> type:
        return str


class Breaking(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def endless() -> Json:
    value: Json = {}
    value["again"] = {"and": value}
    return value


def wide() -> Any:
    value: Any = [1] * 10
    for _ in range(90):
        value = [value] * 10
    return value


@pytest.mark.parametrize(
    ("item", "value"),
    [
        (DELTA, ContentDelta(delta="Hi")),
        (MappingProxyType(DELTA), ContentDelta(delta="Hi")),
        (collections.OrderedDict(DELTA), ContentDelta(delta="Hi")),
        (ContentDelta(delta="Hi"), ContentDelta(delta="Hi")),
        ({**STOP, "finish_reason": FinishReason.STOP}, MessageStop(finish_reason="stop")),
        (
            {"type": "usage", "usage": Usage(input_tokens=1)},
            UsageEvent(usage=Usage(input_tokens=1)),
        ),
        ({**DELTA, "index": Number.ONE}, ContentDelta(delta="Hi", index=1)),
        ({**DELTA, "delta": "\ud83d\ude00"}, ContentDelta(delta="\ud83d\ude00")),
        ({**DELTA, "native": ({"a": (1, 2)},)}, ContentDelta(delta="Hi", native=({"a": [1, 2]},))),
    ],
)
def test_what_is_right_is_typed_and_plain(item: Any, value: Any) -> None:
    emitted = door.event(item)
    assert (emitted.value, emitted.problems) == (value, ())
    assert door.event(json.loads(json.dumps(emitted.data))).problems == ()
    assert type(emitted.value) is type(value)


def test_subclasses_of_plain_types_become_plain() -> None:
    emitted = door.event({**DELTA, "delta": Liar("Hi"), "index": Number.ONE, Liar("phase"): "p"})
    assert isinstance(emitted.value, ContentDelta)
    assert [type(v) for v in emitted.data.values()] == [str, str, int, str]
    assert {type(k) for k in emitted.data} == {str}
    assert emitted.value == ContentDelta(delta="Hi", index=1, phase="p")


def test_what_a_client_changes_later_is_not_changed_here() -> None:
    arguments, native = {"city": "Oslo"}, [{"a": 1}]
    given = ToolCallEnd(
        tool_call_index=0, arguments=arguments, arguments_raw="{}", native=(native,)
    )
    emitted = door.event(given)
    arguments["city"] = "Rome"
    native.append({"b": 2})
    assert isinstance(emitted.value, ToolCallEnd)
    assert emitted.value.arguments == {"city": "Oslo"}
    assert emitted.data["native"] == [[{"a": 1}]]


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({**DELTA, "delta": [1]}, "content_delta: delta: [1] is not of type 'string'"),
        ({**DELTA, "delta": {"a": 1}}, "content_delta: delta: {'a': 1} is not of type 'string'"),
        (ContentDelta(delta=[2]), "content_delta: delta: [2] is not of type 'string'"),  # type: ignore[arg-type]
        (ContentDelta(delta="a", index="0"), "content_delta: index: '0' is not of type 'integer'"),  # type: ignore[arg-type]
        ({"type": "usage", "usage": 3}, "usage: usage: 3 is not of type 'object'"),
        (UsageEvent(usage=[]), "usage: usage: [] is not of type 'object'"),  # type: ignore[arg-type]
        (
            UsageEvent(usage=Usage(input_tokens=[1])),  # type: ignore[arg-type]
            "usage: usage/input_tokens: [1] is not of type 'integer'",
        ),
        (
            ErrorEvent(error=ErrorInfo(error_class="odd", message="m", retryable=True)),  # type: ignore[arg-type]
            "error: error/class: 'odd' is not one of",
        ),
        (
            {"type": "tool_call_delta", "tool_call_index": 0, "arguments_delta": {"a": 1}},
            "tool_call_delta: arguments_delta: {'a': 1} is not of type 'string'",
        ),
        ({"type": "brand_new"}, "unknown type 'brand_new'"),
        ({"type": ["content_delta"]}, "unknown type ['content_delta']"),
        ({"type": "content_delta"}, "content_delta: 'delta' is a required property"),
        ({**DELTA, "more": 1}, "content_delta: Additional properties are not allowed"),
        ({**DELTA, "index": True}, "content_delta: index: True is not of type 'integer'"),
        # What is no JSON at all.
        ({**DELTA, "index": float("nan")}, "index: nan is not JSON"),
        ({**DELTA, "index": float("-inf")}, "index: -inf is not JSON"),
        ({**DELTA, "index": 10**5000}, "index: a number of more than a thousand digits"),
        ({**DELTA, "delta": b"Hi"}, "delta: bytes is not JSON"),
        ({**DELTA, "delta": Odd()}, "delta: Odd is not JSON"),
        ({**DELTA, "native": [{1: 2}]}, "native/0: a key is not a string"),
        ({**DELTA, "native": [{"a": {1, 2}}]}, "native/0/a: set is not JSON"),
        ({**DELTA, "native": deep(5000)}, "is nested more than 100 levels deep"),
        ({**DELTA, "native": [endless()]}, "native/0/again/and: contains itself"),
    ],
)
def test_what_is_wrong_is_a_problem_with_its_place(item: Any, problem: str) -> None:
    emitted = door.event(item)
    assert emitted.value is None
    assert problem in emitted.problems[0]
    json.dumps(emitted.data, allow_nan=False)


def test_a_value_that_unfolds_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MAX_VALUES", 1000)
    emitted = door.event({**DELTA, "native": wide()})
    assert emitted.value is None
    assert "is more than 1000 values" in emitted.problems[0]


@pytest.mark.parametrize(
    ("item", "value", "problem"),
    [
        ({**DELTA, "delta": ""}, ContentDelta(delta=""), "content_delta: delta: '' "),
        ({**DELTA, "index": None}, ContentDelta(delta="Hi"), "content_delta: index: None is not"),
        (
            {**DELTA, "delta": "half \ud83d"},
            ContentDelta(delta="half \ud83d"),
            "delta: unpaired surrogate, which UTF-8 cannot encode",
        ),
        (
            ContentDelta(delta="", index=-1),
            ContentDelta(delta="", index=-1),
            "content_delta: delta",
        ),
    ],
)
def test_what_only_breaks_a_limit_is_typed_all_the_same(
    item: Any, value: Any, problem: str
) -> None:
    emitted = door.event(item)
    assert emitted.value == value
    assert emitted.problems[0].startswith(problem)


def test_a_subclass_of_dict_is_read_as_a_dict() -> None:
    assert door.event({**DELTA, "native": [Breaking(a=1)]}).data["native"] == [{"a": 1}]


class Sly(ContentDelta):
    __slots__ = ()

    @property
    def delta(self) -> str:
        raise RuntimeError("not yet")


def test_an_object_that_cannot_be_looked_at_is_a_problem() -> None:
    sly = Sly.__new__(Sly)
    object.__setattr__(sly, "native", ())
    assert door.event(sly).problems == ("cannot be read: RuntimeError",)
    empty = ContentDelta.__new__(ContentDelta)
    assert door.event(empty).problems == ("cannot be read: AttributeError",)


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({"status": "completed", "parts": None}, "parts: None is not of type 'array'"),
        (
            {"status": "completed", "finish_reason": "stop", "parts": [{"type": "text"}]},
            "parts/0: ",
        ),
        (AssistantTurn(status="odd", parts=()), "status: 'odd' is not one of"),  # type: ignore[arg-type]
        (
            AssistantTurn(
                status=Status.COMPLETED,
                finish_reason=FinishReason.STOP,
                parts=(TextPart(text=7),),  # type: ignore[arg-type]
            ),
            "parts/0: ",
        ),
        (
            {"status": "failed", "parts": [], "usage": {"input_tokens": float("nan")}},
            "usage/input_",
        ),
    ],
)
def test_a_turn_is_held_to_its_schema(item: Any, problem: str) -> None:
    emitted = door.turn(item)
    assert emitted.value is None
    assert problem in emitted.problems[0]


def test_a_turn_that_contradicts_itself_is_typed_all_the_same() -> None:
    emitted = door.turn({"status": "completed", "parts": []})
    assert emitted.value == AssistantTurn(status=Status.COMPLETED, parts=())
    assert emitted.problems == ("'finish_reason' is a required property",)


def test_a_whole_turn_is_typed() -> None:
    error = ErrorInfo(error_class=ErrorClass.TIMEOUT, message="m", retryable=True)
    text = TextPart(text="a", citations=(Citation(url="u"),))
    turn = AssistantTurn(status=Status.FAILED, error=error, parts=(text,))
    emitted = door.turn(turn)
    assert (emitted.value, emitted.problems) == (turn, ())


def test_text_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "a"}, "b"]
    assert door.event({**DELTA, "delta": parts}).value == ContentDelta(delta="ab")
    turn = door.turn({"status": "completed", "parts": [{"type": "text", "text": parts}]})
    assert turn.value is not None
    assert turn.value.content == "ab"
