"""The official ``cohere`` package, used as an ordinary caller would."""

from __future__ import annotations

import json
from typing import Any

import cohere
import httpx
from cohere.core.api_error import ApiError

from mockserver.dialects import find_dialect
from mockserver.vocabulary.call import NeutralCall
from tests.second_opinion.turn import Turn

_LEFT_OUT = ("stream", "model", "messages")


def ask(base_url: str, call: NeutralCall, turn: Turn) -> None:
    """Make a call and read the answer into ``turn``, as far as it comes."""
    with httpx.Client(timeout=call.timeout or 5.0) as http:
        client = cohere.ClientV2(base_url=base_url, api_key="co-second-opinion", httpx_client=http)
        _ask(client, call, turn)


def status_of(exc: Exception) -> int | None:
    """Return the HTTP status of an exception of the SDK."""
    return exc.status_code if isinstance(exc, ApiError) else None


def _ask(client: cohere.ClientV2, call: NeutralCall, turn: Turn) -> None:
    body: dict[str, Any] = json.loads(find_dialect("cohere").write_request(call).body)
    given = {name: value for name, value in body.items() if name not in _LEFT_OUT}
    given["request_options"] = {"max_retries": call.max_retries}
    if not call.stream:
        answer = client.chat(model=body["model"], messages=body["messages"], **given)
        whole = answer.model_dump()
        _end(whole, turn)
        for block in whole["message"].get("content") or ():
            turn.text += block.get("text") or ""
        turn.calls = [
            (c["id"], c["function"]["name"], _parsed(c["function"]["arguments"]))
            for c in whole["message"].get("tool_calls") or ()
        ]
        return
    calls: dict[int, list[Any]] = {}
    try:
        for event in client.chat_stream(model=body["model"], messages=body["messages"], **given):
            _read(event.model_dump(), turn, calls)
    finally:
        turn.calls = [(c[0], c[1], _parsed(c[2])) for c in calls.values()]


def _read(event: dict[str, Any], turn: Turn, calls: dict[int, list[Any]]) -> None:
    delta = event.get("delta") or {}
    message = delta.get("message") or {}
    match event["type"]:
        case "content-start" | "content-delta":
            turn.text += (message.get("content") or {}).get("text") or ""
        case "tool-call-start":
            call = message["tool_calls"]
            calls[event["index"]] = [
                call["id"],
                call["function"]["name"],
                call["function"]["arguments"] or "",
            ]
        case "tool-call-delta":
            calls[event["index"]][2] += message["tool_calls"]["function"]["arguments"] or ""
        case "message-end":
            _end(delta, turn)


def _end(end: dict[str, Any], turn: Turn) -> None:
    turn.finish = end.get("finish_reason")
    tokens = (end.get("usage") or {}).get("tokens")
    if tokens is not None:
        turn.usage = (tokens.get("input_tokens"), tokens.get("output_tokens"), None)


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except (TypeError, ValueError):
        return arguments
