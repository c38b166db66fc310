"""What the official SDKs and the scenarios are compared by: a turn in the fields that both have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from harness.suite.scenario import Expectation, Scenario
from mockserver.vocabulary.codec import event_from_json, to_json
from mockserver.vocabulary.fold import fold

#: Id, name and arguments of a tool call.
Call = tuple[str | None, str | None, Any]


@dataclass
class Turn:
    """A turn in the fields that both sides share; ``None`` for what is absent."""

    text: str = ""
    refusal: str = ""
    calls: list[Call] = field(default_factory=list)
    finish: str | None = None
    usage: tuple[int | None, int | None, int | None] | None = None
    error: int | str | None = None


def outcomes(scenario: Scenario) -> tuple[Expectation, ...]:
    """Return what the scenario expects, the choice of the bundled clients first."""
    expect = scenario.turns[0].expect
    assert expect is not None
    return expect.any_of or (expect,)


def expected_turn(expect: Expectation) -> Turn:
    """Return an outcome in the same fields."""
    data: dict[str, Any] = {}
    if expect.events is not None:
        data = to_json(fold(event_from_json(e) for e in _filled(expect.events)))
    turn = expect.turn or {}
    data |= turn
    error = expect.error or data.get("error")
    parts = data.get("parts", [])
    calls = data.get("tool_calls", [p for p in parts if p["type"] == "tool_call"])
    usage = data.get("usage")
    return Turn(
        text=data.get("content", _joined(parts, "text", "text")),
        refusal=data.get("refusal", _joined(parts, "refusal", "refusal")),
        calls=[_call(c) for c in calls],
        finish=data.get("raw_finish_reason"),
        usage=None
        if usage is None
        else (usage.get("input_tokens"), usage.get("output_tokens"), usage.get("total_tokens")),
        error=None if error is None else error.get("status", error["class"]),
    )


def _call(call: dict[str, Any]) -> Call:
    call_id = None if call.get("id_synthesized") else call.get("id")
    arguments = call.get("arguments")
    return call_id, call.get("name"), call.get("arguments_raw") if arguments is None else arguments


def _joined(parts: list[dict[str, Any]], kind: str, field_name: str) -> str:
    return "".join(p[field_name] for p in parts if p["type"] == kind)


def _filled(events: tuple[dict[str, Any], ...]) -> Iterator[dict[str, Any]]:
    for event in events:
        match event["type"]:
            case "warning":
                yield {"message": "any", **event}
            case "error":
                error = {k: v for k, v in event["error"].items() if k != "message_contains"}
                yield {"type": "error", "error": {"message": "", "retryable": False, **error}}
            case "tool_call_start":
                yield {"tool_call_id": "made", **event}
            case "tool_call_end":
                yield {"arguments_raw": json.dumps(event["arguments"]), **event}
            case _:
                yield event


def differences(expected: Turn, seen: Turn, judged: set[str]) -> list[str]:
    """Return the names of the fields that differ, of those that the scenario ``judged`` states.

    Both failing is agreement, whatever the status: the SDK knows no other classes. Where one
    side fails, the rest is not compared.
    """
    if (expected.error is None) != (seen.error is None):
        return ["silent" if seen.error is None else "raises"]
    if expected.error is not None:
        statuses = isinstance(expected.error, int) and isinstance(seen.error, int)
        return ["status"] if statuses and expected.error != seen.error else []
    if expected.usage == (None, None, None) and seen.usage is not None:
        judged = judged - {"usage"}  # the scenario states other counts
    seen = replace(seen, calls=_as_far_as_stated(expected.calls, seen.calls))
    return [
        name
        for name in ("text", "refusal", "calls", "finish", "usage")
        if name in judged and getattr(expected, name) != getattr(seen, name)
    ]


def _as_far_as_stated(expected: list[Call], seen: list[Call]) -> list[Call]:
    """Leave out the names and arguments that the scenario does not state."""
    if len(expected) != len(seen):
        return seen
    return [
        (call_id, name if stated[1] else None, None if stated[2] is None else arguments)
        for stated, (call_id, name, arguments) in zip(expected, seen, strict=True)
    ]


def judged_by(expect: Expectation) -> set[str]:
    """Return the fields of a turn that an outcome states."""
    if expect.events is not None:
        return {"text", "refusal", "calls", "finish", "usage"}
    names = {
        "content": "text",
        "refusal": "refusal",
        "tool_calls": "calls",
        "raw_finish_reason": "finish",
        "usage": "usage",
    }
    return {names[k] for k in expect.turn or {} if k in names}
