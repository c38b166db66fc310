"""Reads recordings of other tools: vcrpy, pydantic-ai, Ruby VCR and HTTP archives.

Each interaction is read by itself, so that an unreadable one does not affect the others.
"""

from __future__ import annotations

import email.utils
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from mockserver.cassettes import addresses, flows, formats, har, yaml_reader
from mockserver.cassettes.cassette import Cassette, Interaction, Reader, read_yaml
from mockserver.cassettes.guesses import guess
from mockserver.cassettes.ruby import from_ruby
from mockserver.cassettes.yaml_reader import KeyPath
from mockserver.errors import CassetteError, NoRecordingError, UnparsableError

#: The keys of an interaction and of its sides that are read, or need no mention.
_KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset({"request", "response", "recorded_at"}),
    "request": frozenset({"method", "uri", "headers", "body", "parsed_body"}),
    "response": frozenset(
        {
            "status",
            "headers",
            "body",
            "parsed_body",
            "http_version",
            "adapter_metadata",
            "wire",
            "url",
        }
        # vcrpy before 6 wrote these for httpx.
        | {"status_code", "content"}
    ),
}
_AGAIN = "re-record it, or remove it from the file"
#: The most bytes that a compressed file may have in it.
LIMIT = 256 * 1024 * 1024
_GZIP = b"\x1f\x8b"
#: What separates the documents of a YAML stream.
_DOCUMENTS = re.compile(rb"^---(?:[ \t].*)?$", re.MULTILINE)
#: What the beginning of a recording in JSON or YAML has.
_MARKS = re.compile(
    rb"http_interactions|\"recordings\"\s*:|\"interactions\"|^interactions:|^requests:|\"entries\"|\"scope\"\s*:"
    rb"|\"mappings\"|^when:|\"request\"\s*:\s*\{",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class ForeignInteraction:
    """One interaction as the file has it, with all its headers.

    ``rebuilt`` are the bodies whose bytes the file does not have, only their JSON value;
    ``extra`` the keys that are not read; ``addressed`` says that its address is from its answer.
    """

    interaction: Interaction
    rebuilt: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    addressed: bool = False


class ForeignFile:
    """A file of another tool. ``items`` has an error for each interaction that cannot be read."""

    def __init__(
        self, reader: Reader, root: KeyPath, items: Iterator[ForeignInteraction | CassetteError]
    ) -> None:
        self._reader = reader
        self._root = root
        self.items = tuple(items)

    def error(self, number: int, message: str, hint: str) -> CassetteError:
        """Return the error that makes an interaction unusable."""
        return _error(self._reader, (*self._root, number), message, hint)


def read(text: bytes, path: Path) -> ForeignFile | None:
    """Read a recording; ``None`` for a file that is YAML or JSON, but no recording.

    ``path`` is for error messages; its file name is stored in ``wire.recorded``. Raises
    :class:`CassetteError` for a file that cannot be read at all.
    """
    text = _inflated(text, path)
    if flows.START.match(text):
        return _flows(text, path)
    try:
        data, reader = _parsed(text, path)
    except CassetteError as exc:
        raise UnparsableError(path, exc.message, line=exc.line, hint=exc.hint) from None
    if known := formats.recognize(data):
        source = {"by": known.by, "format": known.name}
        found = _interactions(reader, known.root, known.items, known.convert, source)
        return ForeignFile(reader, known.root, found)
    match data:
        case {"log": {"entries": list(items)}}:
            return ForeignFile(reader, ("log", "entries"), _archive(reader, items, data["log"]))
        case {"http_interactions": list(items)}:
            source = {"by": str(data.get("recorded_with") or "VCR"), "format": "Ruby VCR"}
            found = _interactions(reader, ("http_interactions",), items, from_ruby, source)
            return ForeignFile(reader, ("http_interactions",), found)
        case {"interactions": list(items)}:
            source = {"by": "vcrpy", "format": "vcrpy 1"}
            sides = [part for item in items for part in _sides(item)]
            if any("wire" in part for part in sides):
                raise reader.error((), "already a tapecheck cassette", "use it as it is")
            if any("parsed_body" in part for part in sides):
                source = {"by": "pydantic-ai", "format": "vcrpy 1 with parsed_body"}
            found = _interactions(reader, ("interactions",), items, _from_vcrpy, source)
            return ForeignFile(reader, ("interactions",), found)
        case [{"request": dict()}, *_]:
            raise reader.error(
                (),
                "recorded by vcrpy before 1.0",
                f"convert it in place with: python -m vcr.migration {path}",
            )
    if guessed := guess(data):
        message, hint = guessed
        raise NoRecordingError(path, message, line=reader.line_of(()), hint=hint)
    return None


def _parsed(text: bytes, path: Path) -> tuple[Any, Reader]:
    """Return the value of JSON or YAML; several documents are a list. Raises an error."""
    if text.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        data = har.json_data(text, path, "fix the JSON")
        # Lines are looked up as in YAML, which has no tabs and no surrogate escapes.
        searchable = re.sub(rb"\\u[0-9A-Fa-f]{4}", b"", text).replace(b"\t", b" ")
        return data, Reader(partial(yaml_reader.line_of, searchable), path)
    parts = _DOCUMENTS.split(text) if text.count(b"\nwhen:") else [text]
    documents = [read_yaml(part, path) for part in parts if part.strip(b"- \t\r\n")]
    if len(documents) == 1:
        return documents[0].data, Reader(documents[0].line_of, path)
    return [document.data for document in documents], Reader(lambda _: 1, path)


def load(text: bytes, path: Path) -> Cassette | None:
    """Read another tool's recording as it is; ``None`` for a file that is no recording.

    Interactions that cannot be used are left out. Raises :class:`CassetteError`.
    """
    found = read(text, path)
    if found is None:
        return None
    left_out = tuple(item for item in found.items if isinstance(item, CassetteError))
    taken = tuple(i.interaction for i in found.items if isinstance(i, ForeignInteraction))
    if left_out and not taken:
        raise left_out[0]
    return Cassette(path, taken, left_out)


def looks_like_one(start: bytes) -> bool:
    """Return whether a file that begins so may be a recording of another tool."""
    if start.startswith(_GZIP):
        start = zlib.decompressobj(31).decompress(start, 8 * len(start))
    return bool(flows.START.match(start) or _MARKS.search(start))


def _inflated(text: bytes, path: Path) -> bytes:
    if not text.startswith(_GZIP):
        return text
    decoder = zlib.decompressobj(31)
    try:
        plain = decoder.decompress(text, LIMIT)
    except zlib.error:
        plain = b""
    if not decoder.eof:
        raise CassetteError(path, "not gzip, damaged, or too large", hint="unpack it yourself")
    return plain


def _flows(text: bytes, path: Path) -> ForeignFile:
    reader = Reader(lambda _: 1, path)

    def found() -> Iterator[ForeignInteraction | CassetteError]:
        source = {"by": "mitmproxy", "format": "mitmproxy flows"}
        try:
            for number, item in enumerate(flows.read(text)):
                if isinstance(item, ValueError):
                    yield _error(reader, (number,), str(item), _AGAIN)
                else:
                    yield from _interactions(reader, (), [item], lambda i: i, source)
        except (ValueError, OverflowError) as exc:
            raise CassetteError(path, f"the file {exc}", hint=_AGAIN) from None

    return ForeignFile(reader, (), found())


def _interactions(
    reader: Reader,
    root: KeyPath,
    items: list[Any],
    convert: Callable[[dict[str, Any]], dict[str, Any]],
    source: Mapping[str, str],
) -> Iterator[ForeignInteraction | CassetteError]:
    for number, item in enumerate(items):
        at = (*root, number)
        try:
            _check_unicode(item)
            item = _converted(item, convert)
            _check_answered(item)
            found = reader.interaction(item, at)
            addressed = _with_address(found)
        except CassetteError as exc:
            yield exc
        except ValueError as exc:
            yield _error(reader, at, str(exc), _AGAIN)
        else:
            taken = _foreign_interaction(item, addressed, source, reader.path)
            yield replace(taken, addressed=addressed is not found)


def _converted(item: Any, convert: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return an interaction in vcrpy's words. Raises ``ValueError`` for one without some part."""
    if isinstance(item, dict):
        try:
            item = convert(item)
        except (KeyError, TypeError, AttributeError) as exc:
            raise ValueError(f"lacks a part that the format has: {exc!r:.100}") from None
    sides = _sides(item)
    if sides and "uri" in sides[0]:
        item = {**item, "request": {**sides[0], "uri": addresses.real_uri(sides[0]["uri"])}}
    return item


def _with_address(found: Interaction) -> Interaction:
    """Return an interaction with an address that the answer tells, if its own was removed."""
    if not addresses.is_removed(found.request.uri):
        return found
    uri = addresses.told_by(found.response.body)
    return replace(found, request=replace(found.request, uri=uri))


def _foreign_interaction(
    item: dict[str, Any], found: Interaction, source: Mapping[str, str], path: Path
) -> ForeignInteraction:
    request, response = _sides(item)
    sides = {"": item, "request": request, "response": response}
    http = response.get("http_version")
    if isinstance(http, str):
        http = http if http.upper().startswith("HTTP/") else f"HTTP/{http}"
    return ForeignInteraction(
        _with_source(found, source, item.get("recorded_at"), path, http if http else None),
        rebuilt=tuple(
            f"{name}.body"
            for name, side in sides.items()
            if "parsed_body" in side or (name == "request" and isinstance(side.get("body"), dict))
        ),
        extra=tuple(
            f"{name}.{key}".removeprefix(".")
            for name, side in sides.items()
            for key in side
            if key not in _KEYS[name]
        ),
    )


def _from_vcrpy(item: dict[str, Any]) -> dict[str, Any]:
    sides = _sides(item)
    if len(sides) < 2:
        return item
    request, response = sides
    if "status_code" in response and "status" not in response:
        return {
            **item,
            "response": {
                **response,
                "status": {"code": response["status_code"], "message": ""},
                "body": {"string": response.get("content")},
            },
        }
    if response.get("body") == {} and "parsed_body" not in response:
        status = response.get("status")
        code = status.get("code") if isinstance(status, dict) else None
        if not _is_bodiless(request.get("method"), code):
            # Seen with aiohttp, when the connection failed while the body was read.
            raise ValueError("has no body, not even an empty one")
    return item


def _archive(
    reader: Reader, entries: list[Any], log: Mapping[str, Any]
) -> Iterator[ForeignInteraction | CassetteError]:
    creator = log.get("creator")
    tool = creator if isinstance(creator, dict) else {}
    by = f"{tool.get('name') or 'unknown'} {tool.get('version') or ''}".strip()
    source = {"by": by, "format": f"HAR {log.get('version') or '1.2'}"}
    for number, entry in enumerate(entries):
        try:
            _check_unicode(entry)
            found = har.interaction(entry)
            content = entry["response"]["content"]
            lost = content.get("text") is None and (content.get("size") or 0) > 0
            if lost and not _is_bodiless(found.request.method, found.response.status):
                raise ValueError(f"has no body; {content['size']} bytes of it were not saved")
        except ValueError as exc:
            yield _error(reader, ("log", "entries", number), str(exc), _AGAIN)
        else:
            http = found.response.wire.http
            at = entry.get("startedDateTime")
            yield ForeignInteraction(
                _with_source(found, source, at, reader.path, str(http) if http else None)
            )


def _with_source(
    found: Interaction, source: Mapping[str, str], recorded_at: Any, path: Path, http: str | None
) -> Interaction:
    at = _moment(recorded_at) or _moment(found.response.header("date"))
    recorded = {**({"at": at} if at else {}), **source, "file": path.name}
    wire = replace(found.response.wire, http=http, recorded=recorded)
    return Interaction(found.request, replace(found.response, wire=wire))


def _moment(value: Any) -> str | None:
    """Return a time of ISO 8601 or RFC 9110 in UTC, to the second."""
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = value if isinstance(value, datetime) else read(str(value))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (ValueError, OverflowError):
            continue
    return None


def _sides(item: Any) -> tuple[dict[str, Any], ...]:
    """Return the request and the response of an interaction, as far as they exist."""
    sides = (item.get("request"), item.get("response")) if isinstance(item, dict) else ()
    return tuple(side for side in sides if isinstance(side, dict))


def _is_bodiless(method: Any, status: Any) -> bool:
    """Whether the answer cannot have a body (RFC 9112, section 6.3)."""
    return str(method).upper() == "HEAD" or status in (204, 304)


def _check_answered(item: Any) -> None:
    """Raise ``ValueError`` for the status that some recorders store where no answer came."""
    match item:
        case {"response": {"status": 0 | {"code": 0}}}:
            raise ValueError("has status 0: it was never answered")


def _check_unicode(item: Any) -> None:
    """Raise ``ValueError`` for an unpaired surrogate, which only JSON can write."""
    try:
        json.dumps(item, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise ValueError("has an unpaired surrogate, which UTF-8 cannot encode") from None


def _error(reader: Reader, at: KeyPath, message: str, hint: str) -> CassetteError:
    return reader.error(at, f"interaction {at[-1]} {message}", hint)
