"""The body of a request as a value, so that it is compared by meaning: JSON, forms, multipart."""

from __future__ import annotations

import email.message
import email.parser
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl

from mockserver.cassettes.cassette import Request, header_value

#: What a body that is bytes, or a field that is not there, has in place of a value.
ABSENT = object()

#: Longer bodies are no forms.
_LONGEST_FORM = 1 << 20
_FORM = re.compile(rb"[\w.%+\-\[\]*~:]+=[^&\s]*(?:&[\w.%+\-\[\]*~:]+=[^&\s]*)*")
#: A delimiter line (RFC 2046, section 5.1.1).
_DELIMITER = re.compile(rb"--[\w'()+,\-./:=? ]{1,70}(?=[ \t]*\r\n)")
#: The boundary of stored bodies: clients make a new one for each request.
BOUNDARY = "tapecheck-boundary"


def value_of(body: bytes) -> Any:
    """Return the value of a body, or :data:`ABSENT` if it is no JSON, form or multipart.

    A form and a multipart body are objects: each name has its value, or the list of its values.
    """
    try:
        return json.loads(body, parse_float=_number)
    except (ValueError, RecursionError):
        pass
    if len(body) <= _LONGEST_FORM and _FORM.fullmatch(body):
        return _by_name(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
    parts = _parts(body)
    return ABSENT if parts is None else _by_name(map(_field, parts))


def canonical(data: Any) -> bytes:
    """Return one text for all ways to write a value."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def with_fixed_boundary(request: Request) -> Request:
    """Return a multipart request with the boundary that is the same in every recording."""
    delimiter = _delimiter(request.body)
    if delimiter is None or BOUNDARY.encode() in request.body:
        return request
    old = delimiter[2:].decode("latin-1")
    kind = header_value(request.headers, "content-type") or ""
    if old not in kind or not kind.lower().startswith("multipart/"):
        return request
    new = b"--" + BOUNDARY.encode()
    body = new + request.body[len(delimiter) :].replace(b"\r\n" + delimiter, b"\r\n" + new)
    headers = tuple(
        (n, v.replace(old, BOUNDARY) if n.lower() == "content-type" else v)
        for n, v in request.headers
    )
    return replace(request, headers=headers, body=body)


def _number(text: str) -> float | int:
    # 1.0 and 1 are one number in JSON (RFC 8785, section 3.2.2.3); clients write either.
    value = float(text)
    return int(value) if value.is_integer() else value


def _by_name(pairs: Iterator[tuple[str, Any]] | list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


#: Two hyphens and the blank lines that may follow a multipart body.
_LONGEST_END = 1024


def _delimiter(body: bytes) -> bytes | None:
    """Return the delimiter of a multipart body, which begins and ends with it."""
    match = _DELIMITER.match(body)
    if match is None:
        return None
    # The end alone: the body may be large.
    end = body[-len(match[0]) - _LONGEST_END :].rstrip(b"\r\n \t")
    if not end.endswith(match[0] + b"--"):
        return None
    return match[0]


def _parts(body: bytes) -> list[tuple[email.message.Message, bytes]] | None:
    delimiter = _delimiter(body)
    if delimiter is None:
        return None
    found = []
    _, *parts = (b"\r\n" + body).split(b"\r\n" + delimiter)
    for part in parts[:-1]:
        head, _, content = part.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        parsed = email.parser.BytesHeaderParser().parsebytes(head + b"\r\n\r\n")
        found.append((parsed, content))
    return found


def _field(part: tuple[email.message.Message, bytes]) -> tuple[str, Any]:
    headers, content = part
    name = headers.get_param("name", "", header="content-disposition")
    file = headers.get_filename()
    try:
        value: Any = content.decode()
    except UnicodeDecodeError:
        digest = blake2b(content, digest_size=16).hexdigest()
        value = f"{len(content)} bytes with the digest {digest}"
    if file is not None:
        value = {"filename": file, "type": headers.get_content_type(), "content": value}
    return name if isinstance(name, str) else name[2], value
