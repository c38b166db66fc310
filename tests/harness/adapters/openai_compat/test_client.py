import asyncio
import gzip
import json
import logging

import httpx
import pytest

from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.common.transport import endpoint
from harness.adapters.openai_compat import OpenAICompatClient, OpenAICompatError
from mockserver.vocabulary.model import (
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
