"""Secrets, the places in which one has been seen to leak, and what is left of them."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote_plus

import brotli
import zstandard
from aiohttp import web

from mockserver.library import library
from tests.mockserver.live import KEY, stream

#: The key that the recorder itself sends, and credentials of every kind that it has never seen,
#: each with the part of it that is chance.
SECRETS = {
    "the key itself": (KEY, "0123456789abcdef"),
    "an OpenAI key": ("sk-proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1Ag6Hj2Kl0P", "4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"),
    "an Anthropic key": (
        "sk-ant-api03-Zk3v9QmT1xLw7RbNc8Vd5Ye1Ag6Hj2Kl0P",
        "Zk3v9QmT1xLw7RbNc8Vd5Ye",
    ),
    "a Google key": ("AIzaSyD4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1abcdef", "D4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1abcde"),
    "an AWS key": ("AKIAQ7XM2LW9RB3NC8VD", "Q7XM2LW9RB3NC8VD"),
    "a Google token": ("ya29.a0AfH6SMBx7Qm2Lw9Rb3Nc8Vd5", "AfH6SMBx7Qm2Lw9Rb3Nc8Vd5"),
    "a token": (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dozjgNryP4J3jVmNHl0w5N",
        "dozjgNryP4J3jVmNHl0w5N",
    ),
    "a private key": (
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\nw0BAQ==\n-----END PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG",
    ),
}
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "percent": lambda s: quote(s, safe=""),
    "escapes": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "gzip+base64": lambda s: base64.b64encode(gzip.compress(s.encode(), mtime=0)).decode(),
    "nested": lambda s: base64.b64encode(f'{{"k": "{quote(s, safe="")}"}}'.encode()).decode(),
}


@dataclass
class Plan:
    """What the client sends and the live endpoint answers in one case."""

    path: str = ""
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
    """Return JSON with ``text`` inside; what is already escaped stays as it is."""
    inner = text if text.startswith("\\u") else json.dumps(text)[1:-1]
    return f'{{"error": {{"message": "wrong: {inner}"}}}}'.encode()


def coded(name: str, compress: Callable[[bytes], bytes], text: str) -> Plan:
    return Plan(answer=compress(quoted(text)), answer_headers={"content-encoding": name})


def halves(text: str) -> tuple[bytes, ...]:
    middle = len(text) // 2
    return chat("It is "), chat(text[:middle]), chat(text[middle:]), b"data: [DONE]\n\n"


def nearly_whole(text: str) -> tuple[bytes, ...]:
    """Split so that the first piece looks like a key of its own."""
    return chat(f"It is {text[:-8]}"), chat(text[-8:]), b"data: [DONE]\n\n"


def typed(kind: str, field: str, text: str) -> bytes:
    """Return an event of the Responses or the Messages API."""
    event = {"type": kind, "index": 0, "output_index": 0}
    event |= {field: text} if kind.startswith("response.") else {"delta": {field: text}}
    return f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode()


def in_pieces(piece: Callable[[str], bytes], text: str) -> Plan:
    """Split into pieces of the length of a model's tokens."""
    return Plan(pieces=tuple(piece(text[i : i + 5]) for i in range(0, len(text), 5)))


def call(text: str) -> bytes:
    function = {"arguments": text}
    event = {
        "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": function}]}}]
    }
    return f"data: {json.dumps(event)}\n\n".encode()


def gemini(text: str) -> bytes:
    event = {"candidates": [{"content": {"parts": [{"text": text}]}}]}
    return f"data: {json.dumps(event)}\n\n".encode()


def ollama(text: str) -> bytes:
    return json.dumps({"message": {"content": text}}).encode() + b"\n"


def in_two_members(data: bytes) -> bytes:
    return gzip.compress(data[:9]) + gzip.compress(data[9:])


def over_lines(text: str) -> Plan:
    event = chat(text).decode()
    middle = event.index(json.dumps(text)[1:-1]) + len(json.dumps(text)) // 2
    return Plan(pieces=(f"{event[:middle]}\ndata: {event[middle:]}".encode(),))


def packed_question(text: str) -> Plan:
    body = gzip.compress(json.dumps({"user": text, "messages": [{"content": text}]}).encode())
    return Plan(headers={"content-encoding": "gzip"}, body=body)


def one_line(text: str) -> str:
    return text.replace("\n", " ")


PLACES: dict[str, Callable[[str], Plan]] = {
    "request header": lambda s: Plan(headers={"x-invented": one_line(s)}),
    "credential header": lambda s: Plan(headers={"xi-api-key": one_line(s)}),
    "bearer": lambda s: Plan(headers={"authorization": f"Bearer {one_line(s)}"}),
    "cookie": lambda s: Plan(headers={"cookie": f"sid={quote(s)}"}),
    "kept header": lambda s: Plan(headers={"accept": one_line(s)}),
    "account header": lambda s: Plan(headers={"openai-organization": one_line(s)}),
    "path": lambda s: Plan(path=f"/keys/{quote(s, safe='')}"),
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
    "gzip in two members": lambda s: coded("gzip", in_two_members, s),
    "deflate": lambda s: coded("deflate", zlib.compress, s),
    "br": lambda s: coded("br", brotli.compress, s),
    "zstd": lambda s: coded("zstd", zstandard.ZstdCompressor().compress, s),
    "comment": lambda s: Plan(pieces=(f": {one_line(s)}\n\n".encode(), chat("a"))),
    "nearly whole": lambda s: Plan(pieces=nearly_whole(s)),
    "arguments": lambda s: in_pieces(call, json.dumps({"key": s})),
    "Responses": lambda s: in_pieces(lambda t: typed("response.output_text.delta", "delta", t), s),
    "Messages": lambda s: in_pieces(lambda t: typed("content_block_delta", "thinking", t), s),
    "Gemini": lambda s: in_pieces(gemini, s),
    "Ollama": lambda s: in_pieces(ollama, s),
    "data lines": over_lines,
    "packed question": packed_question,
    "base64 question": lambda s: Plan(body=quoted(base64.b64encode(s.encode()).decode())),
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


async def answer(request: web.Request, plan: Plan) -> web.StreamResponse:
    """Answer as the plan says."""
    if plan.pieces:
        return await stream(request, *plan.pieces)
    return web.Response(
        status=plan.status,
        reason=plan.reason,
        body=plan.answer,
        headers=plan.answer_headers,
        content_type="application/json",
    )


def planted(place: str, encoding: str, secret: str) -> Plan:
    """Return the plan of a case."""
    return PLACES[place](ENCODINGS[encoding](SECRETS[secret][0]))


def texts(directory: Path, output: str) -> list[tuple[str, str]]:
    """Return all files and output, with their places, in every way in which they can be read."""
    out = [("output", output)]
    for file in directory.rglob("*"):
        # Python's own cache has the test that plants them, and no recording.
        if file.is_file() and file.suffix != ".pyc":
            readings = _readings(file) if file.suffix == ".yaml" else [file.read_text()]
            out += [(str(file), text) for text in readings]
    return out


def traces(found: list[tuple[str, str]], secret: str, encoding: str) -> list[str]:
    """Return where anything is left of a secret."""
    value, chance = SECRETS[secret]
    runs = {chance[i : i + 8] for i in range(len(chance) - 7)} | {ENCODINGS[encoding](value)}
    return [place for place, text in found if any(run in text for run in runs)]


#: Fields that come in pieces.
_FIELDS = "content|arguments|delta|thinking|text"


def _readings(file: Path) -> Iterator[str]:
    """Return everything that a file can be read as."""
    text = file.read_text(encoding="utf-8")
    yield text
    for interaction in library.load(file).interactions:
        for body in (interaction.request.body, interaction.response.body):
            for plain in (body, _opened(body)):
                shown = plain.decode("utf-8", "replace")
                yield shown
                yield unquote_plus(shown)
                yield re.sub(r"\\u(....)", lambda m: chr(int(m[1], 16)), shown)
                yield shown.replace("\ndata: ", "")
                yield "".join(re.findall(rf'"(?:{_FIELDS})": "([^"]*)"', shown))
                for run in re.findall(r"[A-Za-z0-9+/]{16,}", shown):
                    for start in range(4):
                        usable = run[start:]
                        usable = usable[: len(usable) - len(usable) % 4]
                        decoded = base64.b64decode(usable)
                        yield unquote_plus(decoded.decode("utf-8", "replace"))
                        yield _opened(decoded).decode("utf-8", "replace")


def _opened(data: bytes) -> bytes:
    """Decompress ``data``, which may be in any coding."""
    for opened in (gzip.decompress, zlib.decompress, brotli.decompress, _zstd_opened):
        with suppress(OSError, EOFError, zlib.error, brotli.error, zstandard.ZstdError):
            return opened(data)
    return data


def _zstd_opened(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)
