"""Real traffic of real providers: what the client returns is what the provider sent.

The index beside the recordings was read with each provider's own SDK and, for streams, by a
second reader.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from harness.judge.transcript import Outcome
from harness.plan.expand import Axes
from harness.plan.planning import Settings, make_plan
from harness.reports.records import CaseResult
from harness.run.lanes import Width, judged
from harness.run.runner import Runner
from mockserver.dialects.registry import recorded_call
from mockserver.library import library
from tests.end_to_end.recorded_facts import compared, index, results

CLIENTS = [
    "openai-compat",
    "response-strategies",
    "chatgpt-oauth",
    "cohere-client",
    "ollama-client",
    "bedrock-client",
    "anthropic-client",
    "gemini-client",
]


@pytest.mark.parametrize(
    ("dialect", "adapter", "count"),
    [
        ("openai-chat", "openai-compat", 21),
        ("openai-responses", "response-strategies", 11),
        ("openai-responses", "chatgpt-oauth", 11),
        ("cohere-v2", "cohere-client", 2),
        ("ollama", "ollama-client", 1),
        ("bedrock-converse", "bedrock-client", 6),
        ("anthropic-messages", "anthropic-client", 9),
        ("gemini-generate", "gemini-client", 11),
    ],
)
def test_all_recordings_of_a_dialect_agree_with_the_index(
    recordings: Path, dialect: str, adapter: str, count: int
) -> None:
    entries = index(recordings, dialect)
    assert len(entries) == count
    differences = []
    for entry in entries:
        result = results(recordings / "files", adapter)[
            recordings / entry["file"], entry["interaction"]
        ]
        differences += [f"{entry['id']} {entry['file']}: {d}" for d in compared(entry, result)]
    assert differences == []


@pytest.mark.parametrize("adapter", CLIENTS)
def test_the_recordings_pass_every_rule(recordings: Path, adapter: str) -> None:
    failed = {
        str(path): [f"{f.check}: {f.message}" for f in result.verdict.findings]
        for (path, _), result in results(recordings / "files", adapter).items()
        if result.verdict.outcome is not Outcome.PASS
    }
    assert failed == {}


def test_skipped_recordings_have_a_reason(recordings: Path) -> None:
    settings = Settings(adapters=("openai-compat",), recordings=recordings / "files")
    plan = make_plan(settings)
    assert plan.problems == ()
    assert all(skip.reason for skip in plan.skips)
    runnable = {c.scenario.cassette for c in plan.cases}
    for path in (recordings / "files").rglob("*.yaml"):
        for interaction in library.load(path).interactions:
            found = recorded_call(interaction.request)
            if isinstance(found, tuple) and found[0] == "openai-chat":
                assert path in runnable


@pytest.mark.parametrize("adapter", ["openai-compat"])
def test_every_axis_gives_the_same_turn(recordings: Path, adapter: str) -> None:
    plan = make_plan(
        Settings(
            adapters=(adapter,),
            recordings=recordings / "files",
            axes=Axes(mode="pairwise"),
            faults=False,
        )
    )

    async def play() -> list[CaseResult]:
        async with Runner(plan) as runner:
            return [r async for r in judged(runner, plan.cases, Width(here_stalled=4))]

    turns: dict[str, set[str]] = {}
    for result in asyncio.run(play()):
        turn = result.transcript.turns[0].turn
        assert turn is not None
        turns.setdefault(result.case.scenario.id, set()).add(json.dumps(turn.data, sort_keys=True))
    assert {name: len(found) for name, found in turns.items() if len(found) > 1} == {}
