"""Reads HTTP archives (HAR 1.2) as cassettes.

An archive has one text per body and no chunk times. Browsers store the decoded text and
keep the ``content-encoding`` header; the schedule drops that header.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from mockserver.cassettes import yaml_reader
from mockserver.cassettes.cassette import Cassette, Headers, Interaction, Request, Response, Wire
from mockserver.errors import CassetteError

#: What to do about a file that is not an archive.
HINT = "export it again as HAR 1.2"


def parse(text: bytes, path: Path) -> Cassette:
    """Read an archive; entries that cannot be read are left out.

    Raises :class:`CassetteError` for what is not HAR 1.2, or if no entry can be read.
    """
    interactions = []
    left_out = []
    for number, entry in enumerate(entries(json_data(text, path), path)):
        try:
            interactions.append(interaction(entry))
        except ValueError as exc:
            left_out.append(CassetteError(path, f"entry {number} {exc}", hint=HINT))
    if left_out and not interactions:
        raise left_out[0]
    return Cassette(path, tuple(interactions), tuple(left_out))


def json_data(text: bytes, path: Path, hint: str = HINT) -> Any:
    """Parse a JSON file. Raises :class:`CassetteError`."""
    try:
        return json.loads(text.decode("utf-8-sig"), object_pairs_hook=_object)
    except _DuplicateKeyError as exc:
        raise CassetteError(
            path, str(exc), line=_line_of_duplicate(text), hint="remove one of them"
        ) from None
    except UnicodeDecodeError:
        raise CassetteError(path, "not UTF-8", hint=hint) from None
    except json.JSONDecodeError as exc:
        raise CassetteError(path, f"not JSON: {exc.msg}", line=exc.lineno, hint=hint) from None
    except RecursionError:
        raise CassetteError(path, "nested too deeply", hint=hint) from None
    except ValueError:
        # Python reads no number of more than some thousand digits.
        raise CassetteError(path, "has a number that is too long", hint=hint) from None


class _DuplicateKeyError(Exception):
    """One of two values would be lost without a word."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _DuplicateKeyError(f"duplicate key {twice!r:.60}")
    return found


def _line_of_duplicate(text: bytes) -> int | None:
    """Return where the reader of YAML, which knows lines, meets it: nearly all JSON is YAML."""
    try:
        yaml_reader.read(text)
    except yaml_reader.YamlError as exc:
        return exc.line
    return None


def entries(data: Any, path: Path) -> list[Any]:
    """Return the entries of an archive. Raises :class:`CassetteError` if there are none."""
    match data:
        case {"log": {"entries": list(found)}}:
            return found
    raise CassetteError(path, "not an HTTP archive: no list at log.entries", hint=HINT)


def interaction(entry: Any) -> Interaction:
    """Read one entry. Raises ``ValueError`` that says what is wrong."""
    try:
        found = _interaction(entry)
    except KeyError as exc:
        raise ValueError(f"is not HAR 1.2: it has no {exc}") from None
    except (TypeError, AttributeError):
        raise ValueError("is not HAR 1.2: a part of it is of a wrong type") from None
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"is not HAR 1.2: {exc}") from None
    if not 100 <= found.response.status <= 999:
        raise ValueError(f"was never answered: its status is {found.response.status}")
    return found


def _interaction(entry: dict[str, Any]) -> Interaction:
    request, response = entry["request"], entry["response"]
    urlsplit(request["url"])
    return Interaction(
        Request(
            method=str(request["method"]),
            uri=str(request["url"]),
            headers=_headers(request["headers"]),
            body=_posted_body(request.get("postData") or {}),
        ),
        Response(
            status=int(response["status"]),
            reason=_one_line(str(response.get("statusText") or "")),
            headers=_headers(response["headers"]),
            body=_text(response["content"]),
            wire=_wire(entry, response.get("httpVersion")),
        ),
    )


def _wire(entry: dict[str, Any], http: Any) -> Wire:
    """Return how long the answer took to begin and to end (HAR 1.2, timings); -1 is unknown."""
    timings = entry.get("timings")
    found = timings if isinstance(timings, dict) else {}

    def total(*names: str) -> float:
        values = [found.get(name) for name in names]
        numbers = [float(v) for v in values if isinstance(v, int | float) and 0 < v < 1e10]
        return round(sum(numbers), 1)

    before = total("send", "wait")
    after = total("receive")
    end = before + after if before or after else None
    return Wire(http=http if isinstance(http, str) else None, headers_ms=before, end_ms=end)


def _headers(items: list[dict[str, str]]) -> Headers:
    # Browsers list HTTP/2 pseudo-headers (":status") among the others.
    pairs = tuple((i["name"], i["value"]) for i in items if not i["name"].startswith(":"))
    for name, value in pairs:
        _one_line(name)
        _one_line(value)
    return pairs


def _one_line(text: str) -> str:
    if any(c in text for c in "\r\n\0"):
        raise ValueError(f"a line break or NUL in {text!r}")
    return text


def _posted_body(data: dict[str, Any]) -> bytes:
    # Chrome lists the fields of a form in addition to its text, other tools instead of it.
    form = str(data.get("mimeType")).startswith("application/x-www-form-urlencoded")
    if form and not data.get("text"):
        fields = data.get("params") or ()
        return urlencode([(f["name"], f.get("value") or "") for f in fields]).encode()
    return _text(data)


def _text(content: dict[str, Any]) -> bytes:
    text = content.get("text") or ""
    if content.get("encoding") == "base64":
        # Polly.JS writes a body with a content coding as a list, one string for each chunk.
        parts = json.loads(text) if text.startswith("[") else [text]
        try:
            return b"".join(base64.b64decode(part, validate=True) for part in parts)
        except binascii.Error as exc:
            raise ValueError(f"bad base64: {exc}") from None
    return str(text).encode()
