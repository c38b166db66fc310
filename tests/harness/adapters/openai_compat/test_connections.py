import asyncio
from contextlib import aclosing, asynccontextmanager

import httpx
import pytest

from harness import AssistantTurn, Call
from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.openai_compat import OpenAICompatClient, openai_compat
from mockserver.vocabulary.model import (
    ErrorClass,
)
from tests.harness.adapters.openai_compat.test_client import (
    ASK,
    KEY,
    START,
    STOP,
    A,
    mocked,
    no_sleep,
)


@asynccontextmanager
async def served(handler):
    """A server on a socket: ``handler`` answers each request; ``ended`` is set by the last EOF."""
    ended = asyncio.Event()
    tasks = set()

    async def connected(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                await reader.readexactly(length)
                await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            ended.set()
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", ended
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def on_socket(handler, act, **options):
    async def run():
        async with (
            served(handler) as (url, ended),
            OpenAICompatClient(url, KEY, **options) as client,
        ):
            return await asyncio.wait_for(act(client, ended), 20)

    return asyncio.run(run())


async def everything(client, ended):
    return [event async for event in client.stream(**ASK)]


async def until_closed(reader):
    assert await reader.read() == b""


@pytest.mark.parametrize(
    ("how", "error_class"),
    [
        ("reset", ErrorClass.CONNECTION_LOST),
        ("close", ErrorClass.CONNECTION_LOST),
        ("end", ErrorClass.TRUNCATED_STREAM),
        ("stall", ErrorClass.TIMEOUT),
    ],
)
@pytest.mark.parametrize("finish", [None, "stop"])
def test_broken_streams(how, error_class, finish, sse, chunk):
    seen = asyncio.Event()

    async def handler(reader, writer):
        writer.write(HEAD + framed(sse(chunk({"content": "a"}, finish))))
        await seen.wait()
        match how:
            case "reset":
                writer.transport.abort()
            case "close":
                writer.close()
            case "end":
                writer.write(b"0\r\n\r\n")
            case "stall":
                await until_closed(reader)

    async def act(client, ended):
        events = []
        async for event in client.stream(**ASK):
            events.append(event)
            if event == A:
                seen.set()
        return events

    *before, last = on_socket(handler, act, timeout=0.5 if how == "stall" else 20.0)
    assert before == [START, A]
    if finish:
        assert last == STOP
    else:
        assert last.error.error_class is error_class


def test_events_arrive_as_they_are_sent_and_the_terminal_one_closes_the_connection(sse, chunk):
    more = asyncio.Event()

    async def handler(reader, writer):
        writer.write(HEAD + framed(sse(chunk({"content": "a"}))))
        await more.wait()
        writer.write(framed(sse(chunk({}, "stop"), "[DONE]")))
        await until_closed(reader)  # the server itself never ends the body

    async def act(client, ended):
        seen = []
        async for event in client.stream(**ASK):
            seen.append(event)
            if event == A:
                more.set()
        return seen

    assert on_socket(handler, act) == [START, A, STOP]


@pytest.mark.parametrize("last", ["[DONE]", {"error": "x"}])
def test_the_connection_is_dropped_when_the_turn_is_over(last, sse, chunk):
    async def handler(reader, writer):
        writer.write(HEAD + framed(sse(chunk({"content": "a"}, "stop"), last)))
        await until_closed(reader)

    async def act(client, ended):
        async for _ in client.stream(**ASK):
            pass
        await ended.wait()
        return True

    assert on_socket(handler, act)


def test_leaving_early_drops_the_connection(sse, chunk):
    async def handler(reader, writer):
        writer.write(HEAD + framed(sse(chunk({"content": "a"}))))
        await until_closed(reader)

    async def act(client, ended):
        async with aclosing(client.stream(**ASK)) as events:
            async for event in events:
                if event == A:
                    break
        await ended.wait()
        return True

    assert on_socket(handler, act)


def test_a_connection_is_clean_after_an_error(answer):
    connections = set()
    replies = [
        b"HTTP/1.1 429 No\r\ncontent-length: 13\r\n\r\n" + b'{"error":"x"}',
        HEAD + framed(answer) + b"0\r\n\r\n",
    ]

    async def handler(reader, writer):
        connections.add(writer)
        writer.write(replies.pop(0))

    events = on_socket(handler, everything, retry=RetryPolicy(max_retries=1), sleep=no_sleep)
    assert events == [START, A, STOP]
    assert len(connections) == 1


# --- under the harness ------------------------------------------------------------------


class Body(httpx.AsyncByteStream):
    """A body that goes on after the answer, and knows whether it was closed."""

    def __init__(self, data):
        self.data, self.closed = data, False

    async def __aiter__(self):
        yield self.data
        yield b": keep-alive\n\n"

    async def aclose(self):
        self.closed = True


@pytest.mark.parametrize("whole", [False, True])
def test_an_answer_is_closed_when_it_was_read(answer, whole):
    body = Body(answer)

    async def run():
        async with mocked(lambda request: httpx.Response(200, stream=body)) as client:
            if whole:
                await client.complete(**ASK)
            else:
                async for _ in client.stream(**ASK):
                    pass
            return body.closed

    assert asyncio.run(run())


def test_the_adapter(answer):
    async def handler(reader, writer):
        writer.write(HEAD + framed(answer) + b"0\r\n\r\n")

    async def run(stream):
        async with served(handler) as (url, _):
            call = Call(base_url=url, api_key=KEY, model="m1", messages=(), stream=stream)
            return [item async for item in openai_compat.run(call)]

    *events, turn = asyncio.run(run(stream=True))
    assert events == [START, A, STOP]
    assert isinstance(turn, AssistantTurn)
    assert turn.content == "a"
    assert asyncio.run(run(stream=False)) == [turn]
    assert openai_compat.name == "openai-compat"
    assert openai_compat.dialects == {"openai-chat"}
