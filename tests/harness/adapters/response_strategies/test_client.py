import asyncio
import json
import tempfile

import httpx
import pytest

from harness.adapters.response_strategies import StrategyClient, execute, response_strategies
from harness.adapters.response_strategies.background_polling import CountingClock, PollPolicy
from harness.adapters.response_strategies.model_table import Strategy
from harness.clients.interface import Call, ClientError
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import AssistantTurn, ErrorClass

KEY = "sk-test-0123456789"
MESSAGES = [{"role": "user", "content": "hi"}]
CHAT = {
    "id": "c1",
    "model": "m",
    "choices": [{"index": 0, "message": {"content": "abc"}, "finish_reason": "stop"}],
}
MESSAGE = {"type": "message", "content": [{"type": "output_text", "text": "abc"}]}
QUEUED = {"id": "resp_1", "object": "response", "status": "queued"}
DONE = {**QUEUED, "status": "completed", "output": [MESSAGE]}


class Server:
    """Knows both APIs. Jobs are done at the second poll."""

    def __init__(self):
        self.asked = []
        self.bodies = []

    def __call__(self, request):
        self.asked.append(f"{request.method} {request.url.path}")
        self.bodies.append(json.loads(request.content or b"{}"))
        if request.url.path.endswith("/cancel"):
            return httpx.Response(200, json={**QUEUED, "status": "cancelled"})
        if request.url.path.endswith("/chat/completions"):
            return httpx.Response(200, json=CHAT)
        if request.method == "GET":
            return httpx.Response(
                200, json=QUEUED if self.asked.count(self.asked[-1]) < 2 else DONE
            )
        return httpx.Response(200, json=QUEUED if self.bodies[-1].get("background") else DONE)


def settings(server, **more):
    return {"transport": httpx.MockTransport(server), "clock": CountingClock(), **more}


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (
            "openai/gpt-5.2",
            ["POST /v1/responses", "GET /v1/responses/resp_1", "GET /v1/responses/resp_1"],
            "gpt-5.2",
        ),
        ("gpt-5.2", ["POST /v1/responses"], "gpt-5.2"),
        ("azure/gpt-35-turbo", ["POST /v1/chat/completions"], "gpt-35-turbo"),
        (
            "openai/gpt-oss-20b",
            ["POST /v1/responses", "GET /v1/responses/resp_1", "GET /v1/responses/resp_1"],
            "openai/gpt-oss-20b",
        ),
        ("openai/acme-1", ["POST /v1/chat/completions"], "openai/acme-1"),
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
def test_the_model_decides(model, asked, sent, streamed):
    server = Server()

    async def run():
        async with StrategyClient("http://models.test/v1", KEY, **settings(server)) as client:
            if not streamed:
                return await client.complete(model=model, messages=MESSAGES)
            return fold([e async for e in client.stream(model=model, messages=MESSAGES)])

    assert asyncio.run(run()).content == "abc"
    assert (server.asked, server.bodies[0]["model"]) == (asked, sent)
    assert server.bodies[0]["stream"] is streamed


def test_a_given_strategy_wins_and_keeps_the_name():
    server = Server()
    chat = settings(server, strategy=Strategy.CHAT)
    assert execute("http://models.test/v1", model="openai/o3", messages=MESSAGES, **chat).content
    job = settings(server, strategy=Strategy.BACKGROUND)
    assert execute("http://models.test/v1", model="openai/o3", messages=MESSAGES, **job).content
    assert {b["model"] for b in server.bodies if b} == {"openai/o3"}
    assert server.asked[:2] == ["POST /v1/chat/completions", "POST /v1/responses"]


@pytest.mark.parametrize("model", ["openai/gpt-5.2", "gpt-5.2", "gpt-35-turbo"])
def test_one_policy_for_all(model):
    asked = []

    def busy(request):
        asked.append(request.method)
        return httpx.Response(500)

    clock = CountingClock()
    with pytest.raises(ClientError) as caught:
        execute(
            "http://models.test/v1",
            model=model,
            messages=MESSAGES,
            **settings(busy, clock=clock, jitter=lambda: 0.0),
        )
    assert caught.value.error.error_class is ErrorClass.SERVER_ERROR
    assert (asked, clock.now()) == (["POST"] * 4, 2.0 + 4.0 + 8.0)


def test_all_connections_are_closed():
    class Closing(httpx.MockTransport):
        closed = 0

        async def aclose(self):
            self.closed += 1

    transport = Closing(Server())
    execute("http://models.test/v1", model="gpt-5.2", messages=MESSAGES, transport=transport)
    assert transport.closed == 2


def test_a_job_is_resumed_by_its_id():
    server = Server()

    async def run():
        async with StrategyClient("http://models.test/v1", **settings(server)) as client:
            polled = await client.result("resp_1")
            return polled, fold([e async for e in client.resume("resp_1")])

    polled, streamed = asyncio.run(run())
    assert polled.content == streamed.content == "abc"
    assert set(server.asked) == {"GET /v1/responses/resp_1"}


def test_polls_end_at_the_deadline():
    late = settings(Server(), polls=PollPolicy(interval=1.0, timeout=0.0))
    with pytest.raises(ClientError) as caught:
        execute("http://models.test/v1", model="openai/o3", messages=MESSAGES, **late)
    assert caught.value.error.error_class is ErrorClass.TIMEOUT
    assert late["clock"].now() == 0


class Loopback:
    """A server of one answer for each connection, which it closes."""

    def __init__(self, *bodies):
        self.bodies = list(bodies)
        self.lines = []

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.lines.append(head.split(b" HTTP/")[0].decode())
        body = json.dumps(self.bodies.pop(0)).encode()
        length = str(len(body)).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: " + length)
        writer.write(b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    def adapt(self, *calls, after=lambda: None):
        """What the adapter hands out, call by call; ``after`` is called after each."""

        async def run():
            server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            to = {"base_url": f"http://127.0.0.1:{port}/v1", "api_key": KEY, "messages": MESSAGES}
            answers = []
            async with server:
                for call in calls:
                    run = response_strategies.run(Call(**to, **call))
                    answers.append([item async for item in run])
                    after()
            return answers

        return asyncio.run(run())


@pytest.mark.parametrize(
    ("call", "bodies", "lines"),
    [
        ({"dialect": "openai-chat", "model": "openai/o3"}, [CHAT], ["POST /v1/chat/completions"]),
        ({"dialect": "openai-responses", "model": "m"}, [DONE], ["POST /v1/responses"]),
        (
            {"dialect": "background", "model": "m"},
            [QUEUED, DONE],
            ["POST /v1/responses", "GET /v1/responses/resp_1"],
        ),
        ({"model": "gpt-4.1"}, [DONE], ["POST /v1/responses"]),
        (
            {"dialect": "background", "model": "m", "options": {"strategy": "responses"}},
            [DONE],
            ["POST /v1/responses"],
        ),
        (
            {"dialect": "openai-responses", "model": "m", "options": {"strategy": "auto"}},
            [CHAT],
            ["POST /v1/chat/completions"],
        ),
        (
            {"model": "m", "options": {"response_id": "resp_1"}},
            [DONE],
            ["GET /v1/responses/resp_1"],
        ),
    ],
)
def test_the_adapter(call, bodies, lines):
    server = Loopback(*bodies)
    ((turn,),) = server.adapt(call | {"stream": False})
    assert isinstance(turn, AssistantTurn)
    assert (turn.content, server.lines) == ("abc", lines)


@pytest.mark.parametrize("files", [True, False])
def test_the_adapter_resumes_the_job_of_an_earlier_call(files, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = Loopback(QUEUED, QUEUED, DONE)
    job = {"dialect": "background", "model": "m"}
    ids = []
    left, done = server.adapt(
        job | {"options": {"job_files": files, "poll_timeout": 0}},
        job | {"options": {"job_files": files}},
        after=lambda: ids.append([p.read_text() for p in tmp_path.glob("*/*")]),
    )
    assert left[-1].error.error_class is ErrorClass.TIMEOUT
    assert done[-1].content == "abc"
    assert server.lines[1:] == [
        "POST /v1/responses/resp_1/cancel",
        "GET /v1/responses/resp_1?stream=true",
    ]
    assert ids == [["resp_1\n"] * files, []]
    assert list(tmp_path.iterdir()) == []


def test_the_adapter_blocks_on_request():
    server = Loopback(QUEUED, DONE)
    options = {"blocking": True, "poll_interval": 0}
    call = {"dialect": "background", "model": "m", "stream": False, "options": options}
    assert [[turn.content for turn in items] for items in server.adapt(call)] == [["abc"]]
    assert server.lines == ["POST /v1/responses", "GET /v1/responses/resp_1"]


def test_the_adapter_takes_the_times_of_polls():
    server = Loopback(QUEUED, QUEUED, QUEUED, {**QUEUED, "status": "cancelled"})
    options = {"poll_interval": 20, "poll_timeout": 40}
    ((*_, error, turn),) = server.adapt(
        {"dialect": "background", "model": "m", "options": options},
    )
    assert error.error.error_class is turn.error.error_class is ErrorClass.TIMEOUT
    assert len(server.lines) == 4
