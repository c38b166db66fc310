from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from harness.clients import workers
from harness.clients.in_process import Output
from harness.clients.interface import Call
from harness.clients.launch import InWorker
from harness.clients.workers import DisturbedError, Worker, Workers
from harness.errors import AdapterError
from tests.harness.clients.hostile import EVENT

HOSTILE = Path(__file__).with_name("hostile.py")
CALL = Call(base_url="http://127.0.0.1:9", api_key="sk-tapecheck-1", model="m", messages=())
T = TypeVar("T")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")


def with_workers(name: str, work: Callable[[Workers], Awaitable[T]]) -> T:
    async def run() -> T:
        those = Workers(InWorker(f"{HOSTILE}:{name}"))
        try:
            return await work(those)
        finally:
            await those.close()

    return asyncio.run(run())


async def called(
    client: Worker, *, deadline: float = 20.0, call: Call = CALL, stop_after: int | None = None
) -> Output:
    return await client.call(call, deadline=deadline, on_event=None, stop_after=stop_after)


def output_of(name: str, *, deadline: float = 20.0) -> Output:
    async def one(those: Workers) -> Output:
        async with those.client() as client:
            return await called(client, deadline=deadline)

    return with_workers(name, one)


@pytest.mark.parametrize(
    ("name", "ended"),
    [
        ("exits", "the client ended its process (exit code 0)"),
        ("terminates", "the client was ended by SIGTERM"),
        ("crashes", "the client was ended by SIGSEGV"),
        ("forks", "the client ended its process (exit code 0)"),
        ("closes", "the client closed the channel of its process"),
    ],
)
def test_the_end_of_the_process_is_named(name: str, ended: str) -> None:
    output = output_of(name)
    assert (output.ended, output.hung, output.raised) == (ended, False, None)


def test_what_was_emitted_and_printed_before_the_end_is_kept() -> None:
    assert [e.data for e in output_of("exits").events] == [EVENT]
    assert "about to go" in output_of("terminates").printed


@pytest.mark.parametrize("name", ["blocks", "blocks_in_thread", "blocks_in_c", "swallows", "waits"])
def test_a_client_that_does_not_return_is_stopped(name: str) -> None:
    output = output_of(name, deadline=0.5)
    assert (output.hung, output.ended, output.raised) == (True, None, None)


@pytest.mark.parametrize(
    ("name", "raised"),
    [
        ("raises_system_exit", "SystemExit: 0"),
        ("raises_interrupt", "KeyboardInterrupt: "),
        ("own_timeout", "TimeoutError: its own"),
        ("eats", "MemoryError: "),
    ],
)
def test_an_exception_is_the_client_s_whatever_its_class(name: str, raised: str) -> None:
    output = output_of(name)
    assert (output.raised, output.ended, output.hung) == (raised, None, False)


@pytest.mark.parametrize("name", ["endless", "big"])
def test_a_flood_is_stopped(name: str) -> None:
    assert output_of(name).ended == "the client emitted more than 32 MiB and was stopped"


def test_what_is_not_a_message_ends_the_process() -> None:
    ended = output_of("writes_messages").ended
    assert ended is not None
    assert ended.startswith("the client disturbed the messages of its process: not a message, but ")


def test_prints_do_not_get_between_the_messages() -> None:
    output = output_of("prints")
    assert (output.ended, output.raised) == (None, None)
    assert [e.data["type"] for e in output.events] == ["error"]


def test_what_is_not_json_has_a_problem_and_a_place() -> None:
    first, second = output_of("odd").events
    assert first.value is None
    assert "delta: nan is not JSON" in first.problems
    assert second.problems == ("delta: unpaired surrogate, which UTF-8 cannot encode",)
    assert second.data["delta"] == "\ud800"


def test_records_with_the_key_are_sent_along() -> None:
    assert output_of("logs").logs == ("sdk: sending sk-tapecheck-1",)


def test_a_patched_library_does_not_disturb_the_messages() -> None:
    async def two(those: Workers) -> list[Output]:
        async with those.client() as client:
            return [await called(client), await called(client)]

    assert [len(o.events) for o in with_workers("patches", two)] == [1, 1]


def test_a_process_is_used_again_unless_a_call_hung_in_it() -> None:
    async def pids(those: Workers, deadline: float) -> set[int]:
        found = set()
        for _ in range(2):
            async with those.client() as client:
                await called(client, deadline=deadline)
                found.add(client._transport.get_pid())
        return found

    assert len(with_workers("odd", lambda those: pids(those, 20))) == 1
    assert len(with_workers("waits", lambda those: pids(those, 0.1))) == 2


def test_a_caller_that_stops_reading_leaves_the_process_usable() -> None:
    async def two(those: Workers) -> list[Output]:
        async with those.client() as client:
            return [await called(client, stop_after=1) for _ in range(2)]

    outputs = with_workers("waits", two)
    assert [(o.late, o.hung, len(o.events)) for o in outputs] == [(0, False, 1)] * 2


def test_an_end_after_other_cases_may_be_their_fault() -> None:
    async def second(those: Workers) -> Output:
        async with those.client() as client:
            await called(client)
            await client._gone
        client.used += 1
        return await called(client)

    with pytest.raises(DisturbedError):
        with_workers("exits_late", second)


def test_cases_that_share_a_process_do_not_answer_for_each_other() -> None:
    async def both(those: Workers) -> list[Any]:
        async def one() -> Output:
            async with those.client(shared=True) as client:
                return await called(client)

        return await asyncio.gather(one(), one(), return_exceptions=True)

    ends = with_workers("terminates", both)
    assert [type(end) for end in ends] == [DisturbedError, DisturbedError]


def test_a_case_that_hangs_in_a_shared_process_leaves_the_others_alone() -> None:
    async def both(those: Workers) -> tuple[Output, Output]:
        async with those.client(shared=True) as slow, those.client(shared=True) as quick:
            assert slow is quick
            return (await called(slow, deadline=0.1), await called(quick, deadline=0.1))

    first, second = with_workers("waits", both)
    assert first.hung
    assert second.hung


IMPORTS = {
    "import sys; sys.exit(0)": "the adapter cannot be imported: SystemExit: 0",
    "import os; os._exit(0)": "its import ended its process (exit code 0)",
    "while True: pass": "its import did not end within 1 seconds",
    "raise BaseException('no')": "the adapter cannot be imported: BaseException: no",
}


@pytest.mark.parametrize("code", IMPORTS)
def test_an_import_that_does_not_return_is_an_error(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "while" in code:
        monkeypatch.setattr(workers, "START_TIMEOUT", 1.0)
    path = tmp_path / "odd.py"
    path.write_text(code)
    with pytest.raises(AdapterError) as raised:
        asyncio.run(workers.declaration(InWorker(str(path))))
    assert IMPORTS[code] in str(raised.value)


def test_a_client_that_cancels_itself_has_raised() -> None:
    output = output_of("cancels_itself")
    assert output.raised is not None
    assert output.raised.startswith("CancelledError")
