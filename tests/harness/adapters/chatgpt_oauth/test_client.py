import asyncio
import base64
import json
from contextlib import aclosing

import httpx
import pytest

from harness.adapters.chatgpt_oauth import ChatGPTOAuthClient, chatgpt_oauth
from harness.adapters.chatgpt_oauth.oauth_store import Credentials, MemoryStore
from harness.adapters.chatgpt_oauth.request import Headers
from harness.adapters.common.retrying import RetryPolicy
from harness.clients.interface import Call, ClientError
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import AssistantTurn, ErrorClass, ErrorEvent, Event, MessageStop

ACCESS, NEW = "access-old-0123", "access-new-0123"
ASK = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}
EVENTS = [
    {"type": "response.created", "response": {"id": "r1", "model": "m1"}},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "a"},
    {"type": "response.completed", "response": {"id": "r1", "output": []}},
]
LIMIT = {"error": {"type": "usage_limit_reached", "plan_type": "pro", "resets_at": 1_000_060}}


@pytest.fixture
def good(sse):
    return httpx.Response(200, content=sse(*EVENTS))


def served(*answers, token=None):
    """A backend that gives these answers, and what it was sent."""
    seen, left = [], list(answers)

    def handle(request):
        seen.append(request)
        answer = token if request.url.path.endswith("/oauth/token") else left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle, seen


def client(handle, *, refresh_token="refresh-0123", expires_at=None, **options):
    credentials = Credentials(
        access_token=ACCESS, refresh_token=refresh_token, account_id="acc", expires_at=expires_at
    )
    return ChatGPTOAuthClient(
        MemoryStore(credentials),
        base_url="https://codex.test/backend-api/codex/",
        token_url="https://auth.test/oauth/token",
        transport=httpx.MockTransport(handle),
        now=lambda: 1_000_000.0,
        **options,
    )


def both(handle_of, **options):
    """The events of ``stream`` and the turn or error of ``complete``, which must agree."""

    async def go():
        async with client(handle_of(), **options) as one:
            events = [event async for event in one.stream(**ASK)]
        async with client(handle_of(), **options) as other:
            try:
                return events, await other.complete(**ASK)
            except ClientError as exc:
                return events, exc

    events, outcome = asyncio.run(go())
    turn = outcome.turn if isinstance(outcome, ClientError) else outcome
    assert turn == fold(events)
    if isinstance(outcome, ClientError):
        assert outcome.error == events[-1].error
        assert "0123" not in repr(events) + repr(outcome.error) + str(outcome)
    return events, outcome


def test_a_turn(sse, good):
    handle, seen = served(good)
    events, turn = both(lambda: served(httpx.Response(200, content=sse(*EVENTS)))[0])
    numbered = [{**event, "sequence_number": n} for n, event in enumerate(EVENTS)]
    assert [n for e in events for n in e.native] == numbered
    assert (turn.content, turn.response_id) == ("a", "r1")

    async def go():
        async with client(handle, session_id="s1") as one:
            await one.complete(**ASK)

    asyncio.run(go())
    (request,) = seen
    assert str(request.url) == "https://codex.test/backend-api/codex/responses"
    assert {
        "authorization": f"Bearer {ACCESS}",
        "chatgpt-account-id": "acc",
        "openai-beta": "responses=experimental",
        "originator": "codex_cli_rs",
        "session_id": "s1",
        "accept": "text/event-stream",
        "content-type": "application/json",
    }.items() <= dict(request.headers).items()
    assert json.loads(request.content)["store"] is False


def test_the_older_headers_can_be_chosen(good):
    handle, seen = served(good)

    async def go():
        async with client(handle, headers=Headers.LEGACY) as one:
            await one.complete(**ASK)

    asyncio.run(go())
    assert seen[0].headers["openai-beta"] == "responses=v1"
    assert "originator" not in seen[0].headers


@pytest.mark.parametrize("status", [200, 201])
def test_every_success_is_one(sse, status):
    _, turn = both(lambda: served(httpx.Response(status, content=sse(*EVENTS)))[0])
    assert turn.content == "a"


def test_expired_credentials_are_refreshed_first(good):
    handle, seen = served(good, token=httpx.Response(200, json={"access_token": NEW}))

    async def go():
        async with client(handle, expires_at=1) as one:
            return await one.complete(**ASK)

    assert asyncio.run(go()).content == "a"
    assert [str(r.url) for r in seen] == [
        "https://auth.test/oauth/token",
        "https://codex.test/backend-api/codex/responses",
    ]
    assert seen[1].headers["authorization"] == f"Bearer {NEW}"


UNAUTHORIZED = {
    "status_code": 401,
    "headers": {
        "x-error-json": base64.b64encode(b'{"error":{"code":"token_expired"}}').decode(),
        "x-request-id": "req_1",
    },
    "json": {"detail": "Unauthorized"},
}


def test_401_is_followed_by_one_refresh_and_one_retry(good):
    handle, seen = served(
        httpx.Response(**UNAUTHORIZED), good, token=httpx.Response(200, json={"access_token": NEW})
    )

    async def go():
        async with client(handle) as one:
            return await one.complete(**ASK)

    assert asyncio.run(go()).content == "a"
    assert [r.headers.get("authorization") for r in seen] == [
        f"Bearer {ACCESS}",
        None,
        f"Bearer {NEW}",
    ]
    assert seen[0].content == seen[2].content


def test_a_second_401_is_not_retried():
    answers = []

    def handle_of():
        token = httpx.Response(200, json={"access_token": NEW})
        handle, seen = served(*(httpx.Response(**UNAUTHORIZED) for _ in range(2)), token=token)
        answers.append(seen)
        return handle

    events, exc = both(handle_of, retry=RetryPolicy(max_retries=3))
    assert exc.error.error_class is ErrorClass.AUTHENTICATION
    assert (exc.error.code, exc.error.request_id) == ("token_expired", "req_1")
    assert len(events) == 1
    assert [len(seen) for seen in answers] == [3, 3]


def test_without_a_refresh_token_401_is_not_retried():
    _, exc = both(lambda: served(httpx.Response(**UNAUTHORIZED))[0], refresh_token=None)
    assert (exc.error.status, exc.error.code) == (401, "token_expired")


def test_a_refused_refresh_after_401():
    token = {"status_code": 400, "json": {"error": "invalid_grant"}}
    _, exc = both(
        lambda: served(httpx.Response(**UNAUTHORIZED), token=httpx.Response(**token))[0],
        retry=RetryPolicy(max_retries=3),
    )
    assert exc.error.error_class is ErrorClass.AUTHENTICATION
    assert exc.error.code == "invalid_grant"


@pytest.mark.parametrize(
    ("answer", "error_class", "status", "words"),
    [
        (
            {"status_code": 400, "json": {"detail": "Store must be set to false"}},
            ErrorClass.INVALID_REQUEST,
            400,
            "Store must be set to false",
        ),
        (
            {"status_code": 400, "json": {"error": {"message": "Invalid token in tools"}}},
            ErrorClass.INVALID_REQUEST,
            400,
            "Invalid token in tools",
        ),
        (
            {
                "status_code": 400,
                "json": {
                    "error": {"message": "This model's maximum context length is 272000 tokens."}
                },
            },
            ErrorClass.CONTEXT_LENGTH,
            400,
            "272000",
        ),
        ({"status_code": 429, "json": LIMIT}, ErrorClass.QUOTA_EXHAUSTED, 429, "pro"),
        (
            {"status_code": 403, "html": "<html><title>Just a moment...</title></html>"},
            ErrorClass.PERMISSION,
            403,
            "Just a moment...",
        ),
        (
            {"status_code": 503, "json": {"error": {"code": "server_is_overloaded"}}},
            ErrorClass.OVERLOADED,
            503,
            "server_is_overloaded",
        ),
        ({"status_code": 200, "content": b""}, ErrorClass.EMPTY_RESPONSE, None, "no event"),
    ],
)
def test_stream_and_complete_report_the_same_failures(answer, error_class, status, words):
    events, exc = both(lambda: served(httpx.Response(**answer))[0])
    assert len(events) == 1
    assert (exc.error.error_class, exc.error.status) == (error_class, status)
    assert words in exc.error.message


def test_a_usage_limit_has_a_retry_after():
    _, exc = both(lambda: served(httpx.Response(429, json=LIMIT))[0])
    assert (exc.error.retry_after, exc.error.retryable) == (60, False)


def test_a_broken_connection_keeps_the_text(sse):
    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield sse(*EVENTS[:2])
            raise httpx.ReadError("access-old-0123")

    events, exc = both(lambda: served(httpx.Response(200, stream=Broken()))[0])
    assert exc.error.error_class is ErrorClass.CONNECTION_LOST
    assert exc.turn.content == "a"
    assert isinstance(events[-1], ErrorEvent)


def test_retries_before_the_first_event(good):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    handle, seen = served(httpx.Response(503), httpx.ReadError("x"), good)

    async def go():
        retry = RetryPolicy(max_retries=2)
        async with client(handle, retry=retry, sleep=sleep, jitter=lambda: 0) as one:
            return await one.complete(**ASK)

    assert asyncio.run(go()).content == "a"
    assert waits == [0.5, 1.0]
    assert len({r.content for r in seen}) == 1


@pytest.mark.parametrize("option", ["base_url", "token_url"])
def test_addresses_are_http(option):
    with pytest.raises(ValueError, match=option):
        ChatGPTOAuthClient(MemoryStore(Credentials(access_token="t")), **{option: "ftp://x"})


def test_the_adapter(monkeypatch, sse):
    handle, seen = served(
        httpx.Response(200, content=sse(*EVENTS)),
        httpx.Response(200, content=sse(*EVENTS)),
        token=httpx.Response(200, json={"access_token": NEW}),
    )
    plain = httpx.AsyncClient

    def mocked(**options):
        return plain(**{**options, "transport": httpx.MockTransport(handle), "mounts": None})

    monkeypatch.setattr(httpx, "AsyncClient", mocked)
    credentials = {"refresh_token": "refresh-0123", "account_id": "acc", "expires_at": 1}
    call = {
        "base_url": "http://codex.test/codex",
        "api_key": ACCESS,
        "model": "gpt-5",
        "messages": tuple(ASK["messages"]),
        "options": {"credentials": credentials, "header_set": "legacy"},
    }

    async def go(**more):
        async with aclosing(chatgpt_oauth.run(Call(**call, **more))) as items:
            return [item async for item in items]

    *events, turn = asyncio.run(go())
    assert isinstance(events[-1], MessageStop)
    assert all(isinstance(e, Event) for e in events)
    assert turn == fold(events)
    assert asyncio.run(go(stream=False)) == [turn]
    assert isinstance(turn, AssistantTurn)
    assert str(seen[0].url) == "http://codex.test/codex/oauth/token"
    assert seen[1].headers["openai-originator"] == "codex"
    assert seen[1].headers["chatgpt-account-id"] == "acc"


def test_the_numbers_of_the_backend_are_kept(sse):
    wire = [{**EVENTS[0], "sequence_number": 7}, *EVENTS[1:]]
    events, _ = both(lambda: served(httpx.Response(200, content=sse(*wire)))[0])
    assert [n["sequence_number"] for e in events for n in e.native] == [7, 8, 9]
