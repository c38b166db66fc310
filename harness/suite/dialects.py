"""What differs between wire formats as far as the harness is concerned."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.suite.scenario import CallSpec
from mockserver.cassettes.cassette import Request


@dataclass(frozen=True, slots=True)
class Dialect:
    """A wire format: the path its requests end with, and how to read a recorded call back.

    ``call`` turns the JSON body of a recorded request into a neutral call; ``None`` where that
    cannot be done, so that such recordings are served but not run.
    """

    name: str
    endpoint: str
    call: Callable[[dict[str, Any]], CallSpec] | None = None


def _chat_call(body: dict[str, Any]) -> CallSpec:
    known = {"model", "messages", "tools", "stream", "stream_options", "tool_choice"}
    return CallSpec(
        model=str(body.get("model", "")),
        messages=tuple(body.get("messages", ())),
        tools=tuple(body.get("tools") or ()),
        stream=bool(body.get("stream", False)),
        options={k: v for k, v in body.items() if k not in known},
    )


DIALECTS: Mapping[str, Dialect] = {
    d.name: d
    for d in (
        Dialect("openai-chat", "/chat/completions", _chat_call),
        Dialect("openai-responses", "/responses"),
        Dialect("codex", "/responses"),
        Dialect("background", "/responses"),
        Dialect("anthropic", "/v1/messages"),
    )
}


def base_path(dialect: str, paths: Sequence[str]) -> str:
    """The part of the recorded paths that belongs into a client's base URL.

    ``/v1/chat/completions`` gives ``/v1``, and so does ``/v1/responses/resp_1``, which asks for
    something below the endpoint. The first path counts that has its dialect's endpoint, for a
    token endpoint may have been asked before; if none does, all of the first.
    """
    known = DIALECTS.get(dialect)
    if known is not None:
        for path in paths:
            base, found, below = path.rpartition(known.endpoint)
            if found and below[:1] in ("", "/"):
                return base
    return paths[0].rstrip("/")


def recorded_call(request: Request) -> tuple[str, CallSpec] | str:
    """Tell the dialect of a recorded request and the call behind it, or why it cannot be run."""
    path = request.url.path
    for dialect in DIALECTS.values():
        if not path.endswith(dialect.endpoint) or request.method.upper() != "POST":
            continue
        if dialect.call is None:
            return f"{dialect.name} requests cannot be turned back into calls"
        try:
            body = json.loads(request.body)
        except ValueError:
            return "the recorded request body is not JSON"
        if not isinstance(body, dict):
            return "the recorded request body is not a JSON object"
        return dialect.name, dialect.call(body)
    return f"no known dialect has {request.method} {path}"
