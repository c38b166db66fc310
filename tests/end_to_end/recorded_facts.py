"""Compare the index of the recordings with what a client returns for them."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

from harness.plan.expand import Axes
from harness.plan.planning import Plan, Settings, make_plan
from harness.reports.records import CaseResult
from harness.run.lanes import Width, judged
from harness.run.runner import Runner


@cache
def results(files: Path, adapter: str) -> dict[tuple[Path, int], CaseResult]:
    """Play every runnable recording below ``files`` to one adapter; by file and interaction."""
    settings = Settings(adapters=(adapter,), recordings=files, axes=Axes(mode="none"), faults=False)
    plan = make_plan(settings)

    async def play(plan: Plan) -> list[CaseResult]:
        async with Runner(plan) as runner:
            return [r async for r in judged(runner, plan.cases, Width(here=4, here_stalled=4))]

    found = {}
    for result in asyncio.run(play(plan)):
        numbers = result.case.scenario.interactions
        assert numbers is not None
        found[result.case.scenario.cassette, numbers[0]] = result
    return found


def index(directory: Path, dialect: str | None = None) -> list[dict[str, Any]]:
    data = json.loads((directory / "index.json").read_text(encoding="utf-8"))
    return [i for i in data["interactions"] if dialect in (None, i["dialect"])]


#: Finish reasons that the index gives in the provider's word and we in ours.
FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "": None, None: None}
FINISH |= {"completed": "completed", "incomplete": "max_output_tokens"}
FINISH |= {word: word for word in ("COMPLETE", "TOOL_CALL")}
FINISH |= {w: w for w in ("end_turn", "tool_use", "max_tokens", "guardrail_intervened")}
FINISH |= {w: w for w in ("STOP", "MAX_TOKENS")}
STATUS_CLASSES = {
    "openai.AuthenticationError": {"authentication"},
    "openai.NotFoundError": {"model_not_found"},
    "openai.RateLimitError": {"rate_limit"},
    # Groq's tool_use_failed: the model called no tool, or a wrong one. The Responses API says 400
    # of an unknown model, with its code.
    "openai.BadRequestError": {"invalid_tool_arguments", "model_not_found"},
    # The identifier of a model that is invalid.
    "botocore.ClientError": {"model_not_found"},
    "anthropic.AuthenticationError": {"authentication"},
    # Google says 400 of a key that is not valid.
    "google.ClientError": {"authentication", "model_not_found"},
}


def compared(entry: dict[str, Any], result: CaseResult) -> list[str]:
    record = result.transcript.turns[0]
    turn = {} if record.turn is None else record.turn.data
    expected = entry["expected"]
    if expected["outcome"] == "sdk-raises":
        # A stream that is an HTTP error, of which the index has no more.
        status = (turn.get("error") or {}).get("status")
        return [] if status == entry["status"] else [f"{entry['status']} became {status}"]
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
        f"{kind} {text!r} is not {expected.get(kind)!r}"
        for kind, text in texts.items()
        if text != expected.get(kind, "") and not _known(entry, kind)
    ]
    calls = [p for p in turn["parts"] if p["type"] == "tool_call"]
    # The index counts tools that the provider ran itself among the calls.
    hosted = {p["kind"] for p in turn["parts"] if p["type"] == "hosted_tool"}
    asked = [call for call in expected["tool_calls"] if call["name"] not in hosted]
    if len(calls) != len(asked):
        found.append(f"{len(calls)} tool calls, {len(asked)} expected")
    for call, wanted in zip(calls, asked, strict=False):
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
    expected = expected.get("tokens", expected)  # the pair of Cohere's that the client gives

    def first(*names: str) -> Any:
        return next((expected[n] for n in names if n in expected), None)

    def total(*names: str) -> Any:
        return sum(expected[n] for n in names if n in expected) or None

    def detail(group: str, name: str) -> Any:
        counts = expected.get(group)  # Google's are a list, by modality
        return counts.get(name) if isinstance(counts, dict) else None

    details = {
        "input_tokens": _with_cache(
            expected, first("prompt_tokens", "input_tokens", "prompt_eval_count", "inputTokens")
        )
        or total("prompt_token_count", "tool_use_prompt_token_count"),
        "output_tokens": first("completion_tokens", "output_tokens", "eval_count", "outputTokens")
        or total("candidates_token_count", "thoughts_token_count"),
        "total_tokens": first("total_tokens", "totalTokens", "total_token_count"),
        "cache_read_input_tokens": detail("prompt_tokens_details", "cached_tokens"),
        "reasoning_tokens": detail("completion_tokens_details", "reasoning_tokens")
        or first("thoughts_token_count"),
    }
    return [
        f"{name} {seen.get(name)} is not {value}"
        for name, value in details.items()
        if value is not None and seen.get(name) != value
    ]


def _with_cache(usage: dict[str, Any], count: int | None) -> int | None:
    """Return the input with what Anthropic counts apart: what a cache gave or took."""
    caches = ("cache_read_input_tokens", "cache_creation_input_tokens")
    return None if count is None else count + sum(usage.get(name) or 0 for name in caches)


def _known(entry: dict[str, Any], kind: str) -> bool:
    # The SDK that read the index shows no reasoning of Snowflake's, which sends it beside the
    # text as reasoning_details. The index has no plans before tool calls.
    return kind == "reasoning" and entry["provider"] in ("snowflake", "cohere")
