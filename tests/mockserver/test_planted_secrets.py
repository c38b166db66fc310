"""Two hundred secrets in all the places where one has been seen to leak; none leaves a trace."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote_plus

import httpx
import pytest
from aiohttp import web

from mockserver import store
from mockserver.errors import RecordingError
from mockserver.recorder import Recorder
from tests.mockserver.live import KEY, Live, stream

#: The key that the recorder itself sends, and credentials of every kind that it has never seen.
SECRETS = {
    "the key itself": KEY,
    "an OpenAI key": "sk-proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1Ag6Hj2Kl0P",
    "an Anthropic key": "sk-ant-api03-Zk3v9QmT1xLw7RbNc8Vd5Ye1Ag6Hj2Kl0P",
    "a Google key": "AIzaSyD4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1abcdef",
    "an AWS key": "AKIAQ7XM2LW9RB3NC8VD",
    "a Google token": "ya29.a0AfH6SMBx7Qm2Lw9Rb3Nc8Vd5",
    "a token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dozjgNryP4J3jVmNHl0w5N",
    "a private key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\nw0BAQ==\n"
    "-----END PRIVATE KEY-----",
}
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "percent": lambda s: quote(s, safe=""),
    "escapes": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "gzip+base64": lambda s: base64.b64encode(gzip.compress(s.encode())).decode(),
    "nested": lambda s: base64.b64encode(f'{{"k": "{quote(s, safe="")}"}}'.encode()).decode(),
}


@dataclass
class Plan:
    """What the client sends and the live endpoint answers in one case."""

    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    status: int = 200
    reason: str | None = None
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"{}"
    pieces: tuple[bytes, ...] = ()


def chat(text: str) -> bytes:
    event = {"choices": [{"index": 0, "delta": {"content": text}}]}
    return f"data: {json.dumps(event)}\n\n".encode()


def quoted(text: str) -> bytes:
    """JSON with ``text`` inside; what is escaped already stays as it is."""
    inner = text if text.startswith("\\u") else json.dumps(text)[1:-1]
    return f'{{"error": {{"message": "wrong: {inner}"}}}}'.encode()


def coded(name: str, compress: Callable[[bytes], bytes], text: str) -> Plan:
    return Plan(answer=compress(quoted(text)), answer_headers={"content-encoding": name})


def halves(text: str) -> tuple[bytes, ...]:
    middle = len(text) // 2
    return chat("It is "), chat(text[:middle]), chat(text[middle:]), b"data: [DONE]\n\n"


def one_line(text: str) -> str:
    return text.replace("\n", " ")


PLACES: dict[str, Callable[[str], Plan]] = {
    "request header": lambda s: Plan(headers={"x-invented": one_line(s)}),
    "credential header": lambda s: Plan(headers={"xi-api-key": one_line(s)}),
    "bearer": lambda s: Plan(headers={"authorization": f"Bearer {one_line(s)}"}),
    "cookie": lambda s: Plan(headers={"cookie": f"sid={quote(s)}"}),
    "kept header": lambda s: Plan(headers={"accept": one_line(s)}),
    "account header": lambda s: Plan(headers={"openai-organization": one_line(s)}),
    "query by name": lambda s: Plan(query=f"?alt=sse&key={quote(s, safe='')}"),
    "query": lambda s: Plan(query=f"?note={quote(s, safe='')}"),
    "request body": lambda s: Plan(
        body=json.dumps({"messages": [{"content": f"is {s}?"}]}).encode()
    ),
    "user field": lambda s: Plan(body=json.dumps({"user": s, "metadata": {"k": s}}).encode()),
    "set-cookie": lambda s: Plan(answer_headers={"set-cookie": f"sid={quote(s)}; Path=/"}),
    "answer header": lambda s: Plan(answer_headers={"retry-after": one_line(s)}),
    "reason": lambda s: Plan(status=400, reason=f"Bad key {one_line(s)}"),
    "error text": lambda s: Plan(status=401, answer=quoted(s)),
    "server error": lambda s: Plan(status=500, answer=f"<html>{s}</html>".encode()),
    "delta": lambda s: Plan(pieces=(chat("a"), chat(f"It is {s}"), b"data: [DONE]\n\n")),
    "cut chunk": lambda s: Plan(pieces=(chat(s)[:50], chat(s)[50:], b"data: [DONE]\n\n")),
    "two deltas": lambda s: Plan(pieces=halves(s)),
    "many deltas": lambda s: Plan(pieces=tuple(chat(c) for c in s)),
    "gzip": lambda s: coded("gzip", gzip.compress, s),
    "deflate": lambda s: coded("deflate", zlib.compress, s),
    "comment": lambda s: Plan(pieces=(f": {one_line(s)}\n\n".encode(), chat("a"))),
    "echo": lambda s: Plan(headers={"x-trace-token": one_line(s)}, answer=quoted(one_line(s))),
}
CASES = [
    *((place, "plain", secret) for place in PLACES for secret in SECRETS),
    *(
        (place, encoding, secret)
        for place in ("error text", "delta")
        for encoding in ENCODINGS
        for secret in SECRETS
        if encoding != "plain" and not (place == "delta" and encoding == "escapes")
    ),
]


def test_there_are_two_hundred() -> None:
    assert len(CASES) >= 200
    assert len(set(CASES)) == len(CASES)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan()


@pytest.fixture(scope="module")
def live(plan: Plan) -> Iterator[Live]:
    async def answer(request: web.Request) -> web.StreamResponse:
        if plan.pieces:
            return await stream(request, *plan.pieces)
        return web.Response(
            status=plan.status,
            reason=plan.reason,
            body=plan.answer,
            headers=plan.answer_headers,
            content_type="application/json",
        )

    with Live(answer) as running:
        yield running


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder(environment={"LIVE_KEY": KEY}) as running:
        yield running


@pytest.mark.parametrize(("place", "encoding", "secret"), CASES)
def test_no_secret_leaves_a_trace(
    place: str,
    encoding: str,
    secret: str,
    plan: Plan,
    live: Live,
    recorder: Recorder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    value = SECRETS[secret]
    planted = PLACES[place](ENCODINGS[encoding](value))
    vars(plan).update(vars(planted))
    said = ""
    with recorder.tape(tmp_path / "tape.yaml", [live.provider()]) as tape:
        # A plain socket: what a client of the test's own logs is not the recorder's doing.
        _send(f"{tape.base_url}/chat/completions{plan.query}", plan)
        try:
            said += repr(tape.finish())
        except RecordingError as refused:
            said += str(refused)
    said += caplog.text + "".join(capfd.readouterr())
    kept = [text for file in tmp_path.iterdir() for text in _readings(file)]
    for text in (said, *kept, *map(one_line, kept)):
        assert value not in text
        assert one_line(value) not in text
        assert ENCODINGS[encoding](value) not in text


def _send(url: str, plan: Plan) -> None:
    parts = httpx.URL(url)
    with httpx.HTTPTransport() as transport:
        request = httpx.Request("POST", parts, headers=plan.headers, content=plan.body)
        response = transport.handle_request(request)
        list(response.iter_raw())
        response.close()


def _readings(file: Path) -> Iterator[str]:
    """Everything that a file can be read as."""
    text = file.read_text(encoding="utf-8")
    yield text
    for interaction in store.load(file).interactions:
        for body in (interaction.request.body, interaction.response.body):
            for plain in (body, _opened(body)):
                shown = plain.decode("utf-8", "replace")
                yield shown
                yield unquote_plus(shown)
                yield re.sub(r"\\u(....)", lambda m: chr(int(m[1], 16)), shown)
                yield "".join(re.findall(r'"content": "([^"]*)"', shown))
                for run in re.findall(r"[A-Za-z0-9+/]{16,}", shown):
                    for start in range(4):
                        usable = run[start:]
                        usable = usable[: len(usable) - len(usable) % 4]
                        decoded = base64.b64decode(usable)
                        yield unquote_plus(decoded.decode("utf-8", "replace"))
                        yield _opened(decoded).decode("utf-8", "replace")


def _opened(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(data)
    except zlib.error:
        return data
