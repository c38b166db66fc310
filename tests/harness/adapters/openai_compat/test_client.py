import asyncio
import gzip
import json
import logging
from contextlib import aclosing, asynccontextmanager

import httpx
import pytest

from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.common.transport import endpoint
from harness.adapters.openai_compat import OpenAICompatClient, OpenAICompatError, openai_compat
from harness.clients.interface import Call
from mockserver.vocabulary.model import (
    AssistantTurn,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    FinishReason,
    MessageStart,
    MessageStop,
    Status,
)

KEY = "sk-test-0123456789"
ASK = {"model": "m1", "messages": [{"role": "user", "content": "hi"}]}
START = MessageStart(response_id="c1", model="m1")
A = ContentDelta(delta="a")
STOP = MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="stop")
WHOLE = {
    "id": "c1",
    "model": "m1",
    "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}],
}


@pytest.fixture
def answer(sse, chunk):
    return sse(chunk({"content": "a"}), chunk({}, "stop"), "[DONE]")


def mocked(handler, **options):
    return OpenAICompatClient(
        "http://models.test/v1/", KEY, transport=httpx.MockTransport(handler), **options
    )


async def no_sleep(seconds):
    return None


async def collect(client, **more):
    async with client:
        return [event async for event in client.stream(**ASK, **more)]


def stream(handler, **options):
    return asyncio.run(collect(mocked(handler, **options)))


def complete(handler, **options):
    async def run():
        async with mocked(handler, **options) as client:
            return await client.complete(**ASK)

    return asyncio.run(run())


def sse_response(data, **headers):
    return httpx.Response(
        200, content=data, headers={"content-type": "text/event-stream"} | headers
    )


def test_the_request_and_its_answer(answer):
    requests = []

    def handler(request):
        requests.append(request)
        return sse_response(answer)

    assert stream(handler) == [START, A, STOP]
    (request,) = requests
    assert str(request.url) == "http://models.test/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        **ASK,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_no_key_no_header(answer):
    def handler(request):
        assert "authorization" not in request.headers
        return sse_response(answer)

    client = OpenAICompatClient("http://m.test", transport=httpx.MockTransport(handler))
    assert asyncio.run(collect(client)) == [START, A, STOP]


@pytest.mark.parametrize(
    ("url", "key"),
    [("models.test/v1", KEY), ("ftp://m.test", KEY), ("http://m:port", KEY), ("http://m", "a\nb")],
)
def test_mistakes_of_the_caller_are_reported_at_once(url, key):
    with pytest.raises(ValueError) as caught:
        OpenAICompatClient(url, key)
    assert "a\nb" not in str(caught.value)


def test_gzip(answer):
    data = gzip.compress(answer)
    assert stream(lambda _: sse_response(data, **{"content-encoding": "gzip"}))[-1] == STOP
    broken = stream(lambda _: sse_response(answer, **{"content-encoding": "gzip"}))
    assert broken[-1].error.error_class is ErrorClass.PROTOCOL


def test_complete_reads_json_and_streams(answer):
    turn = complete(lambda _: httpx.Response(200, json=WHOLE))
    assert turn.content == "a"
    assert turn.status is Status.COMPLETED
    assert complete(lambda _: sse_response(answer)) == turn
    assert stream(lambda _: httpx.Response(201, json=WHOLE)) == [START, A, STOP]


def test_http_error():
    def handler(_):
        body = {"error": {"message": f"no model for {KEY}", "code": "model_not_found"}}
        return httpx.Response(404, json=body, headers={"x-request-id": "r1"})

    (event,) = stream(handler)
    assert isinstance(event, ErrorEvent)
    assert event.error.error_class is ErrorClass.MODEL_NOT_FOUND
    assert (event.error.status, event.error.request_id) == (404, "r1")
    assert event.error.message == "no model for [redacted]"
    with pytest.raises(OpenAICompatError) as caught:
        complete(handler)
    assert caught.value.error == event.error
    assert caught.value.turn is None
    assert str(caught.value).startswith('HTTP 404 from local model backend: {"error":')
    assert KEY not in str(caught.value)


def test_failed_turn_is_kept_by_complete(sse, chunk):
    data = sse(chunk({"content": "a"}), {"error": {"message": "m", "type": "server_error"}})
    with pytest.raises(OpenAICompatError, match=r"^m$") as caught:
        complete(lambda _: sse_response(data, **{"x-request-id": "r1"}))
    assert caught.value.turn is not None
    assert caught.value.turn.content == "a"
    assert caught.value.error.request_id == "r1"


def test_retries_before_the_first_event(answer, sse):
    bodies, waits = [], []
    answers = [
        httpx.Response(500),
        httpx.Response(429, headers={"retry-after": "7"}),
        sse_response(sse({"error": {"type": "overloaded_error"}})),
        sse_response(answer),
    ]

    def handler(request):
        bodies.append(request.content)
        return answers[len(bodies) - 1]

    async def sleep(seconds):
        waits.append(seconds)

    retry = RetryPolicy(max_retries=3)
    assert stream(handler, retry=retry, sleep=sleep, jitter=lambda: 0.0) == [START, A, STOP]
    assert waits == [0.5, 7.0, 2.0]
    assert len(set(bodies)) == 1


@pytest.mark.parametrize("base_url", ["https://models.test/v1", "http://models.test/v1/"])
def test_base_urls(base_url):
    assert endpoint(base_url, "/x") == base_url.rstrip("/") + "/x"


@pytest.mark.parametrize("base_url", ["models.test/v1", "ftp://models.test", "http://h:x"])
def test_base_urls_that_are_none(base_url):
    with pytest.raises(ValueError, match="base_url"):
        endpoint(base_url, "/x")


def test_no_retry_where_it_cannot_help(sse, chunk):
    seen = []

    def handler(request):
        seen.append(request)
        return httpx.Response(429, json={"error": {"code": "insufficient_quota"}})

    (event,) = stream(handler, retry=RetryPolicy(max_retries=3), sleep=no_sleep)
    assert event.error.error_class is ErrorClass.QUOTA_EXHAUSTED
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("location", "keeps_key"),
    [("http://models.test/v2/chat", True), ("/v2", True), ("http://other.test/v1", False)],
)
def test_redirects_keep_the_body_and_give_the_key_to_no_other_host(location, keeps_key, answer):
    seen = []

    def handler(request):
        seen.append(request)
        if len(seen) == 1:
            return httpx.Response(307, headers={"location": location})
        return sse_response(answer)

    assert stream(handler)[-1] == STOP
    assert [r.method for r in seen] == ["POST", "POST"]
    assert seen[0].content == seen[1].content
    assert ("authorization" in seen[1].headers) is keeps_key


@pytest.mark.parametrize(
    "location",
    ["http://models.test/v1", None, "mailto:a@b", "http://models.test:port/", "http://xn--/"],
)
def test_redirects_come_to_an_end(location):
    headers = {} if location is None else {"location": location}
    (event,) = stream(lambda _: httpx.Response(307, headers=headers))
    assert event.error.error_class is ErrorClass.PROTOCOL


def raising(exception):
    def handler(request):
        raise exception(f"quotes {KEY}", request=request)

    return handler


@pytest.mark.parametrize(
    ("exception", "error_class"),
    [
        (httpx.ConnectError, ErrorClass.CONNECTION_LOST),
        (httpx.ReadError, ErrorClass.CONNECTION_LOST),
        (httpx.RemoteProtocolError, ErrorClass.CONNECTION_LOST),
        (httpx.ConnectTimeout, ErrorClass.TIMEOUT),
        (httpx.ReadTimeout, ErrorClass.TIMEOUT),
        (httpx.UnsupportedProtocol, ErrorClass.PROTOCOL),
    ],
)
def test_no_answer(exception, error_class, caplog):
    caplog.set_level(logging.DEBUG)
    (event,) = stream(raising(exception))
    assert event.error.error_class is error_class
    assert event.error.status is None
    assert KEY not in event.error.message + caplog.text
    with pytest.raises(OpenAICompatError) as caught:
        complete(raising(exception))
    assert str(caught.value) == event.error.message


# --- on a socket ------------------------------------------------------------------------


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
