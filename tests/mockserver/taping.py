"""Requests and answers for tests of the recorder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from mockserver.recording.recorder import TapeHandle
from tests.mockserver.live import KEY, stream

ENVIRONMENT = {"LIVE_KEY": KEY}
CHAT = "/chat/completions"


def event(text: str, run: int = 1) -> bytes:
    chunk = {
        "id": f"chatcmpl-{run}",
        "object": "chat.completion.chunk",
        "created": run,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
    }
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


async def hello(request: web.Request) -> web.StreamResponse:
    return await stream(request, event("Hi "), event("you"), DONE)


def ask(client: httpx.Client, tape: TapeHandle, text: str = "hi", **more: Any) -> httpx.Response:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
    headers = {"authorization": f"Bearer {tape.api_key}"}
    return client.post(tape.base_url + CHAT, json=body, headers=headers, **more)


def nothing_left(path: Path) -> bool:
    return not path.parent.exists() or list(path.parent.iterdir()) == []
