"""Puts a Python client behind tapecheck's client protocol. Standard library only; may be copied.

``serve(make, name=…, dialects=[…], features=[…])`` is all that a program needs. ``make`` takes a
call and yields, or returns, what the client hands out: objects of an SDK, or dicts of the same
form. It may be a function, a generator, or ``async``. The call has the attributes of the message
(``base_url``, ``api_key``, ``arguments``, ``stream``, …).

What is yielded is a chunk or event of the SDK. ``NativeTurn(value)`` is the whole answer of the
SDK, ``Event({…})`` and ``Turn({…})`` are in the normalized form. In a call that is not streamed,
what is yielded or returned is the whole answer.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import SimpleNamespace
from typing import Any

PROTOCOL = 1
_END = object()


@dataclass(frozen=True)
class Event:
    """A normalized event, as a dict."""

    data: Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """The final normalized turn, as a dict."""

    data: Mapping[str, Any]


@dataclass(frozen=True)
class Native:
    """A chunk of the SDK; ``form`` is the dialect in whose words it is."""

    data: Any
    form: str | None = None


@dataclass(frozen=True)
class NativeTurn:
    """The whole answer, as the SDK returned or assembled it."""

    data: Any
    form: str | None = None


class NotRunError(Exception):
    """The call could not be made, through no fault of the client."""


def serve(
    make: Callable[[Any], Any],
    *,
    name: str,
    dialects: Iterable[str],
    features: Iterable[str],
    failures: Iterable[type[BaseException]] = (),
    version: str = "",
    **declared: Any,
) -> None:
    """Answer the harness until it closes stdin.

    ``failures`` are the classes of exceptions that the client documents; others are findings.
    ``declared`` are further words of a declaration, such as ``exposes``.
    """
    declaration = {
        "name": name,
        "dialects": list(dialects),
        "features": list(features),
        "failures": [kind.__name__ for kind in failures],
        **({"version": version} if version else {}),
        **declared,
    }
    channel = _Channel()
    channel.send({"type": "hello", "protocol": PROTOCOL, "declaration": declaration})
    asyncio.run(_answer_all(make, channel))
    # Threads of a client that hangs must not keep the process.
    os._exit(0)


class _Channel:
    """The messages' own file descriptors: what the client prints goes to stderr."""

    def __init__(self) -> None:
        self._input, self._output = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        rest = memoryview(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        with self._lock:
            try:
                while rest:
                    rest = rest[os.write(self._output, rest) :]
            except OSError:
                os._exit(1)  # nobody reads any more

    def receive(self, put: Callable[[Any], None]) -> None:
        with open(self._input, "rb") as lines:  # noqa: PTH123 - a descriptor, not a path
            for line in lines:
                put(json.loads(line))
        put(None)


async def _answer_all(make: Callable[[Any], Any], channel: _Channel) -> None:
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Any] = asyncio.Queue()
    threading.Thread(
        target=channel.receive,
        args=(lambda m: loop.call_soon_threadsafe(queue.put_nowait, m),),
        daemon=True,
    ).start()
    tasks: dict[int, asyncio.Task[None]] = {}
    while (message := await queue.get()) is not None:
        if message["type"] == "call":
            number = message["id"]
            task = asyncio.create_task(_answer(make, message, channel))
            tasks[number] = task
            task.add_done_callback(partial(_forget, tasks, number))
        elif message["type"] == "cancel" and message["id"] in tasks:
            tasks[message["id"]].cancel()


def _forget(tasks: dict[int, asyncio.Task[None]], number: int, _: asyncio.Task[None]) -> None:
    del tasks[number]


async def _answer(
    make: Callable[[Any], Any], message: Mapping[str, Any], channel: _Channel
) -> None:
    number, call = message["id"], SimpleNamespace(**{"arguments": None, **message})
    try:
        async for item in _items(make, call):
            channel.send({"id": number, **_said(item, streamed=call.stream)})
    except NotRunError as exc:
        channel.send({"type": "not_run", "id": number, "message": str(exc)})
        return
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            error = {"names": ["CancelledError"], "message": "the client cancelled itself"}
            channel.send({"type": "failed", "id": number, "error": error})
    except BaseException as exc:
        channel.send({"type": "failed", "id": number, "error": described(exc)})
    channel.send({"type": "done", "id": number})


def _said(item: Any, *, streamed: bool) -> dict[str, Any]:
    match item:
        case Event(data=data):
            return {"type": "event", "data": dumped(data)}
        case Turn(data=data):
            return {"type": "turn", "data": dumped(data)}
        case NativeTurn(data=data, form=form):
            kind = "native_turn"
        case Native(data=data, form=form):
            kind = "native"
        case _:
            data, form = item, None
            kind = "native" if streamed else "native_turn"
    return {"type": kind, "data": dumped(data), **({"form": form} if form else {})}


async def _items(make: Callable[[Any], Any], call: Any) -> Any:
    if inspect.isasyncgenfunction(make):
        items = make(call)
        try:
            async for item in items:
                yield item
        finally:
            await items.aclose()
    elif inspect.iscoroutinefunction(make):
        if (result := await make(call)) is not None:
            yield result
    else:
        async for item in _in_thread(make, call):
            yield item


async def _in_thread(make: Callable[[Any], Any], call: Any) -> Any:
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Any] = asyncio.Queue()
    stopped = threading.Event()

    def put(item: Any, raised: BaseException | None = None) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(queue.put_nowait, (item, raised))

    def work() -> None:
        try:
            result = make(call)
            if inspect.isgenerator(result):
                for item in result:
                    if stopped.is_set():
                        result.close()
                        return
                    put(item)
            elif result is not None:
                put(result)
            put(_END)
        except BaseException as exc:
            put(_END, exc)

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            item, raised = await queue.get()
            if raised is not None:
                raise raised
            if item is _END:
                return
            yield item
    finally:
        stopped.set()


def dumped(value: Any) -> Any:
    """Return an object of an SDK as dicts and lists, its undocumented fields included.

    An attribute that is ``None`` is left out: SDKs have it for what the wire does not. Reads
    mappings, pydantic models, dataclasses and plain objects by their attributes, under the names
    that these have on the wire: pydantic's own export warns about values of a wrong type, which
    are common on the wire. Bytes become Base64, as they are on the wire.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: dumped(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [dumped(item) for item in value]
    if value is None or isinstance(value, str | int | float) or not hasattr(value, "__dict__"):
        return value
    fields = {**vars(value), **(getattr(value, "model_extra", None) or {})}
    known = getattr(type(value), "model_fields", {})
    return {
        getattr(known.get(name), "alias", None) or name: dumped(item)
        for name, item in fields.items()
        if not name.startswith("_") and item is not None
    }


def described(exc: BaseException) -> dict[str, Any]:
    """Return what an exception of an SDK or of its HTTP library says, as data.

    Reads the attributes ``status_code``, ``body``, ``response`` and ``code`` that the OpenAI SDK
    and those like it have, Google's ``details``, and the dict that boto3 calls its response.
    """
    about: dict[str, Any] = {"names": [k.__name__ for k in type(exc).__mro__ if k is not object]}
    about["message"] = _text_of(exc) or type(exc).__name__
    about["traceback"] = "".join(traceback.format_exception(exc))[-6000:]
    response = getattr(exc, "response", None)
    if isinstance(response, dict):
        return {**about, **_of_boto3(response)}
    codes = (
        getattr(exc, "status_code", None),
        getattr(response, "status_code", None),
        getattr(exc, "code", None),
    )
    about["status"] = next((c for c in codes if type(c) is int), None)
    about["code"] = next((c for c in (getattr(exc, "code", None),) if isinstance(c, str)), None)
    about["headers"] = {
        str(k): str(v) for k, v in (getattr(response, "headers", None) or {}).items()
    }
    about["body"] = _body_of(exc, response)
    request_id = getattr(exc, "request_id", None)
    about["request_id"] = request_id if isinstance(request_id, str) else None
    return {name: value for name, value in about.items() if value not in (None, {})}


def _of_boto3(response: Mapping[str, Any]) -> dict[str, Any]:
    said, about = response.get("Error"), response.get("ResponseMetadata")
    said = said if isinstance(said, dict) else {}
    about = about if isinstance(about, dict) else {}
    headers = about.get("HTTPHeaders")
    return {
        "status": about.get("HTTPStatusCode"),
        "headers": headers if isinstance(headers, dict) else {},
        "body": {"__type": said.get("Code"), "message": said.get("Message")},
    }


def _body_of(exc: BaseException, response: Any) -> Any:
    """Return what the provider sent: "" if the response says nothing, ``None`` without one."""
    for name in ("body", "details"):
        body = dumped(getattr(exc, name, None))
        if isinstance(body, dict | list | str) and body:
            return body
    # The body of a streamed response may be unread, and reading it may fail.
    with suppress(Exception):
        text = getattr(response, "text", None)
        if isinstance(text, str) and text:
            return text
    return None if response is None else ""


def _text_of(exc: BaseException) -> str:
    try:
        return str(exc)
    except BaseException:
        return ""


if __name__ == "__main__":
    sys.exit("this file is imported by a client: see docs/CLIENT_PROTOCOL.md")
