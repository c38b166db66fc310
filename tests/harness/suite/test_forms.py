from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from harness.errors import SpecError
from harness.suite.loader import load
from harness.suite.scenario import GateSpec, Scenario

HEAD = """\
scenario: openai-chat/hello
title: A greeting
dialect: openai-chat
requires: [streaming]
source: a document
priority: P0
"""
EXPECT = "expect: {turn: {content: Hi}}"
CALL = "call: {model: m, messages: [{role: user, content: hi}]}"
WHOLE = "call: {model: m, messages: [{role: user, content: hi}], stream: false}"
RETRIED = "call: {model: m, messages: [{role: user, content: hi}], max_retries: 1}"
CANCEL = "cancel_after: {after: 2, seen: 1}"


def loaded(directory: Path, body: str) -> Scenario:
    (directory / "openai-chat").mkdir()
    (directory / "openai-chat" / "hello.yaml").write_text("interactions: []\n")
    path = directory / "spec.yaml"
    path.write_text(HEAD + dedent(body))
    (scenario,) = load(path, (directory,))
    return scenario


def turns(*each: tuple[str, ...]) -> str:
    return "turns:\n" + "".join(
        "".join(("- " if n == 0 else "  ") + line + "\n" for n, line in enumerate((*turn, EXPECT)))
        for turn in each
    )


def test_a_caller_that_stops_and_calls_again(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, turns((CALL, CANCEL), ("again: true",)))
    first, second = scenario.turns
    assert first.cancel_after == GateSpec(2, 1)
    assert (second.again, second.call) == (True, None)
    assert scenario.choreographed


def test_calls_at_once(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, "together: true\n" + turns((CALL,), (WHOLE,)))
    assert scenario.together
    assert scenario.choreographed


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        (turns((CALL, CANCEL), (CANCEL, "again: true", CALL)), 13, "call beside again"),
        (
            turns((CALL,), ("again: true", "messages: [{role: user}]")),
            11,
            "messages beside again",
        ),
        (turns((CALL,), (CALL, "results: [{call: 0, content: x}]")), 11, "results beside call"),
        (turns(("again: true",), (CALL,)), 8, "the first turn has no call"),
        (turns(("messages: [{role: user}]",), (CALL,)), 8, "the first turn has no call"),
        (turns((WHOLE, CANCEL), (CALL,)), 9, "cancel_after of a whole answer"),
        (turns((WHOLE,), (CALL,), ("again: true", CANCEL)), 13, "cancel_after of a whole answer"),
        (turns((RETRIED, CANCEL), (CALL,)), 9, "a call that may be retried"),
        (f"{WHOLE}\n{EXPECT}\n{CANCEL}\n", 9, "cancel_after of a whole answer"),
        (f"{CALL}\n{EXPECT}\ntogether: true\n", 9, "together needs several calls"),
        ("together: true\n" + turns((CALL,), ("again: true",)), 11, "a turn without a call"),
        ("together: true\n" + turns((CALL,), (CALL, CANCEL)), 12, "cancel_after in a scenario"),
        (turns((CALL, "cancel_after: {after: 0, seen: 1}"), (CALL,)), 9, "after: 0 is less"),
        (turns((CALL, "cancel_after: {after: 1, seen: 0}"), (CALL,)), 9, "seen: 0 is less"),
    ],
)
def test_keys_that_do_not_fit_together(tmp_path: Path, body: str, line: int, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        loaded(tmp_path, body)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.path) == (line, tmp_path / "spec.yaml")
    assert caught.value.hint
