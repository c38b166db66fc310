"""The official ``boto3`` package, used as an ordinary caller would.

It is given a signing key that is none: a bearer key is refused on an address without TLS.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from mockserver.dialects import find_dialect, sdk_arguments
from mockserver.vocabulary.call import NeutralCall
from tests.second_opinion.turn import Turn

#: Counts of input that ``inputTokens`` leaves out.
_CACHED = ("cacheReadInputTokens", "cacheWriteInputTokens")


def ask(base_url: str, call: NeutralCall, turn: Turn) -> None:
    """Make a call and read the answer into ``turn``, as far as it comes."""
    client = session().client(
        "bedrock-runtime",
        endpoint_url=base_url,
        config=Config(
            retries={"total_max_attempts": call.max_retries + 1, "mode": "standard"},
            read_timeout=call.timeout or 5.0,
            connect_timeout=5.0,
        ),
    )
    try:
        _ask(client, call, turn)
    finally:
        client.close()


def status_of(exc: Exception) -> int | None:
    """Return the HTTP status of an exception of the SDK."""
    if not isinstance(exc, ClientError):
        return None
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status if isinstance(status, int) and status >= 400 else None


@functools.cache
def session() -> Any:
    return boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")


def _ask(client: Any, call: NeutralCall, turn: Turn) -> None:
    arguments = sdk_arguments(find_dialect("bedrock"), call)
    if not call.stream:
        answer = client.converse(**arguments)
        for block in answer["output"]["message"]["content"]:
            _read_block(block, turn)
        turn.finish = answer.get("stopReason")
        _read_usage(answer.get("usage"), turn)
        return
    calls: dict[int, list[Any]] = {}
    with contextlib.closing(client.converse_stream(**arguments)["stream"]) as events:
        try:
            for event in events:
                _read_event(event, turn, calls)
        finally:
            turn.calls = [(c[0], c[1], _parsed(c[2])) for c in calls.values()]


def _read_event(event: Mapping[str, Any], turn: Turn, calls: dict[int, list[Any]]) -> None:
    match event:
        case {"contentBlockStart": {"start": {"toolUse": use}, "contentBlockIndex": index}}:
            if use.get("type") != "server_tool_use":
                calls[index] = [use.get("toolUseId"), use.get("name"), ""]
        case {"contentBlockDelta": {"delta": {"text": text}}}:
            turn.text += text
        case {"contentBlockDelta": {"delta": {"toolUse": use}, "contentBlockIndex": index}}:
            if index in calls:
                calls[index][2] += use.get("input") or ""
        case {"messageStop": {"stopReason": reason}}:
            turn.finish = reason
        case {"metadata": metadata}:
            _read_usage(metadata.get("usage"), turn)


def _read_block(block: Mapping[str, Any], turn: Turn) -> None:
    match block:
        case {"text": text}:
            turn.text += text
        case {"citationsContent": {"content": content}}:
            turn.text += "".join(piece.get("text", "") for piece in content)
        case {"toolUse": use} if use.get("type") != "server_tool_use":
            turn.calls.append((use["toolUseId"], use["name"], use["input"]))


def _read_usage(usage: Mapping[str, Any] | None, turn: Turn) -> None:
    if not usage:
        return
    counts = [usage.get(name) for name in ("inputTokens", *_CACHED)]
    # A caller who wants all input adds what was cached.
    asked = None if counts[0] is None else sum(n or 0 for n in counts)
    turn.usage = (asked, usage.get("outputTokens"), usage.get("totalTokens"))


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
