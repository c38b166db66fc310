from __future__ import annotations

import asyncio
import dataclasses
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest

from harness.clients.in_process import Output, drive
from harness.clients.interface import Adapter, Call, ClientError, adapter
from harness.judge.transcript import Emitted
from harness.model import (
    AssistantTurn,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    FinishReason,
    MessageStart,
    MessageStop,
    Status,
)
from mockserver.vocabulary import Event
from mockserver.vocabulary.fold import fold

CALL = Call(base_url="http://x", api_key="k", model="m", messages=())
EVENTS = (ContentDelta(delta="Hi"), MessageStop(finish_reason=FinishReason.STOP))
TURN = fold(EVENTS)
EVENTS_JSON = [
    {"type": "content_delta", "delta": "Hi"},
    {"type": "message_stop", "finish_reason": "stop"},
]
TURN_JSON = {
    "status": "completed",
    "finish_reason": "stop",
    "parts": [{"type": "text", "text": "Hi"}],
}
FAILURE = ErrorInfo(error_class=ErrorClass.TIMEOUT, message="silence", retryable=True)


def of(run: Callable[[Call], Any]) -> Adapter:
    return adapter(dialects=["openai-chat"], features=["streaming"])(run)


def driven(run: Callable[[Call], Any], call: Call = CALL, **options: Any) -> Output:
    return asyncio.run(drive(of(run), call, **{"deadline": 20.0, **options}))


async def async_generator(_: Call) -> AsyncIterator[Any]:
    for event in EVENTS:
        yield event
    yield TURN


def generator(_: Call) -> Iterator[Any]:
    yield from (*EVENTS, TURN)


async def coroutine(_: Call) -> list[Any]:
    return [*EVENTS, TURN]


async def coroutine_of_iterator(call: Call) -> AsyncIterator[Any]:
    return async_generator(call)


def plain(_: Call) -> list[Any]:
    return [*EVENTS_JSON, TURN_JSON]


@pytest.mark.parametrize(
    "run", [async_generator, generator, coroutine, coroutine_of_iterator, plain]
)
def test_every_kind_of_adapter(run: Callable[[Call], Any]) -> None:
    output = driven(run)
    assert [e.value for e in output.events] == list(EVENTS)
    assert [e.data for e in output.events] == EVENTS_JSON
    assert output.turn == Emitted(value=TURN, data=TURN_JSON)
    assert output.turn_given
    assert output.raised is None


def test_a_turn_that_is_not_given_is_folded() -> None:
    output = driven(lambda _: iter(EVENTS))
    assert output.turn == Emitted(value=TURN, data=TURN_JSON)
    assert not output.turn_given


def test_a_whole_answer_is_a_turn_alone() -> None:
    call = Call(base_url="http://x", api_key="k", model="m", messages=(), stream=False)
    output = driven(lambda _: TURN, call)
    assert (output.events, output.turn_given) == ([], True)
    assert output.turn == Emitted(value=TURN, data=TURN_JSON)


def failing(turn: AssistantTurn | None) -> Callable[[Call], Iterator[Any]]:
    def run(_: Call) -> Iterator[Any]:
        yield EVENTS[0]
        raise ClientError(FAILURE, turn)

    return run


def test_a_raised_client_error_is_an_error_event() -> None:
    output = driven(failing(None))
    assert [e.value for e in output.events] == [EVENTS[0], ErrorEvent(error=FAILURE)]
    assert output.turn is not None
    assert output.turn.value is not None
    assert (output.turn.value.status, output.turn.value.error) == (Status.FAILED, FAILURE)
    assert output.raised is None


def test_a_client_error_may_bring_its_turn() -> None:
    turn = AssistantTurn(status=Status.FAILED, error=FAILURE, parts=())
    output = driven(failing(turn))
    assert output.turn_given
    assert output.turn is not None
    assert output.turn.value == turn


def test_any_other_exception_is_kept_as_text() -> None:
    def run(_: Call) -> Iterator[Any]:
        yield EVENTS[0]
        raise KeyError("choices")

    output = driven(run)
    assert output.raised == "KeyError: 'choices'"
    assert len(output.events) == 1


class _UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class _EndingError(Exception):
    """Ends the program when it is shown."""

    def __str__(self) -> str:
        raise SystemExit(0)


class _BareError(ClientError):
    def __init__(self) -> None:
        pass


class _BaseError(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (_UnspeakableError(), "_UnspeakableError, whose text cannot be read"),
        (TimeoutError("its own"), "TimeoutError: its own"),
        (asyncio.CancelledError("its own"), "CancelledError: its own"),
        (SystemExit(0), "SystemExit: 0"),
        (GeneratorExit("odd"), "GeneratorExit: odd"),
        (_EndingError(), "_EndingError, whose text cannot be read"),
        (_BaseError("odd"), "_BaseError: odd"),
    ],
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_no_exception_of_a_client_ends_the_run(error: BaseException, text: str, kind: str) -> None:
    def run(_: Call) -> Iterator[Any]:
        yield EVENTS[0]
        raise error

    async def run_async(_: Call) -> AsyncIterator[Any]:
        yield EVENTS[0]
        raise error

    output = driven(run if kind == "sync" else run_async)
    assert (output.raised, output.hung) == (text, False)
    assert [e.value for e in output.events] == [EVENTS[0]]


def test_no_interrupt_of_a_client_s_thread_ends_the_run() -> None:
    def run(_: Call) -> Iterator[Any]:
        yield EVENTS[0]
        raise KeyboardInterrupt

    assert driven(run).raised == "KeyboardInterrupt: "


class _GuardedError(ClientError):
    """A client's own error that cannot be looked into."""

    def __init__(self) -> None:
        Exception.__init__(self)

    def __getattribute__(self, name: str) -> Any:
        if name == "error":
            raise RuntimeError("not for you")
        return super().__getattribute__(name)


def test_a_client_error_that_cannot_be_read_is_a_raised_exception() -> None:
    def run(_: Call) -> Iterator[Any]:
        yield EVENTS[0]
        raise _GuardedError

    assert driven(run).raised == "RuntimeError: not for you"


class _Pretender:
    """Says of itself that it is an event."""

    @property
    def __class__(self) -> Any:
        return MessageStart


def test_an_object_is_what_its_type_says() -> None:
    output = driven(lambda _: iter([_Pretender()]))
    assert output.raised is not None
    assert output.raised.startswith("TypeError: the adapter yielded _Pretender")


class _Endless(Mapping[str, int]):
    def __iter__(self) -> Iterator[str]:
        return map(str, itertools.count())

    def __len__(self) -> int:
        return 1

    def __getitem__(self, _: str) -> int:
        return 1


def test_a_mapping_without_end_is_a_malformed_event() -> None:
    output = driven(lambda _: iter([_Endless()]))
    assert [e.problems for e in output.events] == [("cannot be read: ValueError",)]


def test_a_run_that_is_stopped_stops_its_client() -> None:
    async def run(_: Call) -> AsyncIterator[Any]:
        yield EVENTS[0]
        await asyncio.Event().wait()

    async def stopped() -> None:
        task = asyncio.create_task(drive(of(run), CALL, deadline=20, on_event=lambda _: cancel()))

        def cancel() -> None:
            task.cancel()

        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stopped())


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_error_without_an_error_is_a_problem_of_what_it_tells(stream: bool) -> None:
    def run(_: Call) -> Iterator[Any]:
        raise _BareError
        yield

    output = driven(run, dataclasses.replace(CALL, stream=stream))
    emitted = output.events[0] if stream else output.turn
    assert emitted is not None
    assert emitted.problems == (
        ("error: error: None is not of type 'object'",)
        if stream
        else ("'error' is a required property",)
    )
    assert output.raised is None


@pytest.mark.parametrize("item", ["text", 7, b"bytes"])
def test_what_is_neither_event_nor_turn(item: Any) -> None:
    output = driven(lambda _: iter([item]))
    assert output.raised is not None
    assert "events and turns are objects of harness.model or dicts" in output.raised


def test_an_async_adapter_that_hangs_is_stopped_and_closed() -> None:
    closed = []

    async def run(_: Call) -> AsyncIterator[Any]:
        try:
            yield EVENTS[0]
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    output = driven(run, deadline=0.05)
    assert output.hung
    assert closed == [True]
    assert len(output.events) == 1


def test_a_sync_adapter_that_hangs_does_not_keep_the_run() -> None:
    released = threading.Event()

    def run(_: Call) -> Iterator[Any]:
        yield EVENTS[0]
        released.wait()

    output = driven(run, deadline=0.05)
    released.set()
    assert output.hung
    assert len(output.events) == 1


def test_events_are_told_one_by_one() -> None:
    seen: list[Emitted[Event]] = []
    output = driven(async_generator, on_event=seen.append)
    assert [event.value for event in seen] == list(EVENTS)
    assert seen == output.events


async def raises(call: Call) -> None:
    raise ValueError(f"no {call.api_key}")


def raises_in_thread(call: Call) -> None:
    raise ValueError(f"no {call.api_key}")


@pytest.mark.parametrize("run", [raises, raises_in_thread])
def test_an_escaped_exception_tells_where_it_came_from(run: Callable[[Call], Any]) -> None:
    output = driven(run, dataclasses.replace(CALL, api_key="sk-secret"))
    first, *frames = output.traceback.splitlines()
    assert first == "ValueError: no [key]"
    assert [f.rpartition(" in ")[2] for f in frames] == [run.__name__]


async def reports(_: Call) -> None:
    raise ClientError(FAILURE)


async def wraps(_: Call) -> None:
    try:
        raise ValueError("inside")
    except ValueError as exc:
        raise ClientError(FAILURE) from exc


def test_a_reported_failure_tells_what_it_was_raised_for() -> None:
    assert "caused by ValueError: inside" in driven(wraps).traceback
    assert driven(reports).traceback == ""
