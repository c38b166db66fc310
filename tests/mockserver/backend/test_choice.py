from __future__ import annotations

from typing import Any

import pytest

from mockserver.backend.choice import chosen
from tests.mockserver.backend.asking import asked, called, tool, user

TWO = (tool("weather"), tool("time"))


def names(*messages: Any, tools: Any = TWO, **options: Any) -> list[str]:
    return [t.name for t in chosen(asked(user("Hi"), *messages, tools=tools, **options))]


def test_all_tools_are_called_at_once_and_then_answered() -> None:
    assert names() == ["weather", "time"]
    assert names(*called("weather", "time")) == []


def test_one_after_the_other_where_calls_may_not_be_parallel() -> None:
    assert names(parallel_tool_calls=False) == ["weather"]
    assert names(*called("weather"), parallel_tool_calls=False) == ["time"]
    assert names(*called("weather"), *called("time"), parallel_tool_calls=False) == []


def test_required_leaves_the_last_tool_for_the_end_and_never_ends_without_a_call() -> None:
    assert names(tool_choice="required") == ["weather"]
    assert names(*called("weather"), tool_choice="required") == ["time"]
    assert names(*called("weather"), *called("time"), tool_choice="required") == ["time"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", []),
        ("auto", ["weather", "time"]),
        ({"type": "function", "function": {"name": "time"}}, ["time"]),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [{"type": "function", "function": {"name": "time"}}],
                },
            },
            ["time"],
        ),
    ],
)
def test_the_choice_of_the_client_is_obeyed(choice: Any, expected: list[str]) -> None:
    assert names(tool_choice=choice) == expected


def test_a_new_question_calls_the_tools_again() -> None:
    answered = {"role": "assistant", "content": "done"}
    assert names(*called("weather", "time"), answered, user("And now?")) == ["weather", "time"]


def test_a_message_of_the_user_behind_results_is_no_new_question() -> None:
    assert names(*called("weather", "time"), user("Go on.")) == []


FUNCTIONS = [{"name": "weather", "parameters": {}}, {"name": "time", "parameters": {}}]


def older(name: str) -> list[Any]:
    call = {"name": name, "arguments": "{}"}
    said = {"role": "assistant", "content": None, "function_call": call}
    return [said, {"role": "function", "name": name, "content": "done"}]


def test_functions_in_the_older_way_are_called_one_after_the_other() -> None:
    assert names(tools=(), functions=FUNCTIONS) == ["weather"]
    assert names(*older("weather"), tools=(), functions=FUNCTIONS) == ["time"]
    assert names(*older("weather"), *older("time"), tools=(), functions=FUNCTIONS) == []
    assert names(tools=(), functions=FUNCTIONS, function_call={"name": "time"}) == ["time"]
    assert names(tools=(), functions=FUNCTIONS, function_call="none") == []


def test_results_are_those_of_the_last_calls() -> None:
    assert asked(user("Hi"), *called("a", "b")).results == ("a", "b")
    assert asked(user("Hi"), *older("weather")).results == ("weather",)
