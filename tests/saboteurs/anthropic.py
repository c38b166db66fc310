"""Broken clients for the Messages API: a plain, correct one, one step changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mockserver.vocabulary import event_from_json, fold, to_json
from tests.saboteurs.broken import caught_by
from tests.saboteurs.client import Event, FailureError, SimpleClient

CLASSES = {"overloaded_error": "overloaded", "rate_limit_error": "rate_limit"}
REASONS = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "pause_turn": "pause",
    "refusal": "refusal",
}
CACHES = ("cache_read_input_tokens", "cache_creation_input_tokens")


class MessagesClient(SimpleClient):
    """Reads a stream of the Messages API; blocks are kept as they come, to go back."""

    dialect = "anthropic"
    path = "v1/messages"

    def __init__(self, call: Any) -> None:
        super().__init__(call)
        self.blocks: dict[int, Event] = {}
        self.inputs: dict[int, str] = {}
        self.numbers: dict[int, int] = {}

    # --- the request

    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.call.api_key, "anthropic-version": "2023-06-01"}

    def body(self) -> Event:
        messages = [m for m in self.call.messages if m["role"] != "system"]
        system = "\n".join(m["content"] for m in self.call.messages if m["role"] == "system")
        tools = [self.tool(tool) for tool in self.call.tools]
        return {
            "model": self.call.model,
            "max_tokens": 1024,
            "stream": True,
            "messages": self.history(messages),
            **({"system": system} if system else {}),
            **({"tools": tools} if tools else {}),
            **self.call.options,
        }

    def tool(self, tool: Event) -> Event:
        function = tool.get("function")
        if function is None:
            return tool
        return {"name": function["name"], "input_schema": function["parameters"]}

    def history(self, messages: list[Event]) -> list[Event]:
        found: list[Event] = []
        for message in messages:
            content = self.content(message)
            role = "user" if message["role"] == "tool" else message["role"]
            if found and found[-1]["role"] == role:
                found[-1]["content"] += content
            else:
                found.append({"role": role, "content": content})
        return found

    def content(self, message: Event) -> list[Event]:
        if message["role"] == "tool":
            call_id, result = message["tool_call_id"], message["content"]
            return [{"type": "tool_result", "tool_use_id": call_id, "content": result}]
        parts = message.get("parts")
        if parts is None:
            return [{"type": "text", "text": message["content"]}]
        return [block for part in parts if (block := self.block(part))]

    def block(self, part: Event) -> Event | None:
        match part:
            case {"type": "text"}:
                return {"type": "text", "text": part["text"]}
            case {"redacted_data": data}:
                return {"type": "redacted_thinking", "data": data}
            case {"type": "reasoning"}:
                signature = part.get("signature")
                return {"type": "thinking", "thinking": part["text"], "signature": signature}
            case {"type": "tool_call"}:
                known = {"id": part["id"], "name": part["name"], "input": part["arguments"]}
                return {"type": "tool_use", **known}
            case {"type": "hosted_tool"}:
                return dict(part["native"][0])
        return None

    # --- the stream

    def chunk(self, chunk: Any) -> Iterator[Event]:
        match chunk["type"]:
            case "error":
                self.failed_in_stream(chunk["error"])
            case "message_start":
                message = chunk["message"]
                yield from self.start(message)
                self.count(message["usage"])
            case "content_block_start":
                yield from self.opened(chunk["index"], chunk["content_block"])
            case "content_block_delta":
                yield from self.delta(chunk["index"], chunk["delta"])
            case "content_block_stop":
                yield from self.closed(chunk["index"])
            case "message_delta":
                self.finish = chunk["delta"].get("stop_reason") or self.finish
                self.count(chunk.get("usage"))
            case "message_stop":
                self.done = True

    def failed_in_stream(self, error: Event) -> None:
        kind = error["type"]
        raise FailureError(CLASSES.get(kind, "server_error"), error["message"], code=kind)

    def count(self, usage: Event | None) -> None:
        for name in ("input_tokens", "output_tokens", *CACHES):
            if usage and usage.get(name) is not None:
                self.usage[name] = usage[name]
        details = (usage or {}).get("output_tokens_details") or {}
        if "thinking_tokens" in details:
            self.usage["reasoning_tokens"] = details["thinking_tokens"]

    def usage_event(self) -> Iterator[Event]:
        total = self.usage["input_tokens"] + sum(self.usage.get(name, 0) for name in CACHES)
        counts = {**self.usage, "input_tokens": total}
        yield {
            "type": "usage",
            "usage": {**counts, "total_tokens": total + counts["output_tokens"]},
        }

    def opened(self, index: int, block: Event) -> Iterator[Event]:
        self.blocks[index] = dict(block)
        self.inputs[index] = ""
        if self.is_call(block):
            number = self.numbers[index] = len(self.numbers)
            call_id, name = block["id"], block["name"]
            yield {
                "type": "tool_call_start",
                "tool_call_index": number,
                "tool_call_id": call_id,
                "tool_name": name,
            }
        if block["type"] == "redacted_thinking":
            yield from self.redacted(index, block["data"])

    def is_call(self, block: Event) -> bool:
        return bool(block["type"] == "tool_use")

    def redacted(self, index: int, data: str) -> Iterator[Event]:
        yield {"type": "reasoning_signature", "redacted_data": data, "index": index}

    def delta(self, index: int, delta: Event) -> Iterator[Event]:
        match delta:
            case {"type": "text_delta", "text": text} if text:
                yield {"type": "content_delta", "delta": text, "index": index}
            case {"type": "thinking_delta", "thinking": text} if text:
                thought = {"type": "reasoning_delta", "channel": "text"}
                yield {**thought, "delta": text, "index": index}
            case {"type": "signature_delta", "signature": signature}:
                yield from self.signed(index, signature)
            case {"type": "input_json_delta", "partial_json": piece} if piece:
                yield from self.input(index, piece)
            case {"type": "citations_delta", "citation": citation}:
                source = {"url": citation["url"], "title": citation["title"]}
                yield {"type": "citation", **source, "index": index}

    def signed(self, index: int, signature: str) -> Iterator[Event]:
        yield {"type": "reasoning_signature", "signature": signature, "index": index}

    def input(self, index: int, piece: str) -> Iterator[Event]:
        self.inputs[index] += piece
        if index in self.numbers:
            number = self.numbers[index]
            yield {"type": "tool_call_delta", "tool_call_index": number, "arguments_delta": piece}

    def closed(self, index: int) -> Iterator[Event]:
        block = self.blocks[index]
        text = self.inputs[index] or json.dumps(block.get("input") or {})
        if index in self.numbers:
            yield {
                "type": "tool_call_end",
                "tool_call_index": self.numbers[index],
                "arguments": json.loads(text),
                "arguments_raw": text,
            }
        elif block["type"] not in ("text", "thinking", "redacted_thinking"):
            native = {**block, "input": json.loads(text)} if "input" in block else block
            yield {"type": "hosted_tool", "kind": block["type"], "native": [native]}

    def reason(self) -> str:
        return REASONS.get(self.finish or "", "unknown")

    def turn(self, events: list[Event]) -> Event:
        turn: Event = to_json(fold(event_from_json(event) for event in events))
        return turn


@caught_by("sequence", "false-failure", "anthropic/text-ping-padding/stream/recorded")
class TakesAPingForAnError(MessagesClient):
    def chunk(self, chunk: Any) -> Iterator[Event]:
        if chunk["type"] == "ping":
            raise FailureError("protocol", "an event without an index")
        yield from super().chunk(chunk)


@caught_by("request", "not-sent-back", "anthropic/thinking-signature/recorded")
class LosesTheSignature(MessagesClient):
    def signed(self, index: int, signature: str) -> Iterator[Event]:
        yield from ()


@caught_by("content-kept", "signature", "anthropic/redacted-thinking/recorded")
class DropsRedactedThinking(MessagesClient):
    def redacted(self, index: int, data: str) -> Iterator[Event]:
        yield from ()


@caught_by("calls-kept", "tool-call", "anthropic/tool-use/recorded")
class GivesEveryInputToTheFirstCall(MessagesClient):
    def input(self, index: int, piece: str) -> Iterator[Event]:
        yield from super().input(min(self.numbers), piece)


@caught_by("calls-kept", "tool-call", "anthropic/input-in-start/alone/recorded")
class ReadsInputFromDeltasOnly(MessagesClient):
    def opened(self, index: int, block: Event) -> Iterator[Event]:
        yield from super().opened(index, {**block, "input": {}})


@caught_by("usage", "usage", "anthropic/usage-cache/recorded")
class AddsUpTheCounts(MessagesClient):
    def count(self, usage: Event | None) -> None:
        before = dict(self.usage)
        super().count(usage)
        for name in before.keys() & (usage or {}).keys():
            self.usage[name] += before[name]


@caught_by("finish-reason", "finish-reason", "anthropic/finish-words/max-tokens/recorded")
class TakesEveryEndForAStop(MessagesClient):
    def reason(self) -> str:
        return "stop"


@caught_by("in-band-error", "false-success", "anthropic/error-event-midstream/rate-limit/recorded")
class SwallowsErrorEvents(MessagesClient):
    def failed_in_stream(self, error: Event) -> None:
        self.finish = "end_turn"


@caught_by("calls-kept", "tool-call", "anthropic/pause-turn/recorded")
class RunsTheProvidersTools(MessagesClient):
    def is_call(self, block: Event) -> bool:
        return bool(block["type"].endswith("tool_use"))


@caught_by("request", "request-form", "anthropic/tool-results-together/recorded")
class SendsEveryResultInAMessage(MessagesClient):
    def history(self, messages: list[Event]) -> list[Event]:
        return [m for message in messages for m in super(type(self), self).history([message])]


@caught_by("content-kept", "text", "anthropic/after-stop-and-late-error/text/recorded")
class ReadsOnBehindTheEnd(MessagesClient):
    def chunk(self, chunk: Any) -> Iterator[Event]:
        if chunk["type"] != "message_stop":
            yield from super().chunk(chunk)


@caught_by("turn", "false-failure", "anthropic/unknown-blocks-and-events/block/recorded")
class KnowsAllBlocks(MessagesClient):
    def opened(self, index: int, block: Event) -> Iterator[Event]:
        if block["type"] not in ("text", "thinking", "redacted_thinking", "tool_use"):
            raise FailureError("protocol", f"a block of type {block['type']}")
        yield from super().opened(index, block)
