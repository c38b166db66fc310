from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest

from harness.clients.giving_up import is_content
from harness.clients.in_process import Output, drive
from harness.clients.interface import Adapter, Call, ClientError, adapter
from harness.model import ContentDelta, ErrorClass, ErrorInfo, FinishReason, MessageStop

CALL = Call(base_url="http://x", api_key="k", model="m", messages=())
PIECE = ContentDelta(delta="Hi")
START = {"type": "message_start", "response_id": "r", "model": "m"}
STOP = MessageStop(finish_reason=FinishReason.STOP)
CANCELLED = ErrorInfo(error_class=ErrorClass.CANCELLED, message="stopped", retryable=False)


def of(run: Callable[[Call], Any]) -> Adapter:
    return adapter(dialects=["openai-chat"], features=["streaming"])(run)


def given_up(run: Callable[[Call], Any], *, after: int = 1, deadline: float = 20.0) -> Output:
    return asyncio.run(drive(of(run), CALL, deadline=deadline, stop_after=after))


def types(output: Output) -> list[str]:
    return [e.data["type"] for e in output.events]


def then(
    at_cancellation: Callable[[], AsyncIterator[Any]],
) -> Callable[[Call], AsyncIterator[Any]]:
    """Make a client that emits one piece, waits, and does something when it is cancelled."""

    async def run(_: Call) -> AsyncIterator[Any]:
        yield PIECE
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            async for item in at_cancellation():
                yield item

    return run


def test_what_is_at_hand_is_not_late() -> None:
    async def run(_: Call) -> AsyncIterator[Any]:
        for item in (START, PIECE, PIECE, PIECE):
            yield item
        await asyncio.Event().wait()

    output = given_up(run)
    assert types(output) == ["message_start", *["content_delta"] * 3]
    assert (output.late, output.hung, output.raised) == (0, False, None)


def test_a_client_is_cancelled_and_closed_in_the_task_that_it_began_in() -> None:
    tasks = []

    async def run(_: Call) -> AsyncIterator[Any]:
        tasks.append(asyncio.current_task())
        try:
            yield PIECE
            await asyncio.Event().wait()
        finally:
            tasks.append(asyncio.current_task())

    assert given_up(run).late == 0
    first, last = tasks
    assert first is last


def test_the_last_piece_once_more_is_late() -> None:
    async def again() -> AsyncIterator[Any]:
        yield PIECE

    output = given_up(then(again))
    assert (types(output), output.late) == (["content_delta"] * 2, 1)


def test_a_success_after_the_cancellation_is_late() -> None:
    async def end() -> AsyncIterator[Any]:
        yield STOP

    assert given_up(then(end)).late == 1


def test_a_failure_after_the_cancellation_is_not_late() -> None:
    async def fail() -> AsyncIterator[Any]:
        yield {"type": "error", "error": {"class": "cancelled", "message": "m", "retryable": False}}

    output = given_up(then(fail))
    assert (types(output), output.late) == (["content_delta", "error"], 0)


def test_a_client_may_say_by_its_own_error_that_it_was_cancelled() -> None:
    async def fail() -> AsyncIterator[Any]:
        raise ClientError(CANCELLED)
        yield

    output = given_up(then(fail))
    assert (output.late, output.raised) == (0, None)
    assert types(output) == ["content_delta", "error"]


@pytest.mark.parametrize(
    ("error", "text"), [(ValueError("odd"), "ValueError: odd"), (SystemExit(0), "SystemExit: 0")]
)
def test_another_exception_at_the_cancellation_is_kept(error: BaseException, text: str) -> None:
    async def fail() -> AsyncIterator[Any]:
        raise error
        yield

    output = given_up(then(fail))
    assert (output.late, output.raised) == (0, text)


def test_a_client_that_swallows_the_cancellation_is_left_alone() -> None:
    async def played() -> tuple[Output, int]:
        released, ended = asyncio.Event(), asyncio.Event()

        async def go_on() -> AsyncIterator[Any]:
            await released.wait()
            yield PIECE
            ended.set()

        output = await drive(of(then(go_on)), CALL, deadline=20, stop_after=1)
        before = len(output.events)
        released.set()
        await ended.wait()
        return output, before

    output, before = asyncio.run(played())
    assert (output.late, output.hung) == (0, False)
    # Nobody reads what it emits then.
    assert len(output.events) == before == 1


@pytest.mark.parametrize("items", [[START], [PIECE], [PIECE, PIECE, STOP]])
def test_a_client_that_ends_by_itself_was_not_given_up(items: list[Any]) -> None:
    async def run(_: Call) -> AsyncIterator[Any]:
        for item in items:
            yield item

    output = given_up(run)
    assert (len(output.events), output.late) == (len(items), None)


def test_a_client_that_gives_all_at_its_end_was_not_given_up() -> None:
    async def run(_: Call) -> list[Any]:
        return [PIECE, PIECE, STOP]

    output = given_up(run)
    assert (len(output.events), output.late) == (3, None)


@pytest.mark.parametrize("error", [KeyError("choices"), asyncio.CancelledError("its own")])
def test_a_client_that_raises_before_was_not_given_up(error: BaseException) -> None:
    async def run(_: Call) -> AsyncIterator[Any]:
        yield START
        raise error

    output = given_up(run)
    assert output.late is None
    assert output.raised is not None
    assert output.raised.startswith(type(error).__name__)


def test_a_client_that_never_emits_enough_hangs() -> None:
    closed = []

    async def run(_: Call) -> AsyncIterator[Any]:
        try:
            yield PIECE
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    output = given_up(run, after=2, deadline=0.05)
    assert (output.hung, output.late, closed) == (True, None, [True])


def test_a_generator_is_closed_in_its_thread() -> None:
    closed_in = []

    def run(_: Call) -> Iterator[Any]:
        began_in = threading.get_ident()
        try:
            yield from (START, PIECE, PIECE, STOP)
        finally:
            closed_in.append(threading.get_ident() == began_in)

    output = given_up(run)
    assert (types(output), output.late) == (["message_start", "content_delta"], 0)
    assert closed_in == [True]


def test_a_generator_that_goes_on_when_it_is_closed() -> None:
    def run(_: Call) -> Iterator[Any]:
        try:
            yield PIECE
        except GeneratorExit:
            yield PIECE

    output = given_up(run)
    assert (output.late, output.raised) == (0, "RuntimeError: generator ignored GeneratorExit")


def test_a_generator_that_blocks_when_it_is_closed_is_left_alone() -> None:
    released = threading.Event()

    def run(_: Call) -> Iterator[Any]:
        try:
            yield PIECE
        finally:
            released.wait()

    output = given_up(run)
    released.set()
    assert (output.late, output.hung) == (0, False)


class _Unreadable(Mapping[str, int]):
    def __getitem__(self, _: str) -> int:
        raise RuntimeError("not for you")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (PIECE, True),
        ({"type": "tool_call_delta"}, True),
        (STOP, False),
        ({"type": ["content_delta"]}, False),
        ({}, False),
        (_Unreadable(), False),
        ("content_delta", False),
    ],
)
def test_what_is_a_piece_of_the_answer(item: Any, expected: bool) -> None:
    assert is_content(item) is expected
