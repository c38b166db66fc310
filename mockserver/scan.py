"""Looks for secrets in cassettes: the last gate before a recording is written, and a lint.

Scrubbing has replaced what it could by then. What is still found stands where nothing can be
replaced without a trace: in a compressed body, or cut up over the events of a stream.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from mockserver import redact, secrets
from mockserver.cassette import Cassette, Headers, Interaction
from mockserver.documents import Path as Place
from mockserver.documents import documents, leaves
from mockserver.schedule import decompress
from mockserver.secrets import Known

#: What numbers the things that deltas belong to.
_NUMBERS = ("index", "output_index", "content_index", "summary_index")


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
    yield from _body(request.body, request.headers, "request.body", known)
    yield from _text(response.reason, "response.status", known)
    yield from _headers(response.headers, "response", known)
    yield from _body(response.body, response.headers, "response.body", known)
    yield from _text(repr(dict(response.wire.recorded)), "response.wire.recorded", known)


def _headers(headers: Headers, side: str, known: Known) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        place = f"{side}.headers.{name.lower()}"
        yield from _text(value, place, known)
        if redact.is_credential_header(name) and redact.PLACEHOLDER not in value:
            yield place, "a credential by its name"


def _body(body: bytes, headers: Headers, place: str, known: Known) -> Iterator[tuple[str, str]]:
    values = {name.lower(): value for name, value in headers}
    encoding = values.get("content-encoding")
    plain = decompress(body, encoding)
    if plain is not body:
        place += f" ({encoding})"
    elif not _is_text(body) and encoding not in (None, "", "identity"):
        yield place, f"cannot be read, so not be searched ({encoding})"
    yield from _text(secrets.inflated(plain).decode("latin-1"), place, known)
    for path, text in _assembled(plain, values.get("content-type")):
        for _, kind in _text(text, "", known):
            yield f"{place}, put together from the deltas at {path}", kind


def _text(text: str, place: str, known: Known) -> Iterator[tuple[str, str]]:
    if not text.isascii() and max(text) > "\xff":
        text = text.encode("utf-8", "replace").decode("latin-1")
    for found in secrets.find(text, known):
        # What an issuer has masked is not a secret any more.
        if found.kind != secrets.MASKED:
            yield place, found.kind


def _assembled(body: bytes, content_type: str | None) -> Iterator[tuple[str, str]]:
    """Yield path and text of what the events of a stream say piece by piece.

    Pieces are joined where they have the same path; once for each thing that is numbered, and
    once over all, as not every server numbers rightly.
    """
    found = documents(body, content_type)
    if len(found) < 2:
        return
    pieces: defaultdict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for document in found:
        for path, value in leaves(document.data):
            if isinstance(value, str):
                names = tuple(step for step in path if isinstance(step, str))
                for numbers in {(), _numbers(document.data, path)}:
                    pieces[names, numbers].append(value)
    yield from {("/".join(names), "".join(v)) for (names, _), v in pieces.items() if len(v) > 1}


def _numbers(data: object, path: Place) -> tuple[str, ...]:
    found: list[object] = []
    for step in path:
        if isinstance(data, dict):
            found += [data.get(name) for name in _NUMBERS]
        data = data[step]  # type: ignore[index]
    return tuple(str(n) for n in found if n is not None)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
