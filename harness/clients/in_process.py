"""Runs an adapter for one call and collects what it hands out.

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
from typing import Any

from harness.clients.interface import Adapter, Call, ClientError
from mockserver.vocabulary.codec import event_from_json, to_json
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import AssistantTurn, ErrorEvent, Event, JsonObject, Status


@dataclass(slots=True)
class Output:
    """What an adapter gave for one call, in JSON form.

    ``raised`` is the text of an exception that is not a :class:`ClientError`; ``hung`` says
    that the deadline passed.
    """

    events: list[JsonObject] = field(default_factory=list)
    turn: JsonObject | None = None
    turn_given: bool = False
    raised: str | None = None
    hung: bool = False


async def drive(
    adapter: Adapter, call: Call, *, deadline: float, on_event: Callable[[int], None] | None = None
) -> Output:
    """Run ``adapter`` for ``call``, at most ``deadline`` seconds.

    ``on_event`` is told the number of events so far, after each one.
    """
    output = Output()
    try:
        async with asyncio.timeout(deadline):
            await _collect(adapter, call, output, on_event or (lambda _: None))
    except TimeoutError:
        output.hung = True
    except ClientError as exc:
        _failed(output, exc, streamed=call.stream)
    except Exception as exc:
        output.raised = f"{type(exc).__name__}: {exc}"
    if output.turn is None:
        output.turn = _folded(output.events) if call.stream else None
    return output


async def _collect(
    adapter: Adapter, call: Call, output: Output, on_event: Callable[[int], None]
) -> None:
    # Closing the generator is part of the client's work: its connection goes back there.
    items = _items(adapter.run, call)
    try:
        async for item in items:
            match item:
                case None:
                    continue
                case AssistantTurn():
                    output.turn, output.turn_given = to_json(item), True
                case Event():
                    output.events.append(to_json(item))
                    on_event(len(output.events))
                case Mapping() if "type" in item:
                    output.events.append(dict(item))
                    on_event(len(output.events))
                case Mapping():
                    output.turn, output.turn_given = dict(item), True
                case _:
                    raise TypeError(
                        f"the adapter yielded {type(item).__name__}; events and turns are "
                        "objects of harness.model or dicts"
                    )
    finally:
        await items.aclose()


async def _items(run: Callable[[Call], Any], call: Call) -> AsyncGenerator[Any, None]:
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
            for item in _several(result):
                yield item
    else:
        async for item in _in_thread(run, call):
            yield item


_END = object()


async def _in_thread(run: Callable[[Call], Any], call: Call) -> AsyncGenerator[Any, None]:
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
            for item in _several(result):
                if stopped.is_set():
                    return
                put(item)
        except BaseException as exc:
            put(exc)
        finally:
            put(_END)

    # A daemon: a client that hangs in a read must not keep the run from ending.
    threading.Thread(target=work, name="adapter", daemon=True).start()
    try:
        while (item := await queue.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()


def _several(result: Any) -> Iterable[Any]:
    if isinstance(result, Event | AssistantTurn | Mapping) or result is None:
        return (result,)
    if isinstance(result, str | bytes) or not isinstance(result, Iterable):
        raise TypeError(f"the adapter returned {type(result).__name__} instead of events or a turn")
    return result


def _failed(output: Output, exc: ClientError, *, streamed: bool) -> None:
    if streamed:
        output.events.append(to_json(ErrorEvent(error=exc.error)))
    if exc.turn is not None:
        output.turn, output.turn_given = to_json(exc.turn), True
    elif not streamed:
        failed = AssistantTurn(status=Status.FAILED, error=exc.error, parts=())
        output.turn, output.turn_given = to_json(failed), True


def _folded(events: list[JsonObject]) -> JsonObject | None:
    try:
        folded: JsonObject = to_json(fold(event_from_json(e) for e in events))
    except (ValueError, TypeError, AttributeError):
        return None
    return folded
