"""SDKs: the wrappers that ``tapecheck init`` writes, with the real ones, and what commands get."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from harness import Call
from harness.commands import init
from harness.judge.transcript import Outcome
from harness.plan.expand import Axes
from harness.plan.planning import Settings, make_plan
from harness.run.runner import Runner
from harness.wrapping.sdks import ProviderSdks
from mockserver.dialects import dialects

TEMPLATES = Path(init.__file__).parent / "templates"
SDKS = sorted(set(init.KINDS) & set(dialects()))
ROWS = ("text", "tools-parallel*", "reasoning-call*", "error-after-text", "http-rate-limit")


@pytest.mark.parametrize("kind", SDKS)
# google-genai makes a class of a kind that aiohttp discourages.
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
def test_the_wrapper_of_an_sdk_passes(kind: str, tmp_path: Path) -> None:
    client = tmp_path / "my_client.py"
    client.write_bytes((TEMPLATES / f"{kind}.py.txt").read_bytes())
    plan = make_plan(
        Settings(
            adapters=(str(client),),
            patterns=tuple(f"{kind}/twins/{row}" for row in ROWS),
            axes=Axes(mode="none"),
            faults=False,
            in_process=True,
        )
    )
    assert len(plan.cases) >= len(ROWS) + 2

    async def play() -> dict[str, list[str]]:
        async with Runner(plan) as runner:
            results = [await runner.run_case(case) for case in plan.cases]
        return {
            r.case.id: [f"{f.check}: {f.message}" for f in r.verdict.findings]
            for r in results
            if r.verdict.outcome is not Outcome.PASS
        }

    assert asyncio.run(play()) == {}


def test_there_is_a_wrapper_for_each_sdk() -> None:
    assert SDKS == ["anthropic", "bedrock", "cohere", "gemini", "ollama"]
    for kind in SDKS:
        text = (TEMPLATES / f"{kind}.py.txt").read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60
        compile(text, kind, "exec")


@pytest.mark.parametrize("dialect", ["gemini", "bedrock"])
def test_bytes_go_to_another_process_as_base64(dialect: str) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked = Call(
        base_url="http://127.0.0.1",
        api_key="k",
        model="m-1",
        messages=({"role": "user", "content": [picture]},),
        dialect=dialect,
    )
    assert '"AAAA"' in json.dumps(ProviderSdks().arguments(asked))
