"""Run an adapter for one call, in this process, and collect what it emits.

Every kind of callable that ``harness.clients.interface`` allows ends up in one loop. A synchronous
adapter runs in a thread of its own, so that it cannot stop the server it talks to.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from harness.clients import door
from harness.clients.giving_up import is_content, read_and_give_up
from harness.clients.interface import Adapter, Call, ClientError
from harness.clients.messages import KEPT_OF_FLOOD, Meter
from harness.clients.raised import has_cause, text_of, traceback_of
from harness.judge.transcript import Emitted
from mockserver.vocabulary import AssistantTurn, ErrorEvent, ErrorInfo, Event, Status, fold, to_json


@dataclass(slots=True)
class Output:
    """What an adapter emitted for one call, checked and typed.

    ``raised`` is the text of an exception that is not a :class:`ClientError`; ``traceback`` tells
    where it came from, or what a :class:`ClientError` was raised for. ``hung`` says that the
    deadline passed. ``ended`` says how the call ended otherwise: the client ended its
    process or emitted too much; ``late`` counts the events after the caller stopped reading, if it
    did; ``printed`` is the last output of that process. ``logs`` are the
    log records with the call's key.
    """

    events: list[Emitted[Event]] = field(default_factory=list)
    turn: Emitted[AssistantTurn] | None = None
    turn_given: bool = False
    raised: str | None = None
    traceback: str = ""
    hung: bool = False
    late: int | None = None
    ended: str | None = None
    printed: str = ""
    logs: tuple[str, ...] = ()

    def finish(self, *, streamed: bool) -> None:
        """Make the turn from the events if none was given. Of a flood keep only the beginning."""
        if self.ended is not None:
            del self.events[KEPT_OF_FLOOD:]
        if self.turn is None and streamed:
            self.turn = _folded(self.events)


class Sink(Protocol):
    """Takes what an adapter emits. Both methods may raise :class:`FloodError`."""

    def event(self, item: Any) -> None:
        """Take an event."""

    def turn(self, item: Any) -> None:
        """Take the turn."""


#: Is told of each event.
OnEvent = Callable[[Emitted[Event]], None]


@dataclass(frozen=True, slots=True)
class Played:
    """How a call ended: the text of a foreign exception; events after the caller gave up.

    ``traceback`` tells where an exception came from, or what a failure was raised for.
    """

    raised: str | None = None
    traceback: str = ""
    late: int | None = None


class FloodError(Exception):
    """The client emitted too much. The text says how much."""


async def drive(
    adapter: Adapter,
    call: Call,
    *,
    deadline: float,
    on_event: OnEvent | None = None,
    stop_after: int | None = None,
) -> Output:
    """Run ``adapter`` for ``call``, at most ``deadline`` seconds.

    ``on_event`` gets each event. The caller stops reading after ``stop_after`` with content.
    """
    output = Output()
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline) as timer:
            try:
                played = await play(adapter, call, _Typed(output, on_event), stop_after)
                output.raised, output.late = played.raised, played.late
                output.traceback = played.traceback
            except FloodError as exc:
                output.ended = str(exc)
    if timer.expired():
        output.hung, output.raised = True, None
    output.finish(streamed=call.stream)
    return output


async def play(adapter: Adapter, call: Call, sink: Sink, stop_after: int | None = None) -> Played:
    """Run ``adapter`` for ``call`` and say how it ended.

    Raises :class:`FloodError`, and ``CancelledError`` only if the run was stopped from outside.
    """
    try:
        return Played(late=await _collect(adapter, call, sink, stop_after))
    except ClientError as exc:
        raised = _add_failure(sink, exc, streamed=call.stream)
        return Played(raised, traceback_of(exc, call.api_key) if has_cause(exc) else "")
    except asyncio.CancelledError as exc:
        if _is_cancelled():
            raise
        return _raised(exc, call)
    except (KeyboardInterrupt, FloodError):
        raise
    except _RaisedInThread as exc:
        return _raised(exc.raised, call)
    except BaseException as exc:
        # No exception of a client may end the run.
        return _raised(exc, call)


def _raised(exc: BaseException, call: Call) -> Played:
    return Played(text_of(exc), traceback_of(exc, call.api_key))


class _Typed:
    """Checks and types what is emitted."""

    def __init__(self, output: Output, on_event: OnEvent | None) -> None:
        self._output = output
        self._on_event = on_event
        self._meter = Meter()

    def event(self, item: Any) -> None:
        if (flood := self._meter.exceeded_by(0)) is not None:
            raise FloodError(flood)
        self._output.events.append(door.event(item))
        if self._on_event is not None:
            self._on_event(self._output.events[-1])

    def turn(self, item: Any) -> None:
        self._output.turn, self._output.turn_given = door.turn(item), True


def _add_raised(output: Output, exc: BaseException, call: Call) -> None:
    output.raised, output.traceback = text_of(exc), traceback_of(exc, call.api_key)


def _is_cancelled() -> bool:
    """Return whether the run was stopped from outside; a client may raise the same exception."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _collect(adapter: Adapter, call: Call, sink: Sink, stop_after: int | None) -> int | None:
    """Take all that the adapter emits; return what came after the caller gave up, if it did."""
    # Closing the generator is part of the client's work: its connection goes back there.
    items = _items(adapter.run, call, stop_after)
    try:
        if stop_after is not None:
            return await read_and_give_up(items, partial(_take, sink), stop_after)
        async for item in items:
            _take(sink, item)
        return None
    finally:
        await items.aclose()


def _take(sink: Sink, item: Any) -> None:
    # The type itself: ``isinstance`` believes what an object says of its class.
    kind = type(item)
    if item is None:
        return
    if issubclass(kind, AssistantTurn) or (issubclass(kind, Mapping) and "type" not in item):
        sink.turn(item)
    elif issubclass(kind, Event | Mapping):
        sink.event(item)
    else:
        raise TypeError(
            f"the adapter yielded {kind.__name__}; events and turns are "
            "objects of harness.model or dicts"
        )


async def _items(
    run: Callable[[Call], Any], call: Call, stop_after: int | None
) -> AsyncGenerator[Any, None]:
    if inspect.isasyncgenfunction(run):
        produced = run(call)
        try:
            async for item in produced:
                yield item
        finally:
            await produced.aclose()
    elif inspect.iscoroutinefunction(run):
        result = await run(call)
        if hasattr(result, "__aiter__"):
            async for item in result:
                yield item
        else:
            for item in _as_items(result):
                yield item
    else:
        async for item in _in_thread(run, call, stop_after):
            yield item


_END = object()


class _RaisedInThread(Exception):  # noqa: N818 - not an error of ours
    """Whatever a client raised in its thread, where nobody presses Ctrl-C."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__()
        self.raised = raised


async def _in_thread(
    run: Callable[[Call], Any], call: Call, stop_after: int | None
) -> AsyncGenerator[Any, None]:
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Any] = asyncio.Queue()
    stopped = threading.Event()

    def put(item: Any) -> None:
        # The thread of a client that hung may end after the run.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def work() -> None:
        try:
            result = run(call)
            if hasattr(result, "__aiter__"):
                put(TypeError("a plain function returned an async iterator; make it 'async def'"))
                return
            count = 0
            for item in _as_items(result):
                if stopped.is_set():
                    return
                put(item)
                count += is_content(item)
                if stop_after is not None and count >= stop_after:
                    break  # nobody can stop a thread while it waits for more
            if inspect.isgenerator(result):
                result.close()
        except BaseException as exc:
            put(exc)
        finally:
            put(_END)

    # A daemon: a client that hangs in a read must not keep the run from ending.
    threading.Thread(target=work, name="adapter", daemon=True).start()
    try:
        while (item := await queue.get()) is not _END:
            if isinstance(item, ClientError):
                raise item
            if isinstance(item, BaseException):
                raise _RaisedInThread(item)
            yield item
    finally:
        stopped.set()


def _as_items(result: Any) -> Iterable[Any]:
    if isinstance(result, Event | AssistantTurn | Mapping) or result is None:
        return (result,)
    if isinstance(result, str | bytes) or not isinstance(result, Iterable):
        raise TypeError(f"the adapter returned {type(result).__name__} instead of events or a turn")
    return result


def _add_failure(sink: Sink, exc: ClientError, *, streamed: bool) -> str | None:
    """Emit a raised failure; return the text of what is raised where it is read."""
    # A class that derives from it may have left the attributes out, or raise where they are read.
    try:
        error: ErrorInfo = getattr(exc, "error", None)  # type: ignore[assignment]
        turn: AssistantTurn | None = getattr(exc, "turn", None)
    except BaseException as raised:
        return text_of(raised)
    if streamed:
        sink.event(ErrorEvent(error=error))
    if turn is None and not streamed:
        turn = AssistantTurn(status=Status.FAILED, error=error, parts=())
    if turn is not None:
        sink.turn(turn)
    return None


def _folded(events: list[Emitted[Event]]) -> Emitted[AssistantTurn] | None:
    typed = [e.value for e in events if e.value is not None]
    if len(typed) < len(events):
        return None
    turn = fold(typed)
    return Emitted(value=turn, data=to_json(turn))
