"""A scripted server of background jobs, for tests of their client."""

import asyncio
import json

import httpx
import pytest

from harness.adapters.common.retrying import RetryPolicy
from harness.adapters.response_strategies.background import ResponsesClient, ResponsesError
from harness.adapters.response_strategies.background_polling import CountingClock, PollPolicy

KEY = "sk-test-0123456789"
ASK = {"model": "gpt-5.2", "messages": [{"role": "user", "content": "hi"}]}
MESSAGE = {"type": "message", "content": [{"type": "output_text", "text": "abc"}]}


def response(status, **more):
    return {"id": "resp_1", "object": "response", "model": "m", "status": status, **more}


QUEUED = response("queued", output=[])
DONE = response("completed", output=[MESSAGE], usage={"input_tokens": 1, "output_tokens": 2})
EVENTS = [
    {"type": "response.created", "response": QUEUED, "sequence_number": 0},
    *(
        {"type": "response.output_text.delta", "output_index": 0, "delta": d, "sequence_number": n}
        for n, d in enumerate("abc", 1)
    ),
    {"type": "response.completed", "response": DONE, "sequence_number": 4},
]


class Broken(httpx.AsyncByteStream):
    """A body that is reset after some bytes."""

    def __init__(self, data=b""):
        self.data = data

    async def __aiter__(self):
        yield self.data
        raise httpx.ReadError("reset")


def stream(*events, broken=False):
    data = b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in events)
    headers = {"content-type": "text/event-stream"}
    if broken:
        return httpx.Response(200, stream=Broken(data), headers=headers)
    return httpx.Response(200, content=data, headers=headers)


def whole(body, **headers):
    return httpx.Response(
        200, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def refused(status, **headers):
    error = {"error": {"message": "no", "type": "t"}}
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    return httpx.Response(status, json=error, headers=headers)


class Server:
    """Gives scripted answers and writes down what was asked, and when."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.requests = []
        self.clock = CountingClock()

    def __call__(self, request):
        self.requests.append(request)
        path = request.url.raw_path.decode().removeprefix("/v1/responses")
        self.asked.append((self.clock.now(), f"{request.method} {path}"))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, *, retries=0, store=None, **polls):
        return ResponsesClient(
            "http://models.test/v1/",
            KEY,
            retry=RetryPolicy(max_retries=retries),
            polls=PollPolicy(**polls),
            store=store,
            clock=self.clock,
            jitter=lambda: 0.0,
            transport=httpx.MockTransport(self),
        )

    def stream(self, *, background=True, resume=None, **options):
        async def run():
            async with self.client(**options) as client:
                answer = (
                    client.resume(resume) if resume else client.stream(**ASK, background=background)
                )
                return [event async for event in answer]

        return asyncio.run(run())

    def complete(self, *, background=True, resume=None, **options):
        async def run():
            async with self.client(**options) as client:
                if resume:
                    return await client.result(resume)
                return await client.complete(**ASK, background=background)

        return asyncio.run(run())

    def fails(self, **options):
        with pytest.raises(ResponsesError) as caught:
            self.complete(**options)
        return caught.value
