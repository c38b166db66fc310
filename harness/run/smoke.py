"""Try a program that speaks the client protocol, and tell a wrong shim from a wrong client.

A few easy calls in each dialect show whether the shim does its part; then the messages themselves
are tried: calls at once, a call that is cancelled, and the end of stdin.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.clients import registry
from harness.clients.conversation import first_call
from harness.clients.in_process import Output
from harness.clients.interface import Adapter, Call
from harness.clients.launch import InWorker
from harness.clients.logs import KEY_PREFIX
from harness.clients.workers import DisturbedError, Worker
from harness.errors import HarnessError
from harness.judge.transcript import Outcome, Transcript
from harness.plan.expand import Axes
from harness.plan.planning import Plan, Settings, cassette_of, plan_cases
from harness.plan.wires import schedules_for
from harness.reports.records import CaseResult
from harness.run.runner import Runner
from harness.suite.scenario import Case, CaseKind
from harness.wrapping.sdks import ProviderSdks
from mockserver import MockServer
from mockserver.dialects import base_path
from mockserver.library import Exchange
from mockserver.vocabulary import ErrorEvent
from mockserver.wire import FaultKind

#: The easy scenarios of every dialect, and what each shows.
_EASY = {
    "text": "a streamed answer",
    "text-whole": "a whole answer",
    "tool-call": "a tool call",
    "http-authentication": "a refused key",
}
#: Calls at once; seconds for a call, until one is cancelled, and for the end of the process.
_AT_ONCE, DEADLINE, _QUIET, GRACE = 5, 10.0, 1.0, 2.0


class Says(StrEnum):
    """Whose fault it is, if anybody's."""

    OK = "ok"
    SHIM = "shim"
    CLIENT = "client"
    UNKNOWN = "not tried"


@dataclass(frozen=True, slots=True)
class Step:
    """What was tried, and what came of it."""

    what: str
    says: Says
    why: str = ""


def plan_of(reference: str) -> Plan:
    """Return the easy cases for a client. Raises :class:`HarnessError` if it cannot be started."""
    adapter, _ = registry.load(reference)
    ids = [
        f"{d}/twins/{n}/recorded@{adapter.name}" for d in sorted(adapter.dialects) for n in _EASY
    ]
    plan, _ = plan_cases(Settings(adapters=(reference,), axes=Axes(mode="none"), faults=False), ids)
    return plan


async def smoke(plan: Plan) -> AsyncIterator[Step]:
    """Try a client, step by step."""
    (adapter,) = plan.adapters
    played = set()
    async with Runner(plan, deadline=DEADLINE) as runner:
        for case in plan.cases:
            played.add(case.scenario.dialect)
            what = f"{case.scenario.dialect}: {_EASY[_name_of(case)]}"
            try:
                result = await runner.run_case(case)
            except HarnessError as exc:
                yield Step(what, Says.SHIM, str(exc))
                continue
            yield _step(what, result)
    for dialect in sorted(adapter.dialects - played):
        yield Step(dialect, Says.UNKNOWN, "no easy scenario fits what is declared")
    streamed = [case for case in plan.cases if case.scenario.streams]
    if streamed:
        async for step in _messages(streamed[0], adapter):
            yield step


def _name_of(case: Case) -> str:
    return case.scenario.id.rpartition("/")[2]


def _raised(transcript: Transcript) -> Iterator[str]:
    """Yield what the client raised: where it asks nothing, that is what tells why."""
    for record in transcript.turns:
        if record.raised is not None:
            yield record.raised
        for event in record.events:
            if isinstance(event.value, ErrorEvent):
                yield event.value.error.message
        if record.turn and record.turn.value and record.turn.value.error:
            yield record.turn.value.error.message


def _step(what: str, result: CaseResult) -> Step:
    transcript, verdict = result.transcript, result.verdict
    problems = [p for turn in transcript.turns for event in turn.events for p in event.problems]
    problems += [p for turn in transcript.turns if turn.turn for p in turn.turn.problems]
    if problems:
        return Step(what, Says.SHIM, f"what it sends is not of the form: {problems[0]}")
    for turn in transcript.turns:
        if turn.ended is not None:
            return Step(what, Says.SHIM, turn.ended.replace("the client", "the program", 1))
        if turn.hung:
            return Step(
                what, Says.SHIM, "the answer was over, and no done came: is stdout flushed?"
            )
    if not transcript.requests:
        raised = next(_raised(transcript), None)
        why = f"the client raised {raised}" if raised else "is it given to the client?"
        return Step(what, Says.SHIM, f"no request came to base_url: {why}")
    if verdict.outcome is Outcome.ERROR:
        return Step(what, Says.UNKNOWN, verdict.findings[0].message)
    if verdict.outcome is Outcome.FAIL:
        return Step(what, Says.CLIENT, verdict.findings[0].message)
    return Step(what, Says.OK)


async def _messages(case: Case, adapter: Adapter) -> AsyncIterator[Step]:
    """Try the messages themselves, in a process of their own."""
    launch = adapter.run
    assert isinstance(launch, InWorker)
    with MockServer(control=False) as server:
        for what, attempt in (("calls at once", _at_once), ("a cancelled call", _cancelled)):
            try:
                worker, _ = await Worker.start(launch, ProviderSdks())
                try:
                    yield Step(what, *await attempt(worker, case, server))
                finally:
                    await worker.stop()
            except HarnessError as exc:
                yield Step(what, Says.SHIM, str(exc))
    worker, _ = await Worker.start(launch, ProviderSdks())
    ended = await worker.ends_with_stdin(GRACE)
    await worker.stop()
    why = "" if ended else f"it goes on {GRACE:g} seconds after stdin is closed"
    yield Step("the end of stdin", Says.OK if ended else Says.SHIM, why)


async def _at_once(worker: Worker, case: Case, server: MockServer) -> tuple[Says, str]:
    """Make calls at the same time, whose answers must not get mixed."""
    with ExitStack() as stack:
        calls = [_call_of(case, server, stack, str(number)) for number in range(_AT_ONCE)]
        made = (worker.call(call, deadline=DEADLINE) for call in calls)
        outputs = await asyncio.gather(*made, return_exceptions=True)
    for output in outputs:
        if isinstance(output, HarnessError | DisturbedError):
            return Says.SHIM, str(output) or f"the client {worker.ended}"
        if isinstance(output, BaseException):
            raise output
    said = [output for output in outputs if isinstance(output, Output)]
    if ended := next((output.ended for output in said if output.ended), None):
        return Says.SHIM, ended.replace("the client", "the program", 1)
    if any(output.hung for output in said):
        return Says.SHIM, f"of {_AT_ONCE} calls made at once, not all got a done"
    texts = {_text_of(output) for output in said}
    if len(texts) > 1:
        return Says.SHIM, f"{_AT_ONCE} equal calls made at once got {len(texts)} different answers"
    return Says.OK, ""


async def _cancelled(worker: Worker, case: Case, server: MockServer) -> tuple[Says, str]:
    """Cancel a call to a server that has become silent."""
    silent = replace(case, kind=CaseKind.FAULT, fault=FaultKind.STALL, event=1)
    with ExitStack() as stack:
        call = _call_of(silent, server, stack, "cancelled")
        output = await worker.call(call, deadline=_QUIET)
    if not output.hung:
        return Says.UNKNOWN, "the client gave up before it was cancelled"
    if worker.ended is not None:
        return Says.SHIM, "no done came after cancel: stop the call, send it, and flush stdout"
    return Says.OK, ""


def _call_of(case: Case, server: MockServer, stack: ExitStack, name: str) -> Call:
    """Open a session with the answer of a case, and return the call that gets it."""
    requests = [i.request for i in cassette_of(case.scenario.cassette).interactions]
    numbers = case.scenario.interactions or range(len(requests))
    played = [Exchange(requests[n], s) for n, s in zip(numbers, schedules_for(case), strict=True)]
    session = stack.enter_context(server.session(exchanges=tuple(played), repeat_last=True))
    paths = [exchange.request.url.path for exchange in played]
    return first_call(
        case.scenario.turns[0],
        dialect=case.scenario.dialect,
        base_url=session.url + base_path(case.scenario.dialect, paths),
        api_key=f"{KEY_PREFIX}smoke-{name}",
        timeout=DEADLINE,
    )


def _text_of(output: Output) -> str:
    turn = output.turn.value if output.turn is not None else None
    return "" if turn is None else f"{turn.content} {turn.tool_calls}"
