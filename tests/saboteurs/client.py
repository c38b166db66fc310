"""A plain, correct client for Chat Completions, cut into steps that saboteurs break one by one.

It shares nothing with the adapters: its own decoding, its own turn, events as plain dicts. It
claims only the features that the saboteurs need.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from harness import Call

Event = dict[str, Any]
FEATURES = ("streaming", "tools", "refusal")
log = logging.getLogger("simple-client")

STATUS_CLASSES = {401: "authentication", 403: "permission", 429: "rate_limit"}
RETRYABLE = {
    "connection_lost",
    "empty_response",
    "rate_limit",
    "server_error",
    "stream_error",
    "timeout",
    "truncated_stream",
}


class FailureError(Exception):
    """Ends the turn with an error."""

    def __init__(
        self,
        error_class: str,
        message: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.error: Event = {
            "class": error_class,
            "message": message[:200] or error_class,
            "retryable": error_class in RETRYABLE,
        }
        known = {"status": status, "code": code, "request_id": request_id}
        self.error |= {k: v for k, v in known.items() if v is not None}


class SimpleClient:
    """One call; every method is a step."""

    dialect = "openai-chat"
    path = "chat/completions"

    def __init__(self, call: Call) -> None:
        self.call = call
        self.started = False
        self.done = False
        self.warned = False
        self.finish: str | None = None
        self.usage: Event = {}
        self.text = ""
        self.half = ""
        self.refusal = ""
        self.calls: list[Event] = []
        self.head: Event = {}

    # --- the request

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.call.api_key}"}

    def body(self) -> Event:
        body: Event = {
            "model": self.call.model,
            "messages": list(self.call.messages),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        body |= self.call.options
        if self.call.tools:
            body["tools"] = list(self.call.tools)
        return body

    def timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self.call.timeout)

    # --- the stream

    async def run(self) -> AsyncIterator[Event]:
        events: list[Event] = []
        try:
            async for event in self.exchange():
                events.append(event)
                yield event
        except FailureError as failure:
            for event in self.failed(failure):
                events.append(event)
                yield event
        yield self.turn(events)

    async def exchange(self) -> AsyncIterator[Event]:
        async with httpx.AsyncClient(timeout=self.timeout()) as http:
            try:
                async with http.stream(
                    "POST",
                    f"{self.call.base_url}/{self.path}",
                    json=self.body(),
                    headers=self.headers(),
                ) as response:
                    if response.status_code != 200:
                        await response.aread()
                        self.refused(response)
                    async for payload in self.payloads(response):
                        for event in self.payload(payload):
                            yield event
                        if self.done:
                            break
            except httpx.TimeoutException:
                self.broken("timeout")
            except httpx.TransportError:
                self.broken("connection_lost")
        for event in self.ending():
            yield event

    def refused(self, response: httpx.Response) -> None:
        status = response.status_code
        error_class = STATUS_CLASSES.get(
            status, "server_error" if status >= 500 else "invalid_request"
        )
        message, code = f"HTTP {status} {response.reason_phrase}", None
        try:
            error = json.loads(response.content)["error"]
            message, code = error["message"], error.get("code")
        except (ValueError, KeyError, TypeError):
            pass
        raise FailureError(error_class, message, status, code, response.headers.get("x-request-id"))

    def broken(self, error_class: str) -> None:
        """Ignore a wire that breaks after the reason was given."""
        if self.finish is None:
            raise FailureError(error_class, error_class)

    def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        return response.aiter_bytes()

    async def payloads(self, response: httpx.Response) -> AsyncIterator[str]:
        """Yield the data of each event of the stream."""
        data: list[str] = []
        async for line in self.lines(response):
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif not line and data:
                yield "\n".join(data)
                data = []
        if data == ["[DONE]"]:
            yield "[DONE]"

    async def lines(self, response: httpx.Response) -> AsyncIterator[str]:
        buffer = b""
        async for chunk in self.chunks(response):
            buffer += chunk
            # A CR at the end may be half of a CRLF.
            held = b"\r" if buffer.endswith(b"\r") else b""
            whole = buffer[: len(buffer) - len(held)]
            parts = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
            buffer = parts.pop() + held
            for part in parts:
                yield self.decode(part)
        for part in buffer.replace(b"\r", b"\n").split(b"\n"):
            yield self.decode(part)

    def decode(self, line: bytes) -> str:
        return line.decode(errors="replace").removeprefix("\ufeff")

    def payload(self, payload: str) -> Iterator[Event]:
        if not payload.strip():
            return
        if payload == "[DONE]":
            self.done = True
            return
        yield from self.chunk(self.parse(payload))

    def parse(self, payload: str) -> Any:
        try:
            return json.loads(payload)
        except ValueError:
            raise FailureError("protocol", "an event is not JSON") from None

    def chunk(self, chunk: Any) -> Iterator[Event]:
        self.check_error(chunk)
        yield from self.start(chunk)
        self.count(chunk.get("usage"))
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) == 0:
                yield from self.choice(choice)
            elif not self.warned:
                self.warned = True
                yield {"type": "warning", "code": "extra_choices", "message": "only one is read"}

    def check_error(self, chunk: Any) -> None:
        if error := chunk.get("error"):
            raise FailureError("stream_error", error["message"], code=error.get("code"))

    def start(self, chunk: Event) -> Iterator[Event]:
        if not self.started and chunk.get("id"):
            self.started = True
            self.head = {"response_id": chunk["id"], "model": chunk["model"]}
            yield {"type": "message_start", **self.head}

    def count(self, usage: Event | None) -> None:
        for ours, theirs in (
            ("input_tokens", "prompt_tokens"),
            ("output_tokens", "completion_tokens"),
            ("total_tokens", "total_tokens"),
        ):
            if usage and usage.get(theirs) is not None:
                self.usage[ours] = usage[theirs]
        for ours, group, theirs in (
            ("cache_read_input_tokens", "prompt_tokens_details", "cached_tokens"),
            ("reasoning_tokens", "completion_tokens_details", "reasoning_tokens"),
        ):
            details = (usage or {}).get(group) or {}
            if details.get(theirs) is not None:
                self.usage[ours] = details[theirs]

    def choice(self, choice: Event) -> Iterator[Event]:
        delta = choice.get("delta") or {}
        if text := self.paired(delta.get("content") or ""):
            self.text += text
            yield {"type": "content_delta", "delta": text}
        yield from self.refuse(delta.get("refusal"))
        for call in delta.get("tool_calls") or ():
            yield from self.tool_call(call)
        if choice.get("finish_reason"):
            self.finish = choice["finish_reason"]

    def paired(self, text: str) -> str:
        """Return text without a last half character, which the next delta may complete."""
        text, self.half = self.half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self.half = text[:-1], text[-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def refuse(self, refusal: str | None) -> Iterator[Event]:
        if refusal:
            self.refusal += refusal
            yield {"type": "refusal_delta", "delta": refusal}

    def tool_call(self, piece: Event) -> Iterator[Event]:
        function = piece.get("function") or {}
        number = self.find_call(piece)
        if number is None:
            number = len(self.calls)
            made_id = not piece.get("id")
            self.calls.append(
                {
                    "id": piece.get("id") or self.made_id(number),
                    "name": "",
                    "arguments": "",
                    "index": piece.get("index"),
                    **({"id_synthesized": True} if made_id else {}),
                }
            )
        call = self.calls[number]
        if name := function.get("name"):
            yield from self.name_call(number, call, name)
        if arguments := function.get("arguments"):
            call["arguments"] += arguments
            yield {
                "type": "tool_call_delta",
                "tool_call_index": number,
                "arguments_delta": arguments,
            }

    def made_id(self, number: int) -> str:
        return f"call_{len(self.call.messages)}_{number}"

    def find_call(self, piece: Event) -> int | None:
        """Return the open call that a piece belongs to, if there is one."""
        index, call_id = piece.get("index"), piece.get("id") or None
        for number in reversed(range(len(self.calls))):
            call = self.calls[number]
            if index is not None and call["index"] != index:
                continue
            return None if call_id and call_id != call["id"] else number
        return None

    def name_call(self, number: int, call: Event, name: str) -> Iterator[Event]:
        if not call["name"]:
            call["name"] = name
            yield {
                "type": "tool_call_start",
                "tool_call_index": number,
                "tool_call_id": call["id"],
                "tool_name": name,
                **({"id_synthesized": True} if "id_synthesized" in call else {}),
            }

    # --- the end

    def ending(self) -> Iterator[Event]:
        self.check_end()
        if self.finish != "length":
            for number, call in enumerate(self.calls):
                yield self.end_call(number, call)
        yield from self.usage_event()
        yield {
            "type": "message_stop",
            "finish_reason": self.reason(),
            "raw_finish_reason": self.finish,
        }

    def check_end(self) -> None:
        if self.finish is None:
            raise FailureError("truncated_stream" if self.started else "empty_response", "cut")

    def end_call(self, number: int, call: Event) -> Event:
        raw = call["arguments"] or "{}"
        try:
            arguments = json.loads(raw)
        except ValueError:
            raise FailureError("invalid_tool_arguments", "arguments are not JSON") from None
        call["parsed"], call["arguments"] = arguments, raw
        return {
            "type": "tool_call_end",
            "tool_call_index": number,
            "arguments": arguments,
            "arguments_raw": raw,
        }

    def reason(self) -> str:
        if self.finish == "stop" and self.calls:
            return "tool_calls"
        known = {"stop", "length", "tool_calls", "content_filter"}
        return self.finish if self.finish in known else "unknown"

    def usage_event(self) -> Iterator[Event]:
        if self.usage:
            yield {"type": "usage", "usage": dict(self.usage)}

    def failed(self, failure: FailureError) -> Iterator[Event]:
        log.warning("the call failed: %s", failure)
        yield from self.usage_event()
        yield {"type": "error", "error": failure.error}

    def turn(self, events: list[Event]) -> Event:
        parts: list[Event] = []
        for event in events:
            kind = event["type"].partition("_")[0]
            if kind == "content" and not any(p["type"] == "text" for p in parts):
                parts.append({"type": "text", "text": self.text})
            elif kind == "refusal" and not any(p["type"] == "refusal" for p in parts):
                parts.append({"type": "refusal", "refusal": self.refusal})
            elif event["type"] == "tool_call_start":
                call = self.calls[event["tool_call_index"]]
                parts.append(
                    {
                        "type": "tool_call",
                        "id": call["id"],
                        "name": call["name"],
                        "arguments": call.get("parsed"),
                        "arguments_raw": call["arguments"],
                        **({"id_synthesized": True} if "id_synthesized" in call else {}),
                    }
                )
        turn: Event = {**self.head, "status": "completed", "parts": parts}
        if self.usage:
            turn["usage"] = dict(self.usage)
        last = events[-1] if events else {}
        if last.get("type") == "error":
            turn |= {"status": "failed", "error": last["error"]}
        elif last.get("type") == "message_stop":
            turn |= {k: last[k] for k in ("finish_reason", "raw_finish_reason")}
            if last["finish_reason"] in {"length", "content_filter"}:
                turn["status"] = "incomplete"
        return turn
