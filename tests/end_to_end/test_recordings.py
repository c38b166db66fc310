"""Real traffic of real providers: what the client makes of it is what the provider said.

The index beside the recordings was read with each provider's own SDK and, for streams, by a
second reader.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.dialects import recorded_call
from harness.expand import Axes
from harness.planning import Plan, Settings, make_plan
from harness.results import CaseResult
from harness.runner import Runner, judged
from harness.transcript import Outcome
from mockserver import store


@cache
def results(directory: Path, adapter: str) -> dict[tuple[Path, int], CaseResult]:
    """Every runnable recording through one adapter, by file and interaction."""
    plan = make_plan(
        Settings(adapters=(adapter,), recordings=directory / "files", axes=Axes(mode="none"))
    )

    async def play(plan: Plan) -> list[CaseResult]:
        async with Runner(plan) as runner:
            return [r async for r in judged(runner, plan.cases, width=4, stall_width=4)]

    found = {}
    for result in asyncio.run(play(plan)):
        numbers = result.case.scenario.interactions
        assert numbers is not None
        found[result.case.scenario.cassette, numbers[0]] = result
    return found


def index(directory: Path, dialect: str) -> list[dict[str, Any]]:
    data = json.loads((directory / "index.json").read_text(encoding="utf-8"))
    return [i for i in data["interactions"] if i["dialect"] == dialect]


#: Finish reasons that the index gives in the provider's word and we in ours.
FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "": None, None: None}
STATUS_CLASSES = {
    "openai.AuthenticationError": {"authentication"},
    "openai.NotFoundError": {"model_not_found"},
    "openai.RateLimitError": {"rate_limit"},
    # Groq's tool_use_failed: the model called no tool, or a wrong one.
    "openai.BadRequestError": {"invalid_tool_arguments"},
}


def test_all_chat_recordings_say_what_the_index_says(recordings: Path) -> None:
    entries = index(recordings, "openai-chat")
    assert len(entries) == 21
    differences = []
    for entry in entries:
        result = results(recordings, "openai-compat")[
            recordings / entry["file"], entry["interaction"]
        ]
        differences += [f"{entry['id']} {entry['file']}: {d}" for d in compared(entry, result)]
    assert differences == []


def compared(entry: dict[str, Any], result: CaseResult) -> list[str]:
    record = result.transcript.turns[0]
    turn = record.turn or {}
    expected = entry["expected"]
    if expected["outcome"] == "error":
        error = turn.get("error") or {}
        ok = error.get("class") in STATUS_CLASSES[expected["sdk_class"]]
        same = error.get("status") == expected["status"]
        return [] if ok and same else [f"{expected['sdk_class']} became {error}"]
    texts = {
        kind: "".join(p[field] for p in turn["parts"] if p["type"] == kind)
        for kind, field in (("text", "text"), ("reasoning", "text"), ("refusal", "refusal"))
    }
    found = [
        f"{kind} {text!r} is not {expected[kind]!r}"
        for kind, text in texts.items()
        if text != expected[kind] and not _known(entry, kind)
    ]
    calls = [p for p in turn["parts"] if p["type"] == "tool_call"]
    if len(calls) != len(expected["tool_calls"]):
        found.append(f"{len(calls)} tool calls, {len(expected['tool_calls'])} expected")
    for call, wanted in zip(calls, expected["tool_calls"], strict=False):
        if wanted["id"] and call["id"] != wanted["id"]:
            found.append(f"tool call id {call['id']!r} is not {wanted['id']!r}")
        if call["name"] != wanted["name"]:
            found.append(f"tool name {call['name']!r} is not {wanted['name']!r}")
        # The index keeps the empty text of a call without arguments; it means none.
        if call["arguments"] != json.loads(wanted["arguments"] or "{}"):
            found.append(f"arguments {call['arguments']} are not {wanted['arguments']}")
    if turn.get("raw_finish_reason") != FINISH[expected["finish_reason"]]:
        found.append(f"finish {turn.get('raw_finish_reason')} is not {expected['finish_reason']}")
    found += usage_differences(expected["usage"], turn.get("usage"))
    return found


def usage_differences(expected: dict[str, Any] | None, seen: dict[str, Any] | None) -> list[str]:
    if expected is None or seen is None:
        return [] if expected is seen is None else [f"usage {seen} is not {expected}"]
    details = {
        "input_tokens": expected.get("prompt_tokens"),
        "output_tokens": expected.get("completion_tokens"),
        "total_tokens": expected.get("total_tokens"),
        "cache_read_input_tokens": (expected.get("prompt_tokens_details") or {}).get(
            "cached_tokens"
        ),
        "reasoning_tokens": (expected.get("completion_tokens_details") or {}).get(
            "reasoning_tokens"
        ),
    }
    return [
        f"{name} {seen.get(name)} is not {value}"
        for name, value in details.items()
        if value is not None and seen.get(name) != value
    ]


def _known(entry: dict[str, Any], kind: str) -> bool:
    # The SDK that read the index shows no reasoning of Snowflake's, which sends it beside the
    # text as reasoning_details.
    return kind == "reasoning" and entry["provider"] == "snowflake"


def test_every_invariant_holds_over_the_recordings(recordings: Path) -> None:
    failed = {
        str(path): [f"{f.check}: {f.message}" for f in result.verdict.findings]
        for (path, _), result in results(recordings, "openai-compat").items()
        if result.verdict.outcome is not Outcome.PASS
    }
    assert failed == {}


def test_what_is_not_run_says_why(recordings: Path) -> None:
    settings = Settings(adapters=("openai-compat",), recordings=recordings / "files")
    plan = make_plan(settings)
    assert plan.problems == ()
    assert all(skip.reason for skip in plan.skips)
    runnable = {c.scenario.cassette for c in plan.cases}
    for path in (recordings / "files").rglob("*.yaml"):
        for interaction in store.load(path).interactions:
            found = recorded_call(interaction.request)
            if isinstance(found, tuple) and found[0] == "openai-chat":
                assert path in runnable


@pytest.mark.parametrize("adapter", ["openai-compat"])
def test_every_axis_tells_the_same_turn(recordings: Path, adapter: str) -> None:
    plan = make_plan(
        Settings(adapters=(adapter,), recordings=recordings / "files", axes=Axes(mode="pairwise"))
    )

    async def play() -> list[CaseResult]:
        async with Runner(plan) as runner:
            return [r async for r in judged(runner, plan.cases, width=6, stall_width=4)]

    turns: dict[str, set[str]] = {}
    for result in asyncio.run(play()):
        turn = json.dumps(result.transcript.turns[0].turn, sort_keys=True)
        turns.setdefault(result.case.scenario.id, set()).add(turn)
    assert {name: len(found) for name, found in turns.items() if len(found) > 1} == {}
