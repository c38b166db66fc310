"""Run an adapter for one call, in this process, and collect what it emits.

Every kind of callable that ``harness.clients.interface`` allows ends up in one loop. A synchronous
adapter runs in a thread of its own, so that it cannot stop the server it talks to.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from harness.clients import door
from harness.clients.giving_up import Caller, Sink, is_content, read_and_give_up
from harness.clients.interface import Adapter, Call, ClientError
from harness.clients.protocol import KEPT_OF_FLOOD, Meter
from harness.clients.raised import has_cause, text_of, traceback_of
from harness.judge.transcript import Emitted
from mockserver.vocabulary import AssistantTurn, ErrorEvent, ErrorInfo, Event, Status, fold, to_json


@dataclass(slots=True)
class Output:
    """What an adapter emitted for one call, checked and typed.

    ``turn_read``: the turn was read in what an SDK assembled.
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
    turn_read: bool = False
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


#: Called with each event.
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
    if stop_after is None:
        return await _played(call, _collect(adapter, call, sink), sink)
    caller = Caller(sink, stop_after)
    reading = read_and_give_up(_collect(adapter, call, caller, stop_after), caller)
    return replace(await _played(call, reading, sink), late=caller.late)


async def _played(call: Call, reading: Coroutine[Any, Any, None], sink: Sink) -> Played:
    try:
        await reading
        return Played()
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


def _is_cancelled() -> bool:
    """Return whether the run was stopped from outside; a client may raise the same exception."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _collect(adapter: Adapter, call: Call, sink: Sink, stop_after: int | None = None) -> None:
    """Take all that the adapter emits."""
    # Closing the generator is part of the client's work: its connection goes back there.
    async with aclosing(_items(adapter.run, call, stop_after)) as items:
        async for item in items:
            if item is _GAVE_UP:
                assert isinstance(sink, Caller)
                sink.stop()
            else:
                _take(sink, item)


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
#: Comes when a caller stops reading a thread, which nobody can stop while it waits for more.
_GAVE_UP = object()


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
                    put(_GAVE_UP)
                    break
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
