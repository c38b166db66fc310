"""Cassettes: recorded HTTP interactions in vcrpy's YAML schema, version 1.

``response.wire`` has what vcrpy has no field for: how the body travelled. It is the only
mapping where plain vcrpy, its re-save and pytest-recording all keep extra keys. Files
without it (plain vcrpy, pydantic-ai's with ``parsed_body``) load just as well. This module
has the types and reads them; ``writer`` writes them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mockserver.cassettes import long_lists, yaml_reader
from mockserver.cassettes.yaml_reader import KeyPath
from mockserver.errors import CassetteError

Headers = tuple[tuple[str, str], ...]


class End(StrEnum):
    """How a recorded response body ended."""

    EOF = "eof"
    TRUNCATED = "truncated"
    RESET = "reset"
    TIMEOUT = "timeout"
    CLIENT_CLOSED = "client_closed"


class Origin(StrEnum):
    """Where a cassette's bytes come from."""

    RECORDED = "recorded"
    AUTHORED = "authored"
    IMPORTED = "imported"
    CONVERTED = "converted"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a body as it arrived: milliseconds after the request, and its length."""

    at_ms: float
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How a response travelled. ``chunks`` is ``None`` where only the body is known.

    ``recorded`` says when, by what and how; ``redacted`` lists what was replaced.
    """

    headers_ms: float = 0.0
    chunks: tuple[Chunk, ...] | None = None
    end_ms: float | None = None
    end: End = End.EOF
    origin: Origin = Origin.IMPORTED
    http: str | None = None
    recorded: Mapping[str, Any] = field(default_factory=dict)
    redacted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A recorded request. ``body`` is what was sent, decoded from any form that the file has."""

    method: str
    uri: str
    headers: Headers = ()
    body: bytes = b""

    @property
    def url(self) -> SplitResult:
        """The parts of ``uri``."""
        return urlsplit(self.uri)


def header_value(headers: Headers, name: str) -> str | None:
    """Return the value of the first header of that name, in any case."""
    return next((v for n, v in headers if n.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A recorded response; ``body`` is the bytes on the wire, still compressed if they were."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    wire: Wire = Wire()

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case."""
        return header_value(self.headers, name)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request with its response."""

    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class Cassette:
    """A cassette file: its path and its interactions in recorded order.

    ``left_out`` says which interactions of the file cannot be used, and why.
    """

    path: Path
    interactions: tuple[Interaction, ...]
    left_out: tuple[CassetteError, ...] = field(default=(), compare=False)


_WIRE_KEYS = frozenset(
    {"v", "http", "headers_ms", "chunks", "end", "origin", "recorded", "redacted"}
)

#: What a method is made of (RFC 9110, section 5.6.2).
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
#: About three years; no wait of a recording is longer.
_LONGEST_MS = 1e11


def load(path: Path) -> Cassette:
    """Read one cassette file.

    Raises :class:`CassetteError` with file, line and hint for a file that is missing, is not
    UTF-8 YAML, lacks a required key, or whose chunk lengths do not add up to the body.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise CassetteError(path, "no such cassette", hint="check the path") from None
    except OSError as exc:
        raise CassetteError(path, f"cannot be read: {exc.strerror}") from exc
    return parse(text, path)


def parse(text: bytes, path: Path) -> Cassette:
    """Read a cassette from YAML ``text``; ``path`` is for error messages only."""
    document = long_lists.read(text, _Loader) or read_yaml(text, path)
    data = document.data
    reader = Reader(document.line_of, path)
    items = reader.items(data, "interactions")
    if data.get("version", 1) != 1:
        raise reader.error(
            ("version",),
            f"version {data['version']!r} of this format is not supported",
            "this tapecheck reads version 1",
        )
    return Cassette(path, tuple(reader.interaction(item, at) for at, item in items))


class _Loader(yaml_reader.Loader):
    """Knows the tags that recorders write without being asked.

    Ruby gives one to bytes; PyYAML to the texts of aiohttp's headers (``multidict.istr``) and to
    tuples.
    """

    def _bytes(self, node: Any) -> Any:
        # PyYAML copies the text; a recorded file may be large.
        try:
            return binascii.a2b_base64(self.construct_scalar(node))
        except ValueError:
            return self.construct_yaml_binary(node)

    def _text(self, _suffix: str, node: Any) -> Any:
        found = self.construct_object(node, deep=True) if node.id == "scalar" else None
        if node.id == "sequence":
            found = self.construct_sequence(node, deep=True)
        elif node.id == "mapping":
            found = self.construct_mapping(node, deep=True).get("args", [""])
        text = found[0] if isinstance(found, list) and found else found
        if not isinstance(text, str):
            raise yaml_reader.YamlError(f"a text of aiohttp without text: {text!r:.60}")
        return text


for _tag in ("!binary", "tag:yaml.org,2002:binary"):
    _Loader.add_constructor(_tag, _Loader._bytes)
_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _Loader.construct_yaml_seq)  # type: ignore[type-var]
for _tag in ("str", "unicode"):
    _Loader.add_constructor(f"tag:yaml.org,2002:python/{_tag}", _Loader.construct_yaml_str)  # type: ignore[type-var]
for _how in ("apply", "new"):
    for _module in ("multidict", "multidict._multidict", "multidict._multidict_py"):
        _Loader.add_multi_constructor(
            f"tag:yaml.org,2002:python/object/{_how}:{_module}.istr", _Loader._text
        )


def read_yaml(text: bytes, path: Path) -> yaml_reader.YamlDocument:
    """Read the YAML of a cassette. Raises :class:`CassetteError`."""
    try:
        return yaml_reader.read(text, _Loader)
    except yaml_reader.YamlError as exc:
        raise CassetteError(path, exc.message, line=exc.line, hint=exc.hint) from None


class Reader:
    """Reads the parsed data; errors name the line of the wrong value."""

    def __init__(self, line_of: Callable[[KeyPath], int], path: Path) -> None:
        self.line_of = line_of
        self.path = path

    def items(self, data: Any, key: str) -> list[tuple[KeyPath, Any]]:
        """Return the list under ``key``, each item with its path."""
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            raise self.error(
                (), f"not a cassette: no list under '{key}'", "see vcrpy's format, version 1"
            )
        return [((key, number), item) for number, item in enumerate(data[key])]

    def interaction(self, item: Any, at: KeyPath) -> Interaction:
        """Read one interaction. Raises :class:`CassetteError`."""
        data = self._mapping(item, at)
        return Interaction(self._request(data, at), self._response(data, at))

    def _request(self, item: dict[str, Any], at: KeyPath) -> Request:
        at = (*at, "request")
        data = self._mapping(item.get("request"), at)
        for key in ("method", "uri"):
            if not isinstance(data.get(key), str):
                raise self.error(at, f"a request needs '{key}'", "re-record it or add the key")
        if not _TOKEN.fullmatch(data["method"]):
            raise self.error((*at, "method"), "not an HTTP method", "fix the method")
        try:
            urlsplit(data["uri"])
        except ValueError as exc:
            raise self.error((*at, "uri"), f"not a URI: {exc}", "fix the URI") from None
        return Request(
            method=data["method"],
            uri=data["uri"],
            headers=self._headers(data.get("headers"), (*at, "headers")),
            body=self._body(data, at),
        )

    def _response(self, item: dict[str, Any], at: KeyPath) -> Response:
        at = (*at, "response")
        data = self._mapping(item.get("response"), at)
        if "status_code" in data and "status" not in data:
            # vcrpy before 6 wrote these for httpx.
            content = data.get("content")
            data = {**data, "status": data["status_code"], "body": {"string": content}}
        status = data.get("status")
        code = status.get("code") if isinstance(status, dict) else status
        if code == 0:
            raise self.error(
                (*at, "status"),
                "status 0: the request was never answered",
                "remove the interaction, or leave it out with 'tapecheck import'",
            )
        if not isinstance(code, int) or isinstance(code, bool) or not 100 <= code <= 999:
            raise self.error(
                at, "a response needs 'status.code' of three digits", "re-record it or add the key"
            )
        body = self._body(data, at)
        wire = Wire()
        if "wire" in data:
            wire = self._wire(self._mapping(data["wire"], (*at, "wire")), (*at, "wire"), len(body))
        reason = status.get("message") if isinstance(status, dict) else ""
        if any(c in str(reason or "") for c in "\r\n\0"):
            raise self.error(
                (*at, "status"), "the reason contains a line break or NUL", "remove it"
            )
        return Response(
            status=code,
            reason=str(reason or ""),
            headers=self._headers(data.get("headers"), (*at, "headers")),
            body=body,
            wire=wire,
        )

    def _headers(self, data: Any, at: KeyPath) -> Headers:
        pairs: list[tuple[str, str]] = []
        for name, values in self._mapping(data or {}, at).items():
            for value in values if isinstance(values, list) else [values]:
                text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                if any(c in text + str(name) for c in "\r\n\0"):
                    raise self.error(
                        (*at, name), f"header {name!r} contains a line break or NUL", "remove it"
                    )
                pairs.append((str(name), text))
        return tuple(pairs)

    def _body(self, data: dict[str, Any], at: KeyPath) -> bytes:
        if "parsed_body" in data:
            return self._json(data["parsed_body"], (*at, "parsed_body"))
        body = data.get("body")
        if isinstance(body, dict) and at[-1] == "response":
            if "base64_string" in body:
                try:
                    return base64.b64decode(body["base64_string"])
                except (TypeError, ValueError) as exc:
                    raise self.error((*at, "body"), f"not base64: {exc}", "re-record it") from None
            body = body.get("string")
        if body is None:
            return b""
        if isinstance(body, bytes):
            return body
        if isinstance(body, str):
            return body.encode()
        if at[-1] == "request":
            # vcrpy records what aiohttp was given as ``json=``, not the bytes it sent.
            return self._json(body, (*at, "body"))
        raise self.error((*at, "body"), "the body is neither text nor !!binary", "quote it")

    def _json(self, data: Any, at: KeyPath) -> bytes:
        try:
            return json.dumps(data, ensure_ascii=False).encode()
        except (TypeError, ValueError):
            # YAML knows dates and bytes, and JSON with surrogate escapes may have half a pair.
            raise self.error(at, "cannot be encoded as JSON", "quote dates, remove bytes") from None

    def _wire(self, data: dict[str, Any], at: KeyPath, length: int) -> Wire:
        for key in data:
            if key not in _WIRE_KEYS:
                raise self.error(
                    (*at, key),
                    f"unknown key '{key}' under wire",
                    f"known keys: {', '.join(sorted(_WIRE_KEYS))}",
                )
        if data.get("v") != 1:
            raise self.error((*at, "v"), "wire.v must be 1", "this tapecheck reads version 1")
        end_ms, end = None, End.EOF
        if "end" in data:
            match data["end"]:
                case [int() | float() as ms, str() as how] if how in set(End) and _is_time(ms):
                    end_ms, end = float(ms), End(how)
                case _:
                    raise self.error(
                        (*at, "end"),
                        "wire.end must be [milliseconds, how]",
                        f"how is one of {', '.join(End)}",
                    )
        origin = data.get("origin", Origin.IMPORTED)
        if not isinstance(origin, str) or origin not in set(Origin):
            raise self.error(
                (*at, "origin"),
                f"unknown origin {origin!r}",
                f"use one of {', '.join(Origin)}",
            )
        headers_ms = data.get("headers_ms", 0)
        if not _is_time(headers_ms):
            raise self.error(
                (*at, "headers_ms"), "headers_ms must be a number", "give milliseconds from 0 on"
            )
        redacted = data.get("redacted") or ()
        if not isinstance(redacted, list | tuple) or not all(isinstance(r, str) for r in redacted):
            raise self.error((*at, "redacted"), "redacted must list texts", "re-record it")
        http = data.get("http")
        if not isinstance(http, str | None):
            raise self.error((*at, "http"), "http must be text", "re-record it or remove the key")
        return Wire(
            headers_ms=float(headers_ms),
            chunks=self._chunks(data["chunks"], (*at, "chunks"), length)
            if data.get("chunks") is not None
            else None,
            end_ms=end_ms,
            end=end,
            origin=Origin(origin),
            http=http,
            recorded=self._mapping(data.get("recorded") or {}, (*at, "recorded")),
            redacted=tuple(redacted),
        )

    def _chunks(self, data: Any, at: KeyPath, length: int) -> tuple[Chunk, ...]:
        if not isinstance(data, list):
            raise self.error(at, "wire.chunks must list [ms, bytes]", "see README, Cassettes")
        chunks = []
        for i, pair in enumerate(data):
            match pair:
                case [int() | float() as ms, int() as size] if size > 0 and _is_time(ms):
                    chunks.append(Chunk(float(ms), size))
                case _:
                    raise self.error(
                        (*at, i),
                        f"chunk {i} is not [ms, bytes] with bytes above 0",
                        "run 'tapecheck verify --rechunk' to re-chunk the body",
                    )
            if i and chunks[i].at_ms < chunks[i - 1].at_ms:
                raise self.error(
                    (*at, i), f"chunk {i} is earlier than chunk {i - 1}", "sort by time"
                )
        total = sum(c.length for c in chunks)
        if total != length:
            raise self.error(
                at,
                f"chunks add up to {total} bytes, the body has {length}",
                "run 'tapecheck verify --rechunk' to re-chunk the body",
            )
        return tuple(chunks)

    def _mapping(self, data: Any, at: KeyPath) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise self.error(at, f"'{at[-1]}' is not a mapping", "see vcrpy's format, version 1")
        return data

    def error(self, at: KeyPath, message: str, hint: str) -> CassetteError:
        """Return the error to raise for the value at that path."""
        return CassetteError(self.path, message, line=self.line_of(at), hint=hint)


def _is_time(value: object) -> bool:
    """Return whether a value is a number of milliseconds that a schedule can keep."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONGEST_MS
    )
