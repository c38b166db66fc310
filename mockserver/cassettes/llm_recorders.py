"""Recorders made for LLM clients that keep the pieces of a stream: llm-vcr and llm-recorder."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from mockserver.cassettes.parts import body_of, status, with_kind


def from_llm_vcr(item: Any) -> dict[str, Any]:
    """Read one interaction of pytest-llm-vcr, which stores the events of a stream."""
    headers = item.get("response_headers") or {}
    answer = _answer(item.get("response_body"))
    if item.get("streaming"):
        answer = _answer("".join(item["chunks"]))
    return {
        "request": {
            "method": item["method"],
            "uri": item["url"],
            "headers": item.get("request_headers") or {},
            **body_of(item.get("request_body")),
        },
        "response": {
            "status": status(item["status_code"], None),
            "headers": with_kind(headers, answer.get("body")),
            **answer,
        },
    }


def from_llm_recorder(item: Any) -> dict[str, Any]:
    """Read one of Mastra's recordings, which has the chunks as they came and the waits."""
    request, response = item["request"], item["response"]
    answer = _answer(response.get("body"))
    if "chunks" in response:
        answer = _chunked(response["chunks"], response.get("chunkTimings") or [])
    return {
        "recorded_at": _moment(request.get("timestamp")),
        "request": {
            "method": request["method"],
            "uri": request["url"],
            "headers": request.get("headers") or {},
            **body_of(request.get("body")),
        },
        "response": {
            "status": status(response["status"], response.get("statusText")),
            "headers": response["headers"],
            **answer,
        },
    }


def _chunked(chunks: list[str], waits: list[Any]) -> dict[str, Any]:
    """Return the bytes of a stream with the chunks as they came; ``waits`` are between them.

    Half a character at the end of a chunk is in the next one, so a chunk may be empty.
    """
    sent = [chunk.encode() for chunk in chunks]
    if len(waits) != len(chunks):
        return _answer(b"".join(sent))
    times = list(accumulate(waits))
    wire = {
        "v": 1,
        "chunks": [[at, len(data)] for at, data in zip(times, sent, strict=True) if data],
        "end": [times[-1] if times else 0, "eof"],
    }
    return {**_answer(b"".join(sent)), "wire": wire}


def _answer(data: Any) -> dict[str, Any]:
    """Return the body of an answer in vcrpy's words."""
    found = body_of(data)
    return {"body": {"string": found["body"]}} if "body" in found else found


def _moment(ms: Any) -> datetime | None:
    """Return the time of milliseconds since 1970."""
    known = isinstance(ms, int) and 0 <= ms < 1e14
    return datetime.fromtimestamp(ms / 1000, UTC) if known else None
