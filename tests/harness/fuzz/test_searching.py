from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import Call
from harness.adapters.openai_compat import openai_compat
from harness.clients.interface import adapter
from harness.fuzz import searching, witness
from harness.fuzz.planning import call_of, make_plan
from harness.fuzz.searching import OurFaultError, Search
from harness.judge.baseline import Baseline
from harness.plan.planning import Plan, Settings

ASKED = call_of(openai_compat, "openai-chat")


def plan_for(run: Any, entries: tuple[dict[str, str], ...] = ()) -> Plan:
    client = adapter(dialects=["openai-chat"], features=["streaming"], name="client")(run)
    baseline = Baseline.read(Path("client.yaml"), entries)
    return Plan(
        settings=Settings(),
        adapters=(client,),
        baselines={"client": baseline},
        cases=(),
        skips=(),
    )


async def shouts(call: Call) -> Any:
    """Change every text, and only that."""
    async for event in openai_compat.run(call):
        if getattr(event, "type", "") == "content_delta":
            yield {"type": "content_delta", "delta": event.delta.upper() + "!"}
        elif hasattr(event, "type"):
            yield event


def searched(plan: Plan, examples: int, shrinks: int = 40) -> tuple[Search, list[searching.Found]]:
    with Search(plan, "openai-chat", ASKED, shrinks=shrinks) as search:
        return search, list(search.found(seconds=1e9, examples=examples))


def test_a_right_client_has_no_failures() -> None:
    search, found = searched(make_plan(Settings(adapters=("openai-compat",))), 5)
    assert (found, search.tally.judged) == ([], 5)


def test_a_failure_is_made_smaller_and_told_once() -> None:
    search, (found,) = searched(plan_for(shouts), 6)
    assert (found.cause.kind, found.cause.field) == ("text", "text")
    assert len(found.wire.turn.content) == 1
    assert found.wire.point.values == ()
    assert search.tally.again[found.cause] > 1


def test_what_the_baseline_knows_is_counted_only() -> None:
    known = {"kind": "text", "cases": "sse/**", "reason": "it shouts"}
    search, found = searched(plan_for(shouts, (known,)), 3)
    assert found == []
    assert search.tally.known["it shouts"] >= 3


def test_the_seed_draws_the_same_wires_again() -> None:
    causes = [searched(plan_for(shouts), 2, shrinks=1)[1][0].wire.turn for _ in range(2)]
    assert causes[0] == causes[1]


def test_a_disagreement_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "disagreement", lambda wire, sent: "text: 'a' written, '' read")
    with pytest.raises(OurFaultError, match="writer and reader disagree") as caught:
        searched(plan_for(shouts), 2)
    assert caught.value.exit_code == 3


def test_a_failure_that_does_not_come_again_is_counted() -> None:
    calls = iter(range(1000))

    async def fails_once(call: Call) -> Any:
        if next(calls) == 0:
            raise KeyError("only once")
        async for item in openai_compat.run(call):
            yield item

    search, found = searched(plan_for(fails_once), 3)
    assert found == []
    assert search.tally.fleeting == 1
