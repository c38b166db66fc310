"""The official ``ollama`` package, used as an ordinary caller would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ollama

from mockserver.dialects import find_dialect, written_request
from mockserver.vocabulary.call import NeutralCall
from tests.second_opinion.turn import Turn


def ask(base_url: str, call: NeutralCall, turn: Turn) -> None:
    """Make a call and read the answer into ``turn``, as far as it comes."""
    fields: dict[str, Any] = json.loads(written_request(find_dialect("ollama"), call).body)
    with ollama.Client(host=base_url, timeout=call.timeout or 5.0) as client:
        method = client.generate if "prompt" in fields else client.chat
        answer = method(**fields)
        for part in answer if call.stream else [answer]:
            _read(part.model_dump(), turn)


def status_of(exc: Exception) -> int | None:
    """Return the HTTP status of an exception of the SDK; one from inside of a stream has none."""
    if isinstance(exc, ollama.ResponseError) and exc.status_code > 0:
        return exc.status_code
    return None


def _read(part: Mapping[str, Any], turn: Turn) -> None:
    message = part.get("message") or {}
    turn.text += message.get("content") or part.get("response") or ""
    for call in message.get("tool_calls") or ():
        turn.calls.append((None, call["function"]["name"], call["function"]["arguments"]))
    turn.finish = part.get("done_reason") or turn.finish
    given, made = part.get("prompt_eval_count"), part.get("eval_count")
    if given is not None or made is not None:
        turn.usage = (given, made, None)
