"""Scan cassettes for secrets: the last check before a recording is written, and a lint.

Scrubbing has already replaced what it can. What is still found is where nothing can be replaced
safely: in a compressed body, or split over the events of a stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from mockserver.cassettes.cassette import Cassette, Headers, Interaction, Origin, header_value
from mockserver.errors import CodingError
from mockserver.secrets import find, names, reassembled
from mockserver.secrets.allowed import mark
from mockserver.secrets.fields import KEY, Field, Side, fields
from mockserver.secrets.find import Known
from mockserver.secrets.placeholder import is_placeholder
from mockserver.wire.content_coding import decode, encoding_of, inflate, is_text

_BY_NAME = "a credential, by its name"

#: How to get a body that is not encoded, by side.
_HINT = {
    "request": "make the client send it without content-encoding",
    "response": "tapecheck requested none; turn off compression in the proxy or gateway",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """Kind and place of a secret in a cassette, never the secret. ``interaction``: from 0.

    ``mark`` allows the text that was found; empty where only another recording helps.
    """

    path: Path
    interaction: int
    place: str
    kind: str
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.path}: interaction {self.interaction}: {self.place}: {self.kind}"


def scan_cassette(
    cassette: Cassette, known: Iterable[str] = (), allowed: Iterable[str] = ()
) -> list[Hit]:
    """Return where ``cassette`` has a secret: one of ``known``, or what looks like one.

    ``allowed`` are texts, or marks of texts, that are none.
    """
    values = Known.of(known, allowed)
    found: list[Hit] = []
    for number, interaction in enumerate(cassette.interactions):
        hits: dict[tuple[str, str], Hit] = {}
        for place, kind, of_text in _interaction(interaction, values):
            hits.setdefault((place, kind), Hit(cassette.path, number, place, kind, of_text))
        found += hits.values()
    return found


#: Place, kind and mark.
_Found = tuple[str, str, str]


def _interaction(interaction: Interaction, known: Known) -> Iterator[_Found]:
    request, response = interaction.request, interaction.response
    yield from _text(request.uri, "request.uri", known)
    for name, value in parse_qsl(request.url.query):
        if names.is_secret_key(name) and names.PLACEHOLDER not in value:
            yield f"request.uri, parameter {name!r}", _BY_NAME, mark(value)
    yield from _headers(request.headers, "request", known)
    origin = response.wire.origin
    yield from _body(request.body, request.headers, Side(keep_opaque=True), origin, known)
    yield from _text(response.reason, "response.status", known)
    yield from _headers(response.headers, "response", known)
    side = Side(answer=True, issues_tokens=names.is_token_endpoint(request), keep_opaque=True)
    yield from _body(response.body, response.headers, side, origin, known)
    yield from _text(repr(dict(response.wire.recorded)), "response.wire.recorded", known)


def _headers(headers: Headers, side: str, known: Known) -> Iterator[_Found]:
    for name, value in headers:
        place = f"{side}.headers.{name.lower()}"
        yield from _text(value, place, known)
        if names.is_credential_header(name) and names.PLACEHOLDER not in value:
            yield place, _BY_NAME, mark(value)


def _body(
    body: bytes, headers: Headers, side: Side, origin: Origin, known: Known
) -> Iterator[_Found]:
    name = "response" if side.answer else "request"
    place, encoding = f"{name}.body", encoding_of(headers).strip().lower()
    kind = header_value(headers, "content-type")
    plain, hint = body, _HINT[name]
    try:
        plain = decode(body, encoding)
    except CodingError as exc:
        hint = exc.hint or hint
    if plain is not body:
        place += f" ({encoding})"
        for field in _left(plain, kind, side):
            yield place, f"a value at {field.path} that is not redacted: {_HINT[name]}", ""
    elif body and encoding not in ("", "identity") and _is_unreadable(body, origin):
        yield place, f"encoded as {encoding}, so it cannot be searched: {hint}", ""
    if origin is not Origin.AUTHORED:
        for field in _left(plain, kind, side):
            if field.kind == KEY and not known.allowed.has(field.value):
                yield f"{place}, at {field.path}", _BY_NAME, mark(field.value)
    yield from _text(inflate(plain).decode("latin-1"), place, known)
    for found in reassembled.secrets(plain, kind, known, single=side.answer):
        yield f"{place}, joined from the deltas at {found.path}", found.kind, found.mark


def _text(text: str, place: str, known: Known) -> Iterator[_Found]:
    if not text.isascii() and max(text) > "\xff":
        text = text.encode("utf-8", "replace").decode("latin-1")
    for found in find.find(text, known):
        # What its issuer has masked is no longer a secret.
        if found.kind != find.MASKED:
            yield place, found.kind, found.mark(text)


def _left(body: bytes, content_type: str | None, side: Side) -> Iterator[Field]:
    """Yield the named values that are not replaced."""
    return (f for f in fields(body, content_type, side) if not is_placeholder(f.value))


def _is_unreadable(body: bytes, origin: Origin) -> bool:
    """Return whether bytes that cannot be decoded may hide something."""
    match origin:
        case Origin.RECORDED:
            return True
        case Origin.IMPORTED:
            # Other recorders keep the header of a body that they have decoded.
            return not is_text(body)
        case Origin.AUTHORED | Origin.CONVERTED:
            return False
