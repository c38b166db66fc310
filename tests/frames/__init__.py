"""Frames of AWS event streams as lines of text, for the cassettes of authors.

A body of frames is base64, which nobody can review. Above it stands a comment with a line for each
frame, and the base64 is made of it by ``python -m tests.frames``:

    # event messageStart {"p":"abc","role":"assistant"}
    # exception throttlingException {"message":"Too many requests"}
    # error InternalError Something went wrong
    # headers {":message-type":"event",":event-type":"messageStop"} {"stopReason":"end_turn"}
    # hex 000102

``flip N:`` before a line changes byte N of its frame, ``cut N:`` keeps the bytes before N; a
negative N counts from the end.
"""

from __future__ import annotations

import base64
import json
import re
import textwrap

from mockserver.wire.eventstream import Header, Kind, encode

_LINE = r"(?:(?:flip|cut) -?\d+: )?(?:event|exception|error|headers|hex) .*"
#: The comment of a body, and its base64.
_BODY = re.compile(
    rf"(?P<lines>(?:^ +\# {_LINE}\n)+)(?P<indent>^ +)string: !!binary \|\n(?:^(?P=indent) +\S+\n)*",
    re.M,
)
_CHANGE = re.compile(r"(?:(flip|cut) (-?\d+): )?(\w+) (.*)", re.S)
_WIDTH = 96


def with_bodies(text: str) -> str:
    """Return the text of a cassette with the bodies that its comments say."""
    return _BODY.sub(_body, text)


def bodies(text: str) -> int:
    """Return how many bodies of a cassette have such a comment."""
    return len(_BODY.findall(text))


def frame_of(line: str) -> bytes:
    """Return the bytes that a line says. Raises ``ValueError`` for any other line."""
    found = _CHANGE.fullmatch(line)
    if found is None:
        raise ValueError(f"no frame: {line!r:.60}")
    change, at, kind, rest = found.groups()
    data = bytearray(_made(kind, rest))
    if change == "flip":
        data[int(at)] ^= 0xFF
    elif change == "cut":
        del data[int(at) :]
    return bytes(data)


def _body(found: re.Match[str]) -> str:
    lines = (line.strip().removeprefix("# ") for line in found["lines"].splitlines())
    encoded = base64.b64encode(b"".join(map(frame_of, lines))).decode()
    indent = found["indent"]
    wrapped = "".join(f"{indent}  {part}\n" for part in textwrap.wrap(encoded, _WIDTH))
    return f"{found['lines']}{indent}string: !!binary |\n{wrapped}"


def _made(kind: str, rest: str) -> bytes:
    name, _, text = rest.partition(" ")
    typed = (":content-type", "application/json")
    match kind:
        case "event":
            return _encoded(((":event-type", name), typed, (":message-type", "event")), text)
        case "exception":
            return _encoded(
                ((":exception-type", name), typed, (":message-type", "exception")), text
            )
        case "error":
            return _encoded(
                ((":message-type", "error"), (":error-code", name), (":error-message", text)), ""
            )
        case "headers":
            headers, end = json.JSONDecoder().raw_decode(rest)
            return _encoded(tuple(headers.items()), rest[end:].lstrip())
        case "hex":
            return bytes.fromhex(rest)
    raise ValueError(f"no kind of frame: {kind!r:.60}")


def _encoded(headers: tuple[tuple[str, object], ...], payload: str) -> bytes:
    return encode((_header(*header) for header in headers), payload.encode())


def _header(name: str, value: object) -> Header:
    match value:
        case bool():
            return Header(name, value, Kind.TRUE if value else Kind.FALSE)
        case int():
            return Header(name, value, Kind.LONG)
        case str():
            return Header(name, value)
    raise ValueError(f"no header value: {value!r:.60}")
