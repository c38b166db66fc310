"""A thousand planted secrets: shapes and names, in places, in encodings, drawn by chance."""

from __future__ import annotations

import base64
import gzip
import html
import json
import random
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import brotli
import zstandard

from mockserver.errors import CassetteError
from mockserver.library import library
from mockserver.wire.content_coding import decompress, encoding_of
from tests.mockserver.secrets.planted import Plan, call, chat, coded, quoted, typed

_HERE = Path(__file__).parent
_DRAWN = re.compile(r"\{(\d+) ([^}]*)\}")
_RANGE = re.compile(r"(.)-(.)|(.)")


def rows(name: str) -> list[str]:
    """Return the lines of a data file, without comments."""
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in lines if line and not line.startswith("# ")]


def drawn(form: str, chance: random.Random) -> tuple[str, str]:
    """Return a secret of a form, and the longest part of it that chance drew."""
    parts: list[str] = []

    def draw(match: re.Match[str]) -> str:
        characters = "".join(
            "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))) if m[1] else m[3]
            for m in _RANGE.finditer(match[2])
        )
        parts.append("".join(chance.choice(characters) for _ in range(int(match[1]))))
        return parts[-1]

    return _DRAWN.sub(draw, form), max(parts, key=len)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "base32": lambda s: base64.b32encode(s.encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "percent": lambda s: quote(s, safe=""),
    "every character in percent": lambda s: "".join(f"%{ord(c):02X}" for c in s),
    "HTML entities": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "HTML entities, hexadecimal": lambda s: "".join(f"&#x{ord(c):x};" for c in s),
    "JSON in JSON": lambda s: json.dumps({"k": s}),
    "gzip in base64": lambda s: base64.b64encode(gzip.compress(s.encode(), mtime=0)).decode(),
}
#: Of the encodings: how a whole JSON string is written, which no place can do by itself.
ESCAPED = "escapes"


def _request(text: str, field: str = "content") -> Plan:
    return Plan(body=json.dumps({"messages": [{"role": "user", field: text}]}).encode())


def _split(piece: Callable[[str], bytes], text: str, size: int = 6) -> Plan:
    return Plan(pieces=tuple(piece(text[i : i + size]) for i in range(0, len(text), size)))


def _comments(text: str) -> Plan:
    lines = text.replace("\n", " ")
    pieces = (f": {lines[i : i + 9]}\n\n".encode() for i in range(0, len(lines), 9))
    return Plan(pieces=(*pieces, chat("a")))


def _multipart(text: str, name: str = "note") -> Plan:
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n--b--\r\n'
    headers = {"content-type": "multipart/form-data; boundary=b"}
    return Plan(headers=headers, body=part.encode())


def _form(text: str, name: str = "note") -> Plan:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return Plan(headers=headers, body=f"a=1&{name}={quote(text, safe='')}&b=2".encode())


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


PLACES: dict[str, Callable[[str], Plan]] = {
    "message": lambda s: _request(f"it is {s} ok?"),
    "whole message": _request,
    "end of a sentence": lambda s: _request(f"Use {s}."),
    "quoted": lambda s: _request(f'Use "{s}", please'),
    "tool arguments": lambda s: _request(json.dumps({"q": s}), "arguments"),
    "form": _form,
    "multipart": _multipart,
    "path": lambda s: Plan(path=f"/keys/{quote(s, safe='')}"),
    "query": lambda s: Plan(query=f"?note={quote(s, safe='')}"),
    "kept header": lambda s: Plan(headers={"accept": s.replace("\n", " ")}),
    "error": lambda s: Plan(status=401, answer=quoted(s)),
    "page": lambda s: Plan(status=502, answer=f"<p>{html.escape(s)}</p>".encode()),
    "delta": lambda s: Plan(pieces=(chat("a "), chat(s), b"data: [DONE]\n\n")),
    "two deltas": lambda s: _split(chat, s, len(s) // 2 + 1),
    "deltas": lambda s: _split(chat, s),
    "arguments": lambda s: _split(call, s),
    "reasoning": lambda s: _split(lambda t: typed("content_block_delta", "thinking", t), s),
    "Responses": lambda s: _split(lambda t: typed("response.output_text.delta", "delta", t), s),
    "comments": _comments,
    "gzip": lambda s: coded("gzip", gzip.compress, s),
    "deflate": lambda s: coded("deflate", zlib.compress, s),
    "br": lambda s: coded("br", brotli.compress, s),
    "zstd": lambda s: coded("zstd", _zstd, s),
}
#: Places in which lines and blanks do not survive the encoding.
_PLAIN_ONLY = frozenset({"kept header", "comments"})


def _json(name: str, value: str) -> bytes:
    return json.dumps({"a": [{"b": {name: value, "client_id": "c"}}]}).encode()


NAMED_PLACES: dict[str, Callable[[str, str], Plan]] = {
    "JSON": lambda n, v: Plan(body=_json(n, v)),
    "JSON of an answer": lambda n, v: Plan(answer=_json(n, v)),
    "escaped JSON": lambda n, v: Plan(
        body=_json(n, "@").replace(b"@", "".join(f"\\u{ord(c):04x}" for c in v).encode())
    ),
    "event": lambda n, v: Plan(pieces=(b"data: " + _json(n, v) + b"\n\n", chat("a"))),
    "form": lambda n, v: _form(v, n),
    "multipart": lambda n, v: _multipart(v, n),
    "query": lambda n, v: Plan(query=f"?a=1&{n}={quote(v, safe='')}"),
    "header": lambda n, v: Plan(headers={f"x-{n.replace('_', '-')}": v}, answer=quoted(v)),
    "MCP header": lambda n, v: Plan(
        body=json.dumps({"tools": [{"type": "mcp", "headers": {"Authorization": v}}]}).encode()
    ),
    "packed JSON": lambda n, v: Plan(
        answer=gzip.compress(_json(n, v)), answer_headers={"content-encoding": "gzip"}
    ),
    "cookie": lambda n, v: Plan(headers={"cookie": f"sid={v}"}, answer=quoted(v)),
    "set-cookie": lambda n, v: Plan(answer_headers={"set-cookie": f"sid={v}"}, answer=quoted(v)),
    "Basic": lambda n, v: Plan(
        headers={"authorization": "Basic " + base64.b64encode(f"u:{v}".encode()).decode()},
        answer=quoted(v),
    ),
    "echo": lambda n, v: Plan(body=_json(n, v), answer=quoted(v)),
}
NAMES = (
    *("refresh_token", "access_token", "id_token", "client_secret", "api_key", "private_key"),
    *("OPENAI_API_KEY", "apiKey", "connection_string", "SecretAccessKey", "device_code"),
    *("code_verifier", "client_assertion", "password", "code", "assertion", "Authorization"),
)


@dataclass(frozen=True)
class Case:
    """One planted secret: what it is, where, how, and what would be a trace of it."""

    what: str
    place: str
    encoding: str
    plan: Plan
    marks: tuple[str, ...]

    @property
    def name(self) -> str:
        """The case, for people."""
        return f"{self.what} / {self.place} / {self.encoding}"


def cases(count: int, seed: int = 1) -> list[Case]:
    """Return so many cases; a third of them is known by name alone."""
    chance = random.Random(seed)
    shapes = [row.split("\t") for row in rows("vendor_shapes.tsv")]
    return [
        _named(chance) if number % 3 == 2 else _shaped(*shapes[number % len(shapes)], chance)
        for number in range(count)
    ]


def _shaped(what: str, form: str, chance: random.Random) -> Case:
    secret, part = drawn(form, chance)
    place = chance.choice(list(PLACES))
    encoding = "plain" if chance.random() < 0.5 else chance.choice(list(ENCODINGS))
    if place in _PLAIN_ONLY or (place in ("path", "query") and "\n" in secret):
        encoding = "plain"
    text = ENCODINGS[encoding](secret)
    marks = (*_windows(part), *_windows(text[len(text) // 2 :], 20))
    return Case(what, place, encoding, PLACES[place](text), marks)


def _named(chance: random.Random) -> Case:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
    value = "".join(chance.choice(letters) for _ in range(24))
    name, place = chance.choice(NAMES), chance.choice(list(NAMED_PLACES))
    return Case(name, place, "plain", NAMED_PLACES[place](name, value), _windows(value))


def _windows(text: str, size: int = 10) -> tuple[str, ...]:
    """Return parts of a text that would be traces of it."""
    if len(text) < size:
        return (text,) if len(text) > 7 else ()
    step = max(1, (len(text) - size) // 6)
    return tuple(text[i : i + size] for i in range(0, len(text) - size + 1, step))


_PIECES = re.compile(r'"(?:content|arguments|delta|thinking|text)": "([^"]*)"')
_COMMENT = re.compile(r"^: (.*)$", re.M)


def readings(file: Path) -> Iterator[str]:
    """Yield what can be read in a file: its text, and what a client makes of its bodies."""
    yield file.read_text(encoding="utf-8", errors="replace")
    if file.suffix != ".yaml":
        return
    try:
        found = library.load(file).interactions
    except CassetteError:
        return
    for interaction in found:
        for side in (interaction.request, interaction.response):
            plain = decompress(side.body, encoding_of(side.headers)).decode("utf-8", "replace")
            yield plain
            yield re.sub(r"\\u(....)", lambda m: chr(int(m[1], 16)), plain)
            yield html.unescape(plain)
            yield "".join(_PIECES.findall(plain))
            yield "".join(_COMMENT.findall(plain))


def traces(texts: list[str], found: list[Case]) -> list[str]:
    """Return the names of the cases of which something is left."""
    whole = "\0".join(texts)
    return [case.name for case in found if any(mark in whole for mark in case.marks)]
