from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import pytest

from harness.suite.schemas import definition, schema, validator
from mockserver.vocabulary import model
from mockserver.vocabulary.codec import event_from_json, read_event, to_json, turn_from_json
from mockserver.vocabulary.model import (
    AssistantTurn,
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    MessageStop,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

EVENT = schema("stream_event")["$defs"]
TURN = schema("assistant_turn")
#: Python names of fields that have another name in JSON.
JSON_NAMES = {"error_class": "class"}


def json_fields(cls: type) -> tuple[set[str], set[str]]:
    """All JSON fields of a dataclass, and those without a default."""
    fields = dataclasses.fields(cls)
    return (
        {JSON_NAMES.get(f.name, f.name) for f in fields},
        {JSON_NAMES.get(f.name, f.name) for f in fields if f.default is dataclasses.MISSING},
    )


PAIRS: list[tuple[str, type, dict[str, Any]]] = [
    *((f"event {name}", cls, EVENT[name]) for name, cls in model.EVENT_TYPES.items()),
    *((f"part {name}", cls, TURN["$defs"][name]) for name, cls in model.PART_TYPES.items()),
    ("usage", Usage, EVENT["usage_counts"]),
    ("error", ErrorInfo, EVENT["error_info"]),
    ("turn", AssistantTurn, TURN),
]


@pytest.mark.parametrize(("cls", "described"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_schema_and_python_have_the_same_fields(cls: type, described: dict[str, Any]) -> None:
    fields, required = json_fields(cls)
    if issubclass(cls, model.Event | model.Part):
        fields, required = fields | {"type"}, required | {"type"}
    assert set(described["properties"]) == fields
    assert set(described["required"]) == required
    assert described["additionalProperties"] is False


def test_schema_and_python_name_the_same_events_and_parts() -> None:
    variants = {v["$ref"].rpartition("/")[2] for v in schema("stream_event")["oneOf"]}
    assert variants == set(model.EVENT_TYPES)
    parts = {v["$ref"].rpartition("/")[2] for v in TURN["properties"]["parts"]["items"]["oneOf"]}
    assert parts == set(model.PART_TYPES)


@pytest.mark.parametrize(
    ("enum", "described"),
    [(ErrorClass, "error_class"), (FinishReason, "finish_reason")],
)
def test_schema_and_python_have_the_same_words(enum: type[StrEnum], described: str) -> None:
    for definitions in (EVENT, TURN["$defs"]):
        assert definitions[described]["enum"] == list(enum)
    assert TURN["properties"]["status"]["enum"] == list(Status)


def example(cls: type) -> Any:
    """An object of ``cls`` with a value in every field."""
    hints = typing.get_type_hints(cls)
    return cls(**{f.name: value_for(hints[f.name], f.name) for f in dataclasses.fields(cls)})


def value_for(hint: Any, name: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return value_for(next(a for a in arguments if a is not type(None)), name)
    if origin is tuple:
        return ({"wire": 1},) if name == "native" else (example(Citation),)
    if origin is dict:
        return {"city": "Oslo"}
    if dataclasses.is_dataclass(hint):
        return example(typing.cast("type", hint))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return next(iter(hint))
    named = {"channel": "summary", "status": 429 if hint is int else "done", "code": "some_code"}
    return named.get(name, {int: 3, float: 1.5, bool: True, str: "{}"}.get(hint))


@pytest.mark.parametrize("cls", model.EVENT_TYPES.values(), ids=model.EVENT_TYPES)
def test_full_events_obey_the_schema_and_come_back(cls: type[model.Event]) -> None:
    event = example(cls)
    data = to_json(event)
    check = definition("stream_event", cls.type)
    assert check is not None
    check.validate(data)
    validator("stream_event").validate(data)
    assert event_from_json(data) == event


def test_a_full_turn_obeys_the_schema_and_comes_back() -> None:
    cited = Citation(url="https://example.org", start=0, end=2)
    turn = AssistantTurn(
        response_id="r",
        model="m",
        status=Status.COMPLETED,
        finish_reason=FinishReason.TOOL_CALLS,
        raw_finish_reason="stop",
        usage=Usage(input_tokens=0, output_tokens=2),
        parts=(
            ReasoningPart(text="why", channel="text", signature="s"),
            TextPart(text="Hi", citations=(cited,)),
            ToolCallPart(id="c", name="f", arguments={}, arguments_raw="{}"),
            model.RefusalPart(refusal="no"),
            model.HostedToolPart(kind="web_search", native=({"a": 1},)),
        ),
    )
    data = to_json(turn)
    validator("assistant_turn").validate(data)
    assert turn_from_json(data) == turn
    assert (turn.content, turn.reasoning, turn.refusal) == ("Hi", "why", "no")
    assert [c.id for c in turn.tool_calls] == ["c"]


@pytest.mark.parametrize(
    "turn",
    [
        {"status": "failed", "parts": []},
        {"status": "completed", "parts": []},
        {
            "status": "completed",
            "finish_reason": "stop",
            "parts": [],
            "error": {"class": "timeout", "message": "", "retryable": True},
        },
        {"status": "completed", "finish_reason": "stop", "parts": [{"type": "text"}]},
        {"status": "completed", "finish_reason": "stop", "parts": [], "content": "a"},
    ],
)
def test_the_turn_schema_refuses_contradictions(turn: dict[str, Any]) -> None:
    assert not validator("assistant_turn").is_valid(turn)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "text", "delta": "a"},
        {"type": "content_delta"},
        {"type": "content_delta", "delta": ""},
        {"type": "content_delta", "delta": "a", "text": "a"},
        {"type": "usage", "usage": {"input_tokens": -1}},
        {"type": "usage", "usage": {"input_tokens": None}},
        {"type": "message_stop", "finish_reason": "end_turn"},
        {"type": "reasoning_signature"},
        {"type": "tool_call_end", "tool_call_index": 0, "arguments": [], "arguments_raw": "[]"},
    ],
)
def test_the_event_schema_refuses(event: dict[str, Any]) -> None:
    assert not validator("stream_event").is_valid(event)


#: What a client may put where something else belongs, and what is allowed there.
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 3.0, 3.5, 99, 100, 599, 600, 1e300),
    *("", "a", "ab", "A b", "a\n", "text", "completed", "incomplete", "failed", "stop", "x" * 2001),
    *("timeout", "content_delta", [], [1], ["a"], [{}], {}, {"a": 1}, {"type": "text"}),
    [{"type": "citation"}],
    [{"type": "citation", "native": [1]}],
    [{"type": "citation", "index": 0}],
    [{"type": "text", "text": ""}],
    {"input_tokens": 0, "estimated": True},
    {"input_tokens": -1},
    {"class": "timeout", "message": "", "retryable": True},
    {"class": "timeout", "message": "", "retryable": 1},
]


def variants(data: Any) -> Iterator[Any]:
    """``data`` with one thing changed, at any depth."""
    yield data
    if isinstance(data, dict):
        yield {**data, "surplus": 1}
        for key, inner in data.items():
            yield {k: v for k, v in data.items() if k != key}
            yield from ({**data, key: value} for value in VALUES)
            yield from ({**data, key: changed} for changed in variants(inner))
    if isinstance(data, list):
        for n, inner in enumerate(data):
            yield from ([*data[:n], changed, *data[n + 1 :]] for changed in variants(inner))


def is_read(read: Callable[[Any], Any], data: Any) -> bool:
    try:
        value = read(data)
    except ValueError:
        return False
    assert to_json(value) == data
    return True


@pytest.mark.parametrize("cls", model.EVENT_TYPES.values(), ids=model.EVENT_TYPES)
def test_the_codec_reads_what_the_event_schema_allows(cls: type[model.Event]) -> None:
    check = definition("stream_event", cls.type)
    assert check is not None
    for data in variants(to_json(example(cls))):
        if isinstance(data, dict) and data.get("type") == cls.type:
            assert is_read(event_from_json, data) is check.is_valid(data), data


FAILED = {
    "status": "failed",
    "error": {"class": "timeout", "message": "m", "retryable": True},
    "parts": [],
}


def test_the_codec_reads_what_the_turn_schema_allows() -> None:
    check = validator("assistant_turn")
    cited = {"type": "citation", "url": "u", "title": "t", "start": 0, "end": 3}
    parts = [{"type": "text", "text": "a", "citations": [cited]}]
    parts += [to_json(example(cls)) for cls in model.PART_TYPES.values() if cls is not TextPart]
    whole = {**to_json(example(AssistantTurn)), "parts": parts}
    for turn in ({k: v for k, v in whole.items() if k != "error"}, FAILED):
        assert check.is_valid(turn)
        for data in variants(turn):
            assert is_read(turn_from_json, data) is check.is_valid(data), data


@pytest.mark.parametrize("data", [None, 7, "text", [], {"type": []}, {"type": {}}], ids=str)
def test_what_is_no_event_is_a_value_error(data: Any) -> None:
    with pytest.raises(ValueError, match="unknown event type"):
        event_from_json(data)
    with pytest.raises(ValueError, match=r"is not an object|unknown field"):
        turn_from_json(data)


def test_broken_limits_are_noted_and_wrong_types_refused() -> None:
    broken: list[str] = []
    assert read_event({"type": "content_delta", "delta": ""}, broken) == ContentDelta(delta="")
    assert broken == ["'' is below 1"]
    with pytest.raises(ValueError, match="delta: 7 is not a string"):
        read_event({"type": "content_delta", "delta": 7}, broken)
    with pytest.raises(ValueError, match="usage: input_tokens: 'a' is not an integer"):
        read_event({"type": "usage", "usage": {"input_tokens": "a"}}, broken)


def test_an_end_without_a_known_reason_is_still_an_end() -> None:
    broken: list[str] = []
    data = {"type": "message_stop", "finish_reason": None, "raw_finish_reason": None}
    typed = MessageStop(finish_reason=FinishReason.UNKNOWN)
    assert read_event(data, broken) == typed
    assert broken[0] == "None is not a finish reason"


@pytest.mark.parametrize(
    "data", [{"type": "text"}, {}, {"type": "content_delta", "deltas": "a"}], ids=str
)
def test_unknown_data_is_a_value_error(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unknown event type|deltas"):
        event_from_json(data)


def test_later_usage_wins_per_field() -> None:
    first = Usage(input_tokens=10, output_tokens=1, reasoning_tokens=3)
    assert first.merged(Usage(output_tokens=0, total_tokens=9)) == Usage(
        input_tokens=10, output_tokens=0, total_tokens=9, reasoning_tokens=3
    )


def test_estimated_usage_stays_marked_until_the_provider_counts() -> None:
    guess = Usage(input_tokens=5, estimated=True)
    assert guess.merged(Usage(input_tokens=6)).estimated is False
