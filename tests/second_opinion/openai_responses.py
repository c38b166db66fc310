"""The official ``openai`` package and its Responses API, used as an ordinary caller would."""

from __future__ import annotations

import json
from typing import Any

import openai

from mockserver.dialects.openai_responses import responses_body
from mockserver.vocabulary.call import NeutralCall
from tests.second_opinion.turn import Turn

_ENDS = ("response.completed", "response.incomplete", "response.failed")


def ask(base_url: str, call: NeutralCall, turn: Turn) -> None:
    """Make a call and read the answer into ``turn``, as far as it comes."""
    client = openai.OpenAI(
        base_url=base_url,
        api_key="sk-second-opinion",
        max_retries=call.max_retries,
        timeout=call.timeout or 5.0,
    )
    body = responses_body(
        model=call.model,
        messages=call.messages,
        tools=call.tools,
        stream=call.stream,
        background=False,
        options={k: v for k, v in call.options.items() if k in ("temperature", "response_format")},
    )
    with client:
        answer = client.responses.create(**body)
        if not call.stream:
            _read_response(answer.model_dump(), turn)
            return
        for event in answer:
            _read_event(event.model_dump(), turn)


def status_of(exc: Exception) -> int | None:
    """Return the HTTP status of an exception of the SDK."""
    return exc.status_code if isinstance(exc, openai.APIStatusError) else None


def _read_event(event: dict[str, Any], turn: Turn) -> None:
    match event["type"]:
        case "response.output_text.delta":
            turn.text += event["delta"]
        case "response.refusal.delta":
            turn.refusal += event["delta"]
        case "response.output_item.done":
            _read_call(event["item"], turn)
        case "error":
            turn.error = str(event.get("code") or "error")
        case kind if kind in _ENDS:
            _read_response(event["response"], turn)


def _read_response(response: dict[str, Any], turn: Turn) -> None:
    """Take the end, and all items where it has some: they are the answer."""
    if items := response["output"]:
        turn.text, turn.refusal, turn.calls = "", "", []
        for item in items:
            _read_call(item, turn)
            for part in item.get("content") or () if item["type"] == "message" else ():
                turn.text += part.get("text") or ""
                turn.refusal += part.get("refusal") or ""
    _read_end(response, turn)


def _read_end(response: dict[str, Any], turn: Turn) -> None:
    if response.get("error") or response.get("status") == "failed":
        turn.error = str((response.get("error") or {}).get("code"))
    details = response.get("incomplete_details") or {}
    turn.finish = details.get("reason") or response.get("status")
    if (usage := response.get("usage")) is not None:
        names = ("input_tokens", "output_tokens", "total_tokens")
        turn.usage = (usage.get(names[0]), usage.get(names[1]), usage.get(names[2]))


def _read_call(item: dict[str, Any], turn: Turn) -> None:
    if item["type"] == "function_call":
        turn.calls.append((item.get("call_id"), item.get("name"), _parsed(item.get("arguments"))))
    elif item["type"] == "custom_tool_call":
        turn.calls.append((item.get("call_id"), item.get("name"), {"input": item.get("input")}))


def _parsed(arguments: Any) -> Any:
    try:
        return json.loads(arguments)
    except (TypeError, ValueError):
        return arguments
