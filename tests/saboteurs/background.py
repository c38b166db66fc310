"""Broken clients for background jobs: a plain, correct one, one step changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import httpx

from harness import Call
from tests.saboteurs.broken import caught_by
from tests.saboteurs.client import Event, FailureError, SimpleClient


class BackgroundClient(SimpleClient):
    """Creates a job, and asks for it until it has ended."""

    dialect = "background"

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.job: str | None = None
        self.number = -1
        self.streaming = call.stream
        self.retries = call.max_retries
        self.emitted: dict[int, str] = {}
        self.request_id: str | None = None

    # --- the requests

    def body(self) -> Event:
        body: Event = {"model": self.call.model, "stream": self.call.stream}
        body["input"] = list(self.call.messages)
        if self.call.options.get("strategy") != "responses":
            body |= {"background": True, "store": True}
        if self.call.tools:
            flat = {"type": "function", "strict": False}
            body["tools"] = [{**flat, **t["function"]} for t in self.call.tools]
            body["tool_choice"] = "auto"
        return body

    def requests(self) -> Iterator[tuple[str, str, Event]]:
        url = f"{self.call.base_url}/responses"
        yield "POST", url, {"json": self.body()}
        while True:
            after = {"stream": "true", "starting_after": self.number}
            yield "GET", f"{url}/{self.job}", {"params": after} if self.streaming else {}

    async def run(self) -> AsyncIterator[Event]:
        async for item in super().run():
            if self.call.stream or "type" not in item:
                yield item

    async def exchange(self) -> AsyncIterator[Event]:
        async with httpx.AsyncClient(timeout=self.timeout()) as http:
            for method, url, more in self.requests():
                try:
                    async with http.stream(method, url, headers=self.headers(), **more) as response:
                        async for event in self.answer(response):
                            yield event
                except httpx.TimeoutException:
                    self.broken("timeout")
                except httpx.TransportError:
                    self.broken("connection_lost")
                if self.finish is not None:
                    break
        for event in self.ending():
            yield event

    async def answer(self, response: httpx.Response) -> AsyncIterator[Event]:
        self.request_id = response.headers.get("x-request-id")
        if response.status_code == 400 and self.streaming:
            self.streaming = False  # too old to be streamed
        elif response.status_code != 200:
            await response.aread()
            self.refused(response)
        elif "json" in response.headers["content-type"]:
            self.streaming = False
            for event in self.whole(json.loads(await response.aread())):
                yield event
        else:
            async for payload in self.payloads(response):
                for event in self.streamed(json.loads(payload)):
                    yield event
                if self.finish is not None:
                    return
            self.broken("truncated_stream")

    def broken(self, error_class: str) -> None:
        if self.finish is None:
            self.retries -= 1
            if self.retries < 0:
                raise FailureError(error_class, error_class)

    # --- the answers

    def streamed(self, event: Event) -> Iterator[Event]:
        if self.is_known(event):
            return
        self.number = event["sequence_number"]
        if "response" in event:
            yield from self.whole(event["response"])
        elif event["type"] == "response.output_item.added":
            yield from self.item(event["output_index"], event["item"])
        elif event["type"].endswith((".output_text.delta", ".function_call_arguments.delta")):
            yield from self.piece(event["output_index"], event["delta"])

    def is_known(self, event: Event) -> bool:
        return bool(event["sequence_number"] <= self.number)

    def whole(self, response: Event) -> Iterator[Event]:
        self.job = response["id"]
        yield from self.start(response)
        if self.unfinished(response):
            return
        for index, item in enumerate(response["output"]):
            yield from self.item(index, item)
        self.check_status(response)
        self.count(response["usage"])
        details = response["incomplete_details"] or {}
        self.finish = details.get("reason") or response["status"]

    def start(self, chunk: Event) -> Iterator[Event]:
        if not self.started:
            self.started = True
            self.head = {"response_id": chunk["id"], "model": chunk["model"]}
            yield {"type": "message_start", **self.head}

    def unfinished(self, response: Event) -> bool:
        return response["status"] in {"queued", "in_progress"}

    def check_status(self, response: Event) -> None:
        if response["status"] in {"failed", "cancelled"}:
            error = response["error"] or {"code": "cancelled", "message": "cancelled"}
            code = error["code"]
            raise FailureError(code, error["message"], code=code, request_id=self.request_id)

    def item(self, index: int, item: Event) -> Iterator[Event]:
        if item["type"] == "function_call":
            if index not in self.emitted:
                yield from super().tool_call(
                    {"index": index, "id": item["call_id"], "function": {"name": item["name"]}}
                )
            yield from self.rest(index, item["arguments"])
        elif item["type"] == "message":
            yield from self.rest(index, "".join(p.get("text", "") for p in item["content"]))

    def rest(self, index: int, text: str) -> Iterator[Event]:
        """Emit the part of a text that was not emitted before."""
        yield from self.piece(index, text.removeprefix(self.emitted.setdefault(index, "")))

    def piece(self, index: int, text: str) -> Iterator[Event]:
        if not text:
            return
        self.emitted[index] += text
        number = next((n for n, c in enumerate(self.calls) if c["index"] == index), None)
        if number is None:
            self.text += text
            yield {"type": "content_delta", "delta": text, "index": 0}
        else:
            yield from self.tool_call({"index": index, "function": {"arguments": text}})

    def count(self, usage: Event | None) -> None:
        counts: Event = usage or {}
        for name in ("input_tokens", "output_tokens", "total_tokens"):
            self.usage[name] = counts[name]
        self.usage["cache_read_input_tokens"] = counts["input_tokens_details"]["cached_tokens"]
        self.usage["reasoning_tokens"] = counts["output_tokens_details"]["reasoning_tokens"]

    def reason(self) -> str:
        if self.finish == "completed":
            return "tool_calls" if self.calls else "stop"
        return {"max_output_tokens": "length"}.get(self.finish or "", "unknown")


@caught_by(
    "completeness", "false-success", "background/inprogress-without-asking/for-a-stream/recorded"
)
class TakesWorkForAnAnswer(BackgroundClient):
    def unfinished(self, response: Event) -> bool:
        return response["status"] == "queued"

    def count(self, usage: Event | None) -> None:
        if usage:
            super().count(usage)


@caught_by("usage", "usage-missing", "background/poll-to-completed/call/recorded")
class ForgetsThePolledUsage(BackgroundClient):
    def count(self, usage: Event | None) -> None:
        pass


@caught_by("usage", "usage", "background/resume-starting-after/overlap/recorded")
class CountsOneTokenForEachDelta(BackgroundClient):
    def count(self, usage: Event | None) -> None:
        super().count(usage)
        self.usage["output_tokens"] = 7


@caught_by("calls-kept", "tool-call", "background/poll-to-completed/call/recorded")
class KnowsNothingButText(BackgroundClient):
    def item(self, index: int, item: Event) -> Iterator[Event]:
        if item["type"] == "message":
            yield from super().item(index, item)


@caught_by(
    "finish-reason", "finish-reason", "background/poll-terminal-failures/incomplete-length/recorded"
)
class TakesAJobThatWasCutForComplete(BackgroundClient):
    def reason(self) -> str:
        self.finish = "completed"
        return super().reason()


@caught_by("content-kept", "text", "background/resume-starting-after/overlap/recorded")
class RepeatsResentDeltas(BackgroundClient):
    def is_known(self, event: Event) -> bool:
        return False


@caught_by("content-kept", "text", "background/resume-expired/text/recorded")
class EmitsAPolledAnswerFromItsStart(BackgroundClient):
    def rest(self, index: int, text: str) -> Iterator[Event]:
        self.emitted.setdefault(index, "")
        yield from self.piece(index, text)


@caught_by("content-kept", "text", "background/resume-expired/text/recorded")
class ForgetsTheFirstConnection(BackgroundClient):
    def turn(self, events: list[Event]) -> Event:
        self.text = self.text.partition(" ist")[2]
        return super().turn(events)


@caught_by("in-band-error", "false-success", "background/poll-terminal-failures/failed/recorded")
class TakesAFailedJobForAnAnswer(BackgroundClient):
    def check_status(self, response: Event) -> None:
        response["usage"] = response["usage"] or {"input_tokens": 0}

    def count(self, usage: Event | None) -> None:
        pass


@caught_by("fault", "false-success", "background/stream-basic/reset=9")
class TakesABrokenStreamForTheEnd(BackgroundClient):
    def broken(self, error_class: str) -> None:
        self.finish = self.finish or "completed"
