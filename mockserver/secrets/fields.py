"""Find the values in a body whose names say what they are: credentials, users, opaque data.

JSON at any depth, in every event of a stream; forms; the parts of a multipart body; XML. An
offset is one in the bytes of the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import unquote_plus

from mockserver.cassettes.yaml_reader import KeyPath
from mockserver.dialects.registry import form
from mockserver.secrets import names, placeholder
from mockserver.wire.documents import NOT_JSON, Document, documents

#: The kind of a credential's placeholder.
KEY = "key"

#: What may follow a JSON name, where a colon alone does in most texts.
_SPACED = re.compile(r'"\s+:')
_LONGEST_NAME = 200
_FORM = re.compile(r"[\w.\[\]%+-]+=[^&=\s]*=*(?:&[\w.\[\]%+-]+=[^&\s]*)*\s*")
_PAIR = re.compile(r"([^&=\s]+)=([^&\s]*)")
_XML = re.compile(r"<(?:\w+:)?(\w{2,60})(?:\s[^<>]*)?>([^<>\s][^<>]{2,4000})</")
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Bot|ApiKey|Api-Key|Key|Negotiate|DPoP) +", re.I)
#: What a program fills in later, or nothing at all.
_NO_VALUE = re.compile(r"\s*|null|None|none|true|false|\$\{?[A-Za-z_]\w*\}?|\{\{.*\}\}|<[\w -]+>")
#: JSON numbers of fewer digits are counts and codes.
_SHORTEST_NUMBER = 4


@dataclass(frozen=True, slots=True)
class Field:
    """A named value: where it stands, its kind, and the value itself without escapes.

    ``bare`` is a number or a text that stands without quotes in JSON.
    """

    start: int
    stop: int
    kind: str
    value: str
    path: str
    bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is known of a body: ``answer`` or request, and whether it issues tokens.

    ``keep_opaque`` keeps encrypted reasoning and signatures. ``is_user`` tells whether a value
    is that of a user field of a request.
    """

    answer: bool = False
    issues_tokens: bool = False
    keep_opaque: bool = False
    is_user: Callable[[str, str], bool] = lambda _kind, _value: False


def fields(body: bytes, content_type: str | None, side: Side) -> Iterator[Field]:
    """Yield the named values of a decoded body, in their order; none overlaps another."""
    if not body:
        return
    kind = (content_type or "").split(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        yield from _multipart(body, content_type or "", side)
        return
    if kind == "application/x-www-form-urlencoded" or _looks_like_form(body, kind):
        yield from _form(body, 0, len(body))
        return
    if kind.endswith("xml") or body.startswith((b"<?xml", b"<")):
        yield from _xml(body)
        return
    yield from _json(body, content_type, side)


def credentials(body: bytes, content_type: str | None, side: Side) -> Iterator[str]:
    """Yield the credentials that a body has by name."""
    for field in fields(body, content_type, side):
        if field.kind == KEY:
            yield field.value


def _json(body: bytes, content_type: str | None, side: Side) -> Iterator[Field]:
    text = body.decode("latin-1")
    wanted = {name for name in _names(text) if _matters(name)}
    if not wanted:
        return
    for document in documents(body, content_type):
        if any(f'"{name}"' in document.text for name in wanted):
            yield from _of_document(document, body, side)


def _names(text: str) -> set[str]:
    """Return what may be a JSON name, as it stands in the text."""
    if _SPACED.search(text):
        text = _SPACED.sub('":', text)
    before = text.split('":')[:-1]
    ends = (part[-_LONGEST_NAME:].rpartition('"') for part in before)
    return {name for _, quote, name in ends if quote}


def _matters(name: str) -> bool:
    """Return whether a value below a name, as it stands in the text, may be replaced."""
    if "\\" in name:
        try:
            name = json.loads(f'"{name}"')
        except ValueError:
            return False
    known = form()
    return (
        names.is_credential(name)
        or names.plain(name) in names.AMBIGUOUS
        or name in known.user_fields
        or name in known.user_trees
        or name in known.opaque_fields
        or "header" in name.lower()
    )


def _of_document(document: Document, body: bytes, side: Side) -> Iterator[Field]:
    data = document.data
    if data is NOT_JSON:
        return
    own = side.answer and not (isinstance(data, dict) and isinstance(data.get("object"), str))
    for path, start, stop in document.values():
        raw = body[start:stop].decode("latin-1")
        bare = body[start - 1 : start] != b'"'
        if start == stop or (bare and not _is_number(raw)):
            continue
        if is_credential_at(data, path, side):
            value = raw if bare else _plain(raw)
            if placeholder.is_placeholder(value) or _NO_VALUE.fullmatch(value):
                continue
            scheme = None if bare else _SCHEME.match(raw)
            begin = start + scheme.end() if scheme and scheme.end() < len(raw) else start
            if begin < stop:
                text = value[scheme.end() :] if scheme and begin > start else value
                yield Field(begin, stop, KEY, text, _shown(path), bare)
            continue
        kind = None if bare else names.field_kind(path, keep_opaque=side.keep_opaque)
        if kind is None:
            continue
        value = _plain(raw)
        if own and path[0] in form().user_trees and not side.is_user(kind, value):
            # An answer's own metadata is not the user's.
            continue
        yield Field(start, stop, kind, value, _shown(path))


def is_credential_at(data: Any, path: KeyPath, side: Side) -> bool:
    """Return whether the value at ``path`` of a JSON document is a credential by its name."""
    steps = [step for step in path if isinstance(step, str)]
    if not steps:
        return False
    name = steps[-1]
    parent = steps[-2] if len(steps) > 1 else ""
    headers = names.plain(parent).endswith("headers") and names.is_credential_header(name)
    if not headers and not names.is_credential(name) and names.plain(name) not in names.AMBIGUOUS:
        return False
    if names.is_foreign(steps):
        return False
    if headers or names.is_credential(name):
        return True
    if not _ERRORS.isdisjoint(steps):
        return False
    siblings = _object_at(data, path)
    return names.is_proved(name, siblings, parent, token_answer=side.issues_tokens)


_ERRORS = frozenset({"error", "errors"})


def _object_at(data: Any, path: KeyPath) -> Mapping[str, Any]:
    """Return the innermost object on the way to a value."""
    found: Any = {}
    for step in path:
        if isinstance(data, dict):
            found = data
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            break
    return found if isinstance(found, dict) else {}


def _is_number(raw: str) -> bool:
    return raw.isdigit() and len(raw) >= _SHORTEST_NUMBER


def _plain(raw: str) -> str:
    """Return a JSON string without its escapes; ``raw`` has one character per byte."""
    if "\\" not in raw and raw.isascii():
        return raw
    try:
        value = json.loads(f'"{raw}"'.encode("latin-1"))
    except ValueError:
        return raw
    return value if isinstance(value, str) else raw


def _shown(path: KeyPath) -> str:
    return "/".join(map(str, path))


def _looks_like_form(body: bytes, kind: str) -> bool:
    if kind not in ("", "text/plain", "application/octet-stream", "application/json"):
        return False
    if len(body) > 64 * 1024 or b"=" not in body[:200] or body[:1] in b'{[<"':
        return False
    return _FORM.fullmatch(body.decode("latin-1")) is not None


def _form(body: bytes, start: int, stop: int) -> Iterator[Field]:
    text = body[start:stop].decode("latin-1")
    for match in _PAIR.finditer(text):
        name = unquote_plus(match[1])
        if not match[2] or not names.is_secret_key(name.rpartition("[")[2].rstrip("]") or name):
            continue
        value = unquote_plus(match[2])
        if not placeholder.is_placeholder(value) and not _NO_VALUE.fullmatch(value):
            yield Field(start + match.start(2), start + match.end(2), KEY, value, name)


def _xml(body: bytes) -> Iterator[Field]:
    for match in _XML.finditer(body.decode("latin-1")):
        if names.is_credential(match[1]) and not placeholder.is_placeholder(match[2]):
            yield Field(match.start(2), match.end(2), KEY, match[2], match[1])


def _multipart(body: bytes, content_type: str, side: Side) -> Iterator[Field]:
    for name, kind, start, stop in parts(body, content_type):
        if name and names.is_secret_key(name):
            value = body[start:stop].decode("latin-1")
            if not placeholder.is_placeholder(value) and not _NO_VALUE.fullmatch(value):
                yield Field(start, stop, KEY, value, name)
        elif kind:
            for found in fields(body[start:stop], kind, side):
                yield Field(
                    start + found.start,
                    start + found.stop,
                    found.kind,
                    found.value,
                    f"{name}/{found.path}",
                    found.bare,
                )


def parts(body: bytes, content_type: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield field name, content type, start and stop of each part of a multipart body."""
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_boundary() or ""
    if not boundary:
        return
    mark = b"--" + boundary.encode("latin-1", "replace")
    at = body.find(mark)
    while at >= 0:
        begin = at + len(mark)
        following = body.find(mark, begin)
        if following < 0:
            return
        split = body.find(b"\r\n\r\n", begin, following)
        if split >= 0:
            described = Message()
            for line in body[begin:split].decode("latin-1").split("\r\n"):
                header, colon, value = line.partition(":")
                if colon:
                    described[header.strip()] = value.strip()
            name = described.get_param("name", "", "content-disposition")
            file = described.get_param("filename", "", "content-disposition")
            kind = described.get("content-type", "")
            stop = following - 2 if body[following - 2 : following] == b"\r\n" else following
            yield "" if file else str(name or ""), kind, split + 4, max(split + 4, stop)
        at = following
