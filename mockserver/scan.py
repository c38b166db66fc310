"""Looks for secrets in cassettes: the last gate before a recording is written, and a lint.

Scrubbing has replaced what it could by then. What is still found stands where nothing can be
replaced without a trace: in a compressed body, or cut up over the events of a stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl

from mockserver import redact, secrets
from mockserver.cassette import Cassette, Headers, Interaction
from mockserver.deltas import channels
from mockserver.schedule import decompress
from mockserver.scrub import PLACEHOLDER
from mockserver.secrets import Known

#: A character of a key; none may stand in the piece behind a key that was replaced.
_KEY_CHARACTER = re.compile(r"[A-Za-z0-9_\-.~+/=]")


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret in a cassette: what and where, never the secret. ``interaction`` is from 0."""

    path: Path
    interaction: int
    place: str
    kind: str

    def __str__(self) -> str:
        return f"{self.path}: interaction {self.interaction}: {self.place}: {self.kind}"


def scan_cassette(cassette: Cassette, known: Iterable[str] = ()) -> list[Hit]:
    """Return where ``cassette`` holds a secret: one of ``known``, or what looks like one."""
    values = Known.of(known)
    return [
        Hit(cassette.path, number, place, kind)
        for number, interaction in enumerate(cassette.interactions)
        for place, kind in dict.fromkeys(_interaction(interaction, values))
    ]


def _interaction(interaction: Interaction, known: Known) -> Iterator[tuple[str, str]]:
    request, response = interaction.request, interaction.response
    yield from _text(request.uri, "request.uri", known)
    for name, value in parse_qsl(request.url.query):
        if redact.is_secret_key(name) and redact.PLACEHOLDER not in value:
            yield f"request.uri, parameter {name!r}", "a credential by its name"
    yield from _headers(request.headers, "request", known)
    yield from _body(request.body, request.headers, "request", known)
    yield from _text(response.reason, "response.status", known)
    yield from _headers(response.headers, "response", known)
    yield from _body(response.body, response.headers, "response", known)
    yield from _text(repr(dict(response.wire.recorded)), "response.wire.recorded", known)


def _headers(headers: Headers, side: str, known: Known) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        place = f"{side}.headers.{name.lower()}"
        yield from _text(value, place, known)
        if redact.is_credential_header(name) and redact.PLACEHOLDER not in value:
            yield place, "a credential by its name"


def _body(body: bytes, headers: Headers, side: str, known: Known) -> Iterator[tuple[str, str]]:
    place = f"{side}.body"
    values = {name.lower(): value for name, value in headers}
    encoding = values.get("content-encoding")
    plain = decompress(body, encoding)
    if plain is not body:
        place += f" ({encoding})"
    elif not _is_text(body) and encoding not in (None, "", "identity"):
        yield place, f"cannot be read, so not be searched ({encoding})"
    yield from _text(secrets.inflated(plain).decode("latin-1"), place, known)
    for channel in channels(plain, values.get("content-type"), single=side == "response"):
        at = f"{place}, put together from the deltas at {channel.path}"
        yield from _text(channel.text, at, known)
        for piece, following in pairwise(channel.pieces):
            if _ends_replaced(piece) and _KEY_CHARACTER.match(following):
                yield at, "what goes on behind a key that was replaced"


def _text(text: str, place: str, known: Known) -> Iterator[tuple[str, str]]:
    if not text.isascii() and max(text) > "\xff":
        text = text.encode("utf-8", "replace").decode("latin-1")
    for found in secrets.find(text, known):
        # What an issuer has masked is not a secret any more.
        if found.kind != secrets.MASKED:
            yield place, found.kind


def _ends_replaced(piece: str) -> bool:
    last = piece[piece.rfind("key_") :]
    return PLACEHOLDER.fullmatch(last) is not None


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
