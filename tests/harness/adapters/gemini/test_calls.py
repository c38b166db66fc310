"""Whole calls, and arguments that come piece by piece."""

from __future__ import annotations

from typing import Any

import pytest

from harness.adapters.gemini.calls import Calls
from harness.adapters.gemini.paths import PathError, Paths
from mockserver.vocabulary import ErrorClass, Event, ToolCallEnd, ToolCallStart


def run(*pieces: Any, incomplete: bool = False) -> tuple[list[Event], Calls]:
    calls = Calls()
    found = [event for piece in pieces for event in calls.add(piece, piece.pop("s", None))]
    return [*found, *calls.close(incomplete=incomplete)], calls


def ends(*pieces: Any, **more: Any) -> list[ToolCallEnd]:
    return [e for e in run(*pieces, **more)[0] if isinstance(e, ToolCallEnd)]


def value(path: str, **more: Any) -> dict[str, Any]:
    return {"jsonPath": path, **more}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ({"name": "f"}, {}),
        ({"name": "f", "args": None}, {}),
        ({"name": "f", "args": {"a": [1]}}, {"a": [1]}),
        ({"name": "f", "args": '{"a": 1}'}, {"a": 1}),
        ({"name": "f", "args": ""}, {}),
        ({"name": "f", "args": {"a": 1}, "willContinue": False}, {"a": 1}),
        ({"name": "f", "partialArgs": [value("$.a", numberValue=1)]}, {"a": 1}),
    ],
)
def test_a_whole_call(call: Any, arguments: Any) -> None:
    found, calls = run(call)
    assert [e.type for e in found] == ["tool_call_start", "tool_call_delta", "tool_call_end"]
    assert isinstance(found[2], ToolCallEnd)
    assert found[2].arguments == arguments
    assert calls
    assert calls.error is None


@pytest.mark.parametrize(
    ("call", "error_class"),
    [
        ({"name": "f", "args": [1]}, ErrorClass.INVALID_TOOL_ARGUMENTS),
        ({"name": "f", "args": "{"}, ErrorClass.INVALID_TOOL_ARGUMENTS),
        ({"name": "f", "args": True}, ErrorClass.INVALID_TOOL_ARGUMENTS),
        ({"args": {"a": 1}}, ErrorClass.PROTOCOL),
        ({"name": ""}, ErrorClass.PROTOCOL),
        ({"name": 7}, ErrorClass.PROTOCOL),
        (
            {"name": "f", "willContinue": True, "partialArgs": [value("a")]},
            ErrorClass.INVALID_TOOL_ARGUMENTS,
        ),
    ],
)
def test_a_bad_call(call: Any, error_class: ErrorClass) -> None:
    found, calls = run(call)
    assert calls.error is not None
    assert calls.error.error_class is error_class
    assert not [e for e in found if isinstance(e, ToolCallEnd)]


def test_the_first_error_counts() -> None:
    _, calls = run({"name": "f", "args": [1]}, {"name": "g", "args": [2]})
    assert calls.error is not None
    assert "(f)" in calls.error.message


@pytest.mark.parametrize(
    ("call_id", "known"),
    [("k", "k"), ("", "call_0"), (" ", "call_0"), (7, "call_0"), (None, "call_0")],
)
def test_ids(call_id: Any, known: str) -> None:
    start = run({"name": "f", "id": call_id})[0][0]
    assert isinstance(start, ToolCallStart)
    assert (start.tool_call_id, start.id_synthesized) == (known, known != "k")


def test_pieces_are_one_call() -> None:
    (end,) = ends(
        {"name": "f", "willContinue": True, "s": "one"},
        {"partialArgs": [value("$.a", stringValue="x", willContinue=True)], "willContinue": True},
        {"partialArgs": [value("$.a", stringValue="y")], "willContinue": True, "s": "two"},
        {"args": {"b": 2}, "willContinue": True},
        {},
    )
    assert (end.arguments, end.thought_signature) == ({"a": "xy", "b": 2}, "one")


def test_a_late_signature_counts() -> None:
    (end,) = ends({"name": "f", "willContinue": True}, {"s": "late"})
    assert end.thought_signature == "late"


def test_another_name_or_the_end_ends_a_call() -> None:
    begun = {"name": "f", "willContinue": True}
    assert [e.tool_call_index for e in ends({**begun}, {"name": "g"})] == [0, 1]
    assert [e.arguments for e in ends({**begun})] == [{}]
    assert ends({**begun}, incomplete=True) == []


def test_odd_pieces_are_skipped() -> None:
    (end,) = ends({"name": "f", "willContinue": True}, {"partialArgs": [7, None], "args": 7})
    assert end.arguments == {}
    (end,) = ends({"name": "f", "willContinue": True}, {"partialArgs": 7})
    assert end.arguments == {}


# --- paths


def built(*pieces: Any) -> Any:
    paths = Paths()
    for piece in pieces:
        paths.add(piece)
    return paths.arguments


@pytest.mark.parametrize(
    ("pieces", "arguments"),
    [
        ([value("$.a", numberValue=0)], {"a": 0}),
        ([value("$.a", boolValue=False)], {"a": False}),
        ([value("$.a", nullValue="NULL_VALUE")], {"a": None}),
        ([value("$.a", stringValue="")], {"a": ""}),
        ([value("$.a")], {}),
        ([value("$.a", willContinue=True)], {"a": ""}),
        ([value("$.a.b.c", numberValue=1)], {"a": {"b": {"c": 1}}}),
        ([value("$['a b']", numberValue=1)], {"a b": 1}),
        ([value('$["a.b"].c', numberValue=1)], {"a.b": {"c": 1}}),
        ([value("$.a[0]", numberValue=1), value("$.a[1]", numberValue=2)], {"a": [1, 2]}),
        ([value("$.a[0][0].b", numberValue=1)], {"a": [[{"b": 1}]]}),
        (
            [value("$.a[0].b", numberValue=1), value("$.a[0].c", numberValue=2)],
            {"a": [{"b": 1, "c": 2}]},
        ),
        ([value("$.a", stringValue="x"), value("$.a", stringValue="y")], {"a": "y"}),
        (
            [
                value("$.a", stringValue="x", willContinue=True),
                value("$.b", stringValue="1"),
                value("$.a", stringValue="y", willContinue=True),
                value("$.a", stringValue="z"),
                value("$.c", stringValue="2"),
            ],
            {"a": "xyz", "b": "1", "c": "2"},
        ),
        (
            [value("$.a", stringValue="x", willContinue=True), value("$.a", numberValue=1)],
            {"a": 1},
        ),
        (
            [value("$.a[0]", stringValue="x", willContinue=True), value("$.a[0]", stringValue="y")],
            {"a": ["xy"]},
        ),
    ],
)
def test_values_at_paths(pieces: list[Any], arguments: Any) -> None:
    assert built(*pieces) == arguments


@pytest.mark.parametrize(
    "path",
    [
        None,
        7,
        "",
        "$",
        "a",
        "$a",
        "$.",
        "$..a",
        "$.a[",
        "$.a[x]",
        "$.a[-1]",
        "$.a[1]",
        "$.a[9999999]",
        "$[0]",
        "$.a['b]",
        "$" + ".a" * 65,
    ],
)
def test_paths_that_lead_nowhere(path: Any) -> None:
    with pytest.raises(PathError, match="a partial argument has"):
        built({"jsonPath": path, "numberValue": 1})


def test_a_path_through_a_value_leads_nowhere() -> None:
    with pytest.raises(PathError, match="leads nowhere"):
        built(value("$.a", numberValue=1), value("$.a.b", numberValue=2))
