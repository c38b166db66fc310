"""The synchronous face: what the async client gives, raises and leaves open."""

import asyncio
import concurrent.futures
import threading

import httpx
import pytest

from harness.adapters.chatcmpl_to_responses import (
    ChatcmplToResponsesClient,
    SyncChatcmplToResponsesClient,
)
from harness.adapters.common.sync import Blocking, SyncClient
from harness.adapters.openai_compat import OpenAICompatClient, OpenAICompatError
from harness.adapters.response_strategies import StrategyClient, SyncStrategyClient
from mockserver.vocabulary.model import ContentDelta, MessageStart, MessageStop

ASK = {"model": "m1", "messages": [{"role": "user", "content": "hi"}]}
URL = "http://models.test/v1"


class Client:
    """A client whose parts note what happens to them."""

    def __init__(self):
        self.closed = 0
        self.ended = threading.Event()
        self.started = threading.Event()

    async def aclose(self):
        self.closed += 1

    async def stream(self, **_):
        try:
            yield 1
            yield 2
            self.started.set()
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    async def wait(self):
        try:
            self.started.set()
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def answering(sse, chunk):
    """Settings of a client whose server gives one streamed answer to each request."""
    body = sse(chunk({"content": "a"}), chunk({}, "stop"), "[DONE]")
    return {"transport": httpx.MockTransport(lambda request: httpx.Response(200, content=body))}


def test_events_and_turns_of_several_calls(answering):
    with SyncClient(OpenAICompatClient(URL, **answering)) as client:
        for _ in range(2):
            events = list(client.stream(**ASK))
            assert [type(e) for e in events] == [MessageStart, ContentDelta, MessageStop]
            assert client.complete(**ASK).content == "a"


def test_what_the_client_raises_is_raised():
    refusing = httpx.MockTransport(lambda request: httpx.Response(401))
    with SyncClient(OpenAICompatClient(URL, transport=refusing)) as client:
        with pytest.raises(OpenAICompatError):
            client.complete(**ASK)
        assert next(client.stream(**ASK)).error.status == 401
        with pytest.raises(ValueError, match="return_reasoning"):
            client.complete(**ASK, options={"return_reasoning": "thoughts"})


def test_it_works_beside_an_event_loop(answering):
    async def inside():
        with SyncClient(OpenAICompatClient(URL, **answering)) as client:
            return client.complete(**ASK).content

    assert asyncio.run(inside()) == "a"


def test_several_threads_share_a_client(answering):
    with (
        SyncClient(OpenAICompatClient(URL, **answering)) as client,
        concurrent.futures.ThreadPoolExecutor(4) as pool,
    ):
        turns = list(pool.map(lambda _: client.complete(**ASK), range(8)))
    assert [turn.content for turn in turns] == ["a"] * 8


def test_the_responses_face(answering):
    inner = ChatcmplToResponsesClient(URL, **answering)
    with SyncChatcmplToResponsesClient(inner) as client:
        assert list(client.stream(**ASK))[-1]["type"] == "response.completed"
        assert client.create(**ASK)["output"][0]["content"][0]["text"] == "a"


def test_the_strategies_face():
    job = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": []}
    job["usage"] = {"input_tokens": 1, "output_tokens": 0, "total_tokens": 1}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=job))
    with SyncStrategyClient(StrategyClient(URL, transport=transport)) as client:
        assert client.result("resp_1").response_id == "resp_1"
        assert isinstance(list(client.resume("resp_1"))[-1], MessageStop)


def test_leaving_the_loop_early_ends_the_answer(client):
    with SyncClient(client) as face:
        events = face.stream(**ASK)
        assert next(events) == 1
        events.close()
        assert client.ended.is_set()
    assert client.closed == 1


def test_an_answer_that_is_left_open_is_ended_at_the_close(client):
    with SyncClient(client) as face:
        events = face.stream(**ASK)
        assert next(events) == 1
    assert client.ended.is_set()
    with pytest.raises(RuntimeError, match="closed"):
        next(events)


def test_an_interrupt_cancels_the_call(client, monkeypatch):
    def interrupted(self, timeout=None):
        assert client.started.wait(10)
        monkeypatch.undo()
        raise KeyboardInterrupt

    with SyncClient(client) as face:
        monkeypatch.setattr(concurrent.futures.Future, "result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            face.run(client.wait())
        assert client.ended.wait(10)


def test_a_closed_face_says_so(client):
    face = SyncClient(client)
    face.close()
    face.close()
    assert client.closed == 1
    with pytest.raises(RuntimeError, match="closed: make another"):
        face.run(client.wait())


def test_a_failing_close_still_ends_the_thread():
    class Failing(Client):
        async def aclose(self):
            raise OSError("broken")

    before = threading.active_count()
    face = Blocking(Failing())
    with pytest.raises(OSError, match="broken"):
        face.close()
    assert threading.active_count() == before


def test_a_call_from_its_own_thread_is_refused(client):
    with SyncClient(client) as face:

        async def nested():
            face.run(client.wait())

        with pytest.raises(RuntimeError, match="own thread"):
            face.run(nested())
