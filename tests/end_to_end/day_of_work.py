"""A provider with a login, files, jobs and two streaming APIs; and a test that uses them all.

The two SDKs are those of OpenAI and Anthropic.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from tests.mockserver.live import stream

#: What the environment has, and what a login gives: all of it secret.
KEY = "sk-proj-Zq81kLmP0aVx7TnB3cYd5eHfJ2gWu9RsKi4oQz"
CLAUDE_KEY = "sk-ant-api03-hT5rXw2Qm8Lp0Zc7VbN4yKd1GfJ6sUa9Ei3oRtWqPAAA"
CLIENT_SECRET = "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"
ACCESS_TOKEN = "ya29.a0AfH6SMBx7Qd2Lm9Zt4Vb8Nc1Kd6Jf3Ps5RwTq0Yu"
REFRESH_TOKEN = "1//0gx7Qd2Lm9Zt4Vb8Nc1Kd6Jf3Ps5RwTq0YuXc2"
COOKIE = "c4f1b2a09d8e7f6a5b4c3d2e1f0a9b8c"
SECRETS = (KEY, CLAUDE_KEY, CLIENT_SECRET, ACCESS_TOKEN, REFRESH_TOKEN, COOKIE)

#: How often a job is asked for until it is done.
POLLS = 3

TEST = """
import io, os, uuid
import httpx, pytest
from anthropic import Anthropic
from openai import OpenAI

@pytest.mark.parametrize("number", range(2))
def test_a_day_of_work(tapecheck, number):
    login, mine, claude = tapecheck("login"), tapecheck("mine"), tapecheck("claude")
    secret = os.environ["APP"]
    form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": secret}
    token = httpx.post(f"{login.base_url}/oauth2/token", data=form).json()["access_token"]
    client = OpenAI(
        base_url=mine.base_url, api_key=mine.api_key, default_headers={"x-user-token": token}
    )
    file = client.files.create(file=("a.jsonl", io.BytesIO(b"{}" * number)), purpose="batch")
    job = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    for _ in range(9):
        if job.status == "completed":
            break
        job = client.batches.retrieve(job.id)
    assert job.status == "completed"
    asked = [{"role": "user", "content": f"{os.environ['WHO']} {number}"}]
    chunks = client.chat.completions.create(
        model="m",
        messages=asked,
        stream=True,
        extra_body={"trace": {"id": uuid.uuid4().hex}},
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == asked[0]["content"]
    other = Anthropic(base_url=claude.base_url, api_key=claude.api_key)
    with other.messages.stream(model="c", max_tokens=9, messages=asked) as answer:
        assert answer.get_final_text() == asked[0]["content"]
"""


def providers(url: str) -> str:
    """Return the providers file of a project that works with the provider at ``url``."""
    entries = {
        "login": {"base_url": url},
        "mine": {"base_url": f"{url}/v1", "key": "MINE_KEY"},
        "claude": {"base_url": url, "header": "x-api-key", "key": "CLAUDE_KEY"},
    }
    return json.dumps({"providers": entries})


class Provider:
    """Answers as the provider would; who is not known gets a 401."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._polls: Counter[str] = Counter()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        match request.method, request.path.split("/")[1:]:
            case "POST", ["oauth2", "token"]:
                return await self._token(request)
            case "POST", ["v1", "messages"]:
                known = request.headers.get("x-api-key") == CLAUDE_KEY
            case _:
                known = request.headers.get("authorization") == f"Bearer {KEY}"
        if not known:
            return web.json_response({"error": {"message": "who are you?"}}, status=401)
        match request.method, request.path.split("/")[2:]:
            case "POST", ["files"]:
                return self._made("file")
            case "POST", ["batches"]:
                return self._made("batch", status="validating")
            case "GET", ["batches", job]:
                self._polls[job] += 1
                done = self._polls[job] == POLLS
                return self._made("batch", id=job, status="completed" if done else "in_progress")
        text = json.loads(await request.text())["messages"][0]["content"]
        events = _chat(text) if request.path.endswith("completions") else _messages(text)
        return await stream(request, *events)

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form["client_secret"] != CLIENT_SECRET:
            return web.json_response({"error": "invalid_client"}, status=401)
        found = {"access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN, "expires_in": 3600}
        return web.json_response(found, headers={"set-cookie": f"session={COOKIE}; path=/"})

    def _made(self, kind: str, **fields: Any) -> web.Response:
        made = {"id": f"{kind}-{next(self._numbers)}", "object": kind, "created_at": 1, **fields}
        return web.json_response(made)


def _chat(text: str) -> Iterator[bytes]:
    for piece in (text[:2], text[2:], None):
        delta = {} if piece is None else {"content": piece}
        choice = {"index": 0, "delta": delta, "finish_reason": "stop" if piece is None else None}
        yield b"data: %b\n\n" % json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode()
    yield b"data: [DONE]\n\n"


def _messages(text: str) -> Iterator[bytes]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": []}
    for kind, fields in (
        ("message_start", {"message": {**message, "stop_reason": None, "usage": usage}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": usage}),
        ("message_stop", {}),
    ):
        data = json.dumps({"type": kind, **fields})
        yield f"event: {kind}\ndata: {data}\n\n".encode()
