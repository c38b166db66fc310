"""Broken clients for Ollama's own API: a plain, correct one, one step changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from harness import Call
from mockserver.vocabulary.codec import event_from_json, to_json
from mockserver.vocabulary.fold import fold
from tests.saboteurs.broken import caught_by
from tests.saboteurs.client import Event, FailureError, SimpleClient


class OllamaClient(SimpleClient):
    """Reads one JSON object for each line."""

    dialect = "ollama"
    path = "api/chat"

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.number = 0

    def body(self) -> Event:
        body = {"model": self.call.model, "messages": list(self.call.messages), "stream": True}
        body |= self.call.options
        return body | ({"tools": list(self.call.tools)} if self.call.tools else {})

    async def payloads(self, response: httpx.Response) -> AsyncIterator[str]:
        async for line in self.lines(response):
            if line.strip():
                yield line

    async def lines(self, response: httpx.Response) -> AsyncIterator[str]:
        buffer = b""
        async for chunk in self.chunks(response):
            *complete, buffer = (buffer + chunk).split(b"\n")
            for line in complete:
                yield self.decode(line)
        yield self.rest(buffer)

    def rest(self, buffer: bytes) -> str:
        """Return what stands behind the last line end, if it is a whole line."""
        text = self.decode(buffer)
        try:
            json.loads(text)
        except ValueError:
            return ""
        return text

    def chunk(self, chunk: Any) -> Iterator[Event]:
        self.check_error(chunk)
        if self.done:
            return
        if not self.started:
            self.started = True
            yield {"type": "message_start", "model": chunk["model"]}
        self.count(chunk)
        message = chunk["message"]
        if thinking := message.get("thinking"):
            yield self.think(thinking)
        if message["content"]:
            yield {"type": "content_delta", "delta": message["content"]}
        yield from self.take(message.get("tool_calls") or ())
        if chunk["done"]:
            self.finish, self.done = chunk["done_reason"], True

    def check_error(self, chunk: Any) -> None:
        if chunk.get("error"):
            raise FailureError("server_error", chunk["error"])

    def count(self, usage: Event | None) -> None:
        names = {"input_tokens": "prompt_eval_count", "output_tokens": "eval_count"}
        self.usage |= {ours: usage[n] for ours, n in names.items() if usage and n in usage}

    def think(self, text: str) -> Event:
        return {"type": "reasoning_delta", "delta": text, "channel": "text"}

    def take(self, calls: Any) -> Iterator[Event]:
        for call in calls:
            yield from self.emit(call)

    def emit(self, call: Event) -> Iterator[Event]:
        number, self.number = self.number, self.number + 1
        made = {} if "id" in call else {"id_synthesized": True}
        function = call["function"]
        raw = json.dumps(function["arguments"], ensure_ascii=False)
        yield {
            "type": "tool_call_start",
            "tool_call_index": number,
            "tool_call_id": call.get("id") or self.made_id(number),
            "tool_name": function["name"],
            **made,
        }
        yield {"type": "tool_call_delta", "tool_call_index": number, "arguments_delta": raw}
        yield {
            "type": "tool_call_end",
            "tool_call_index": number,
            "arguments": function["arguments"],
            "arguments_raw": raw,
        }

    def reason(self) -> str:
        return "tool_calls" if self.finish == "stop" and self.number else super().reason()

    def turn(self, events: list[Event]) -> Event:
        turn: Event = to_json(fold(map(event_from_json, events)))
        return turn


@caught_by("sequence", "false-failure", "ollama/last-line-no-newline/several-lines/recorded")
class LosesALastLineWithoutAnEnd(OllamaClient):
    def rest(self, buffer: bytes) -> str:
        return ""


@caught_by("in-band-error", "false-success", "ollama/error-line-parser/recorded")
class TakesAnErrorLineForTheEnd(OllamaClient):
    def check_error(self, chunk: Any) -> None:
        if "error" in chunk:
            self.finish, self.done = "stop", True


@caught_by("completeness", "false-success", "ollama/eof-without-done/after-a-line/recorded")
class TakesTheEndOfTheBodyForTheEnd(OllamaClient):
    def check_end(self) -> None:
        self.finish = self.finish or "stop"


@caught_by("calls-kept", "tool-call", "ollama/native-tools-forms/no-ids-two-lines/recorded")
class KeepsTheCallsOfTheLastLineOnly(OllamaClient):
    def take(self, calls: Any) -> Iterator[Event]:
        self.calls = list(calls) or self.calls
        yield from ()

    def ending(self) -> Iterator[Event]:
        for call in self.calls:
            yield from self.emit(call)
        self.calls = []
        yield from super().ending()


@caught_by("content-kept", "text", "ollama/native-text-thinking/recorded")
class ShowsThinkingAsText(OllamaClient):
    def think(self, text: str) -> Event:
        return {"type": "content_delta", "delta": text}
