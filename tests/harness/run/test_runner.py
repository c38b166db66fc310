"""The runner plays calls that are given up, made at once, and made again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from harness import Call
from harness.adapters.openai_compat import openai_compat
from harness.clients.in_process import Output
from harness.clients.interface import Adapter, adapter
from harness.clients.workers import DisturbedError
from harness.judge.baseline import Baseline
from harness.judge.transcript import Outcome
from harness.plan.planning import Plan, Settings, find_scenarios
from harness.reports.records import CaseResult
from harness.run.runner import Runner
from harness.suite.scenario import Case
from tests.saboteurs.conduct import ReadsOnInATask

STOP, TOGETHER = "conduct/chat-stop-in-text", "conduct/chat-together"
Run = Callable[[Call], Any]


def runner_for(run: Run, scenario: str, **timeouts: float) -> tuple[Runner, Case]:
    (found,), _ = find_scenarios(Settings(patterns=(scenario,)))
    client: Adapter = adapter(
        dialects=["openai-chat"], features=["streaming", "tools"], name="client"
    )(run)
    case = Case(scenario=found, adapter="client")
    plan = Plan(
        settings=Settings(),
        adapters=(client,),
        baselines={"client": Baseline.empty(found.file)},
        cases=(case,),
        skips=(),
    )
    return Runner(plan, **{"deadline": 20.0, **timeouts}), case


def played(run: Run, scenario: str, **timeouts: float) -> CaseResult:
    async def play() -> CaseResult:
        runner, case = runner_for(run, scenario, **timeouts)
        async with runner:
            return await runner.run_case(case)

    return asyncio.run(play())


async def right(call: Call) -> AsyncIterator[Any]:
    async for item in openai_compat.run(call):
        yield item


async def buffers(call: Call) -> list[Any]:
    return [item async for item in openai_compat.run(call)]


def findings(result: CaseResult) -> list[tuple[str, str]]:
    return [(f.kind, f.message) for f in result.verdict.findings]


def test_a_caller_that_stops_reading() -> None:
    result = played(right, STOP)
    first, second = result.transcript.turns
    assert (first.cancelled, first.late, first.let_go) == (True, 0, True)
    assert [e.data.get("delta") for e in first.events] == [None, "First", " Gävle,"]
    assert not second.cancelled
    assert second.turn is not None
    assert second.turn.data["status"] == "completed"
    assert findings(result) == []


@pytest.mark.parametrize(("path", "kinds"), [("models", set()), ("modals", {"wrong-request"})])
def test_a_client_may_look_up_models_first(path: str, kinds: set[str]) -> None:
    async def looks_up(call: Call) -> AsyncIterator[Any]:
        async with httpx.AsyncClient() as client:
            await client.get(f"{call.base_url}/{path}")
        async for item in openai_compat.run(call):
            yield item

    result = played(looks_up, "openai-chat/text-basic")
    assert {kind for kind, _ in findings(result)} & {"wrong-request"} == kinds


def test_a_connection_that_stays_open() -> None:
    async def reads_on(call: Call) -> AsyncIterator[Any]:
        async for item in ReadsOnInATask(call).run():
            yield item

    result = played(reads_on, STOP)
    assert result.verdict.outcome is Outcome.FAIL
    first, second = result.transcript.turns
    assert (first.cancelled, first.let_go) == (True, False)
    assert (
        "cancel",
        "the caller stopped reading, but the connection stayed open",
    ) in findings(result)
    # The next call is judged all the same.
    assert second.turn is not None


def test_a_client_that_hands_on_nothing_before_the_end_is_judged_on_the_whole() -> None:
    result = played(buffers, STOP, gate_timeout=0.2)
    first, _ = result.transcript.turns
    assert (first.cancelled, first.let_go) == (False, True)
    assert len(first.events) == 8
    assert result.verdict.outcome is Outcome.PASS


def test_calls_at_once_each_have_their_answer() -> None:
    result = played(right, TOGETHER)
    assert findings(result) == []
    bodies = [json.loads(t.requests[0].body)["messages"] for t in result.transcript.turns]
    asked = [list(t.call.messages) for t in result.case.scenario.turns if t.call is not None]
    assert bodies == asked


def test_calls_that_a_client_makes_one_by_one_pass() -> None:
    lock: list[asyncio.Lock] = []

    async def one_by_one(call: Call) -> AsyncIterator[Any]:
        if not lock:
            lock.append(asyncio.Lock())
        async with lock[0]:
            async for item in openai_compat.run(call):
                yield item

    assert findings(played(one_by_one, TOGETHER, gate_timeout=0.3)) == []


def second_call(do: Callable[[], Any]) -> Run:
    async def run(call: Call) -> AsyncIterator[Any]:
        if "Dalarna" in str(call.messages):
            await do()
        async for item in openai_compat.run(call):
            yield item

    return run


def test_a_client_that_never_makes_its_second_call_is_stopped() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    result = played(second_call(hang), TOGETHER, gate_timeout=0.2, deadline=3.0)
    assert result.verdict.outcome is Outcome.FAIL
    assert [t.hung for t in result.transcript.turns] == [False, True, False]
    assert "hang" in {f.kind for f in result.verdict.findings}


def test_a_client_whose_second_call_fails_is_judged_on_the_others_too() -> None:
    async def fail() -> None:
        raise ValueError("odd")

    result = played(second_call(fail), TOGETHER)
    first, second, _ = result.transcript.turns
    assert second.raised == "ValueError: odd"
    assert (first.raised, len(first.requests)) == (None, 1)
    assert "crash" in {f.kind for f in result.verdict.findings}


class _Disturbed:
    """A host whose first attempt is disturbed in its second call."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self.attempts: list[bool] = []
        self.cancelled = 0
        self._calls = 0

    @asynccontextmanager
    async def client(self, *, shared: bool = False, fresh: bool = False) -> AsyncIterator[Any]:
        self.attempts.append(fresh)
        async with self._host.client(shared=shared, fresh=fresh) as client:
            yield client if fresh else self

    async def call(self, *_: Any, **__: Any) -> Output:
        self._calls += 1
        if self._calls == 2:
            raise DisturbedError
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Output()

    async def close(self) -> None:
        await self._host.close()


def test_calls_at_once_in_a_process_that_ends_are_all_played_again() -> None:
    async def play() -> tuple[CaseResult, _Disturbed]:
        runner, case = runner_for(right, TOGETHER, gate_timeout=0.2)
        host = runner._hosts["client"] = _Disturbed(runner._hosts["client"])  # type: ignore[assignment]
        async with runner:
            return await runner.run_case(case), host  # type: ignore[return-value]

    result, host = asyncio.run(play())
    assert host.attempts == [False, True]
    assert host.cancelled == 1
    assert findings(result) == []


@pytest.mark.parametrize("after", ["429", "cut", "error", "json"])
def test_the_first_call_is_made_again(after: str) -> None:
    result = played(right, f"conduct/chat-again-after-{after}")
    first, second = (turn.requests for turn in result.transcript.turns)
    assert [len(first), len(second)] == [1, 1]
    assert first[0].body == second[0].body
    assert (first[0].exchange, second[0].exchange) == (0, 1)
    assert findings(result) == []
