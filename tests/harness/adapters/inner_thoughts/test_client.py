import asyncio
import dataclasses
from contextlib import aclosing

import httpx
import pytest

from harness.adapters.inner_thoughts import InnerThoughtsClient, Thoughts, inner_thoughts
from harness.clients.interface import Call
from mockserver.vocabulary.model import (
    AssistantTurn,
    ErrorEvent,
    MessageStop,
    ReasoningDelta,
    ToolCallDelta,
    UsageEvent,
)

ASK = {"model": "m1", "messages": [{"role": "user", "content": "hi"}]}
OPTIONS = [field.name for field in dataclasses.fields(Thoughts)]
PIECES = ['{"thinking":"I th', 'ink","q":"', "x", '"}']


def call(arguments, **more):
    return {"index": 0, "function": {"arguments": arguments, **more}}


@pytest.fixture
def answer(sse, chunk):
    first = {"id": "call_1", "type": "function", **call("", name="search")}
    deltas = [{"tool_calls": [c]} for c in (first, *map(call, PIECES))]
    return sse(*map(chunk, deltas), chunk({}, "tool_calls"), "[DONE]")


class Body(httpx.AsyncByteStream):
    """A body that comes in small pieces and knows whether it was closed."""

    def __init__(self, data, size):
        self.pieces = [data[n : n + size] for n in range(0, len(data), size)]
        self.closed = False

    async def __aiter__(self):
        for piece in self.pieces:
            await asyncio.sleep(0)
            yield piece

    async def aclose(self):
        self.closed = True


def client_of(data, size=16, requests=None, **options):
    body = Body(data, size)

    def handler(request):
        if requests is not None:
            requests.append(request)
        return httpx.Response(200, stream=body, headers={"content-type": "text/event-stream"})

    transport = httpx.MockTransport(handler)
    return InnerThoughtsClient("http://models.test/v1", transport=transport, **options), body


async def collected(client, **options):
    async with client, aclosing(client.stream(**ASK, options=options)) as answer:
        return [event async for event in answer]


def test_the_options_stay_here_and_the_others_are_sent(answer):
    requests = []
    client, _ = client_of(answer, requests=requests)
    options = dict.fromkeys(["hidden_reasoning", "estimate_usage"], True) | {"temperature": 0}
    asyncio.run(collected(client, inner_thoughts_key="thinking", **options))
    (request,) = requests
    assert b'"temperature":0' in request.content
    for name in OPTIONS:
        assert name.encode() not in request.content


def test_thoughts_and_an_estimate_by_the_given_counter(answer):
    client, _ = client_of(answer)
    options = {"inner_thoughts_key": True, "estimate_usage": True, "tokenizer": len}
    events = asyncio.run(collected(client, **options))
    thoughts = "".join(e.delta for e in events if isinstance(e, ReasoningDelta))
    arguments = "".join(e.arguments_delta for e in events if isinstance(e, ToolCallDelta))
    assert (thoughts, arguments) == ("I think", '{"q":"x"}')
    (usage,) = [e.usage for e in events if isinstance(e, UsageEvent)]
    assert usage.output_tokens == len("search" + "".join(PIECES))
    assert usage.estimated


def test_a_whole_answer_is_rewritten_too(chunk):
    message = {"tool_calls": [{"id": "a", **call('{"thinking":"t","q":1}', name="f")}]}
    whole = {"id": "c1", "choices": [{"message": message, "finish_reason": "tool_calls"}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=whole))

    async def run() -> AssistantTurn:
        client = InnerThoughtsClient("http://models.test/v1", transport=transport)
        async with client:
            return await client.complete(**ASK, options={"inner_thoughts_key": "thinking"})

    turn = asyncio.run(run())
    assert turn.reasoning == "t"
    assert turn.tool_calls[0].arguments == {"q": 1}


@pytest.mark.parametrize(
    "option",
    [
        {"inner_thoughts_key": 5},
        {"inner_thoughts_key": ""},
        {"assistant_message_tool": True},
        {"hidden_reasoning": "yes"},
        {"estimate_usage": 1},
        {"answer_id": "1b4e28ba"},
        {"tokenizer": "gpt-4o"},
        {"tokenizer": ["bytes"]},
    ],
)
def test_a_bad_option_is_named(option):
    (name,) = option
    client, _ = client_of(b"")
    with pytest.raises(ValueError, match=name):
        asyncio.run(collected(client, **option))


def test_an_option_that_is_null_is_absent():
    options = dict.fromkeys(OPTIONS) | {"temperature": 0}
    assert Thoughts.pop_from(options) == Thoughts()
    assert options == {"temperature": 0}


def test_messages_have_ids(answer):
    client, _ = client_of(answer)
    base = "1b4e28ba-2fa1-41d2-883f-0016d3cca4"
    options = {"inner_thoughts_key": "thinking", "answer_id": base + "2f"}
    events = asyncio.run(collected(client, **options))
    thoughts = {"type": "reasoning", "message_id": base + "00"}
    call = {"type": "tool_call", "message_id": base + "01"}
    assert [(event.type, event.native) for event in events] == [
        ("message_start", ()),
        ("reasoning_delta", (thoughts,)),
        ("reasoning_delta", (thoughts,)),
        ("tool_call_start", (call,)),
        ("tool_call_delta", (call,)),
        ("tool_call_delta", (call,)),
        ("tool_call_delta", (call,)),
        ("tool_call_end", (call,)),
        ("message_stop", ()),
    ]


def test_cancelled_at_an_event_it_ends_there(answer):
    """The consumer's task is cancelled after event n."""
    options = {"inner_thoughts_key": "thinking"}
    client, _ = client_of(answer)
    whole = asyncio.run(collected(client, **options))

    async def run(at):
        client, body = client_of(answer)
        async with client:
            stream = client.stream(**ASK, options=options)
            seen = [await anext(stream) for _ in range(at)]
            with pytest.raises(asyncio.CancelledError):
                await stream.athrow(asyncio.CancelledError())
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        assert seen == whole[:at]
        assert body.closed

    for at in range(1, len(whole) + 1):
        asyncio.run(run(at))


def test_cancelled_between_events_it_ends_there(answer):
    """The consumer's task is cancelled while it waits for bytes, at each possible moment."""
    options = {"inner_thoughts_key": "thinking"}
    client, _ = client_of(answer)
    whole = asyncio.run(collected(client, **options))

    async def run(moment):
        client, body = client_of(answer, size=64)
        seen = []

        async def consume():
            async with client, aclosing(client.stream(**ASK, options=options)) as events:
                async for event in events:
                    seen.append(event)  # noqa: PERF401  what came before the cancelling counts

        task = asyncio.create_task(consume())
        for _ in range(moment):
            await asyncio.sleep(0)
        cancelled = task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError) is cancelled
        assert seen == whole[: len(seen)]
        assert body.closed or not seen
        return len(seen)

    reached = {asyncio.run(run(moment)) for moment in range(0, 60, 3)}
    assert len(reached) > 3


def test_a_failed_call_passes_through():
    transport = httpx.MockTransport(lambda _: httpx.Response(503, text="busy"))
    client = InnerThoughtsClient("http://models.test/v1", transport=transport)
    (event,) = asyncio.run(collected(client, inner_thoughts_key="thinking"))
    assert isinstance(event, ErrorEvent)


def test_the_adapter_gives_events_and_the_turn(answer, monkeypatch):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=answer))
    real = httpx.AsyncClient
    monkeypatch.setattr(
        httpx, "AsyncClient", lambda **settings: real(**settings | {"transport": transport})
    )
    options = {"inner_thoughts_key": "thinking"}
    ask = Call(base_url="http://models.test/v1", api_key="k", options=options, **ASK)

    async def run():
        return [item async for item in inner_thoughts.run(ask)]

    *events, turn = asyncio.run(run())
    assert isinstance(events[-1], MessageStop)
    assert turn.reasoning == "I think"
