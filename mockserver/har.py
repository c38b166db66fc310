"""Reads HTTP archives (HAR 1.2) as cassettes.

An archive has one text per body and no chunk times. Browsers store the decoded text beside
the ``content-encoding`` header; the schedule drops that header.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mockserver.cassette import Cassette, Headers, Interaction, Request, Response, Wire
from mockserver.errors import CassetteError

_REMEDY = "export it again as HAR 1.2"


def parse(text: bytes, path: Path) -> Cassette:
    """Read an archive. Raises :class:`CassetteError` for what is not HAR 1.2."""
    try:
        data = json.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CassetteError(path, "not UTF-8", remedy=_REMEDY) from None
    except json.JSONDecodeError as exc:
        raise CassetteError(path, f"not JSON: {exc.msg}", line=exc.lineno, remedy=_REMEDY) from None
    except RecursionError:
        raise CassetteError(path, "nested too deeply", remedy=_REMEDY) from None
    interactions = []
    match data:
        case {"log": {"entries": list(entries)}}:
            for number, entry in enumerate(entries):
                try:
                    interactions.append(_interaction(entry))
                except (KeyError, TypeError, ValueError, AttributeError) as exc:
                    raise CassetteError(
                        path, f"entry {number} is not HAR 1.2: {exc!r}", remedy=_REMEDY
                    ) from None
        case _:
            raise CassetteError(path, "not an HTTP archive: no list at log.entries", remedy=_REMEDY)
    return Cassette(path, tuple(interactions))


def _interaction(entry: dict[str, Any]) -> Interaction:
    request, response = entry["request"], entry["response"]
    urlsplit(request["url"])
    return Interaction(
        Request(
            method=str(request["method"]),
            uri=str(request["url"]),
            headers=_headers(request["headers"]),
            body=_text(request.get("postData") or {}),
        ),
        Response(
            status=int(response["status"]),
            reason=_one_line(response.get("statusText") or ""),
            headers=_headers(response["headers"]),
            body=_text(response["content"]),
            wire=Wire(http=response.get("httpVersion")),
        ),
    )


def _headers(items: list[dict[str, str]]) -> Headers:
    # Browsers list HTTP/2 pseudo-headers (":status") among the others.
    pairs = tuple((i["name"], i["value"]) for i in items if not i["name"].startswith(":"))
    for name, value in pairs:
        _one_line(name)
        _one_line(value)
    return pairs


def _one_line(text: str) -> str:
    if any(c in text for c in "\r\n\0"):
        raise ValueError(f"a line end in {text!r}")
    return text


def _text(content: dict[str, Any]) -> bytes:
    text = content.get("text") or ""
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as exc:
            raise ValueError(f"bad base64: {exc}") from None
    return str(text).encode()
