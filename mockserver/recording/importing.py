"""Convert recordings of other tools into cassettes, and list what that changes and why.

The rules are those of recordings: the same headers are kept, and secrets are replaced and
searched in the same way. Compressed text is stored plain, so that it can be read and searched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from mockserver.cassettes.cassette import (
    Cassette,
    Headers,
    Interaction,
    Request,
    Response,
    header_value,
)
from mockserver.cassettes.foreign import ForeignFile, ForeignInteraction
from mockserver.errors import CassetteError, CodingError, NotEncodedError
from mockserver.secrets import learned, names
from mockserver.secrets.scan import scan_cassette
from mockserver.secrets.scrub import Scrubber, SplitSecretError
from mockserver.wire.body import Media, media_of
from mockserver.wire.content_coding import decode, encoding_of, is_text
from mockserver.wire.schedule import HOP_BY_HOP

_HINT = "re-record it, or remove it from the file"


class Kind(StrEnum):
    """What an import changes."""

    CREDENTIAL = "credential header dropped"
    CONNECTION = "connection header dropped"
    HEADER = "other header dropped"
    REPLACED = "value replaced"
    DECODED = "body decompressed"
    STALE = "content-encoding dropped"
    REBUILT = "body rewritten as JSON"
    EXTRA = "unknown key dropped"
    ADDRESS = "address from the answer"

    def times(self, count: int) -> str:
        """Return how many times it was done, for people."""
        return f"{count} {self if count == 1 else _WORDS[self][0]}"

    @property
    def reason(self) -> str:
        """The reason for it, for people."""
        return _WORDS[self][1]


_WORDS = {
    Kind.CREDENTIAL: ("credential headers dropped", "they contain a secret or a session"),
    Kind.CONNECTION: ("connection headers dropped", "each connection has its own"),
    Kind.HEADER: (
        "other headers dropped",
        "clients ignore them, and they may reveal who recorded",
    ),
    Kind.REPLACED: ("values replaced", "they are secrets, or name an account, a user or a request"),
    Kind.DECODED: ("bodies decompressed", "so that they can be read and searched"),
    Kind.STALE: ("content-encodings dropped", "the bodies are no longer encoded"),
    Kind.REBUILT: ("bodies rewritten as JSON", "the files have their values, not their bytes"),
    Kind.ADDRESS: ("addresses from the answers", "the files have a word in their place"),
    Kind.EXTRA: ("unknown keys dropped", "a cassette has no place for them"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change: in which interaction of the source, and where in it."""

    interaction: int
    kind: Kind
    place: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A converted recording; ``left_out`` lists the interactions it lacks, with reasons."""

    cassette: Cassette
    changes: tuple[Change, ...]
    left_out: tuple[CassetteError, ...]

    @property
    def counts(self) -> Counter[Kind]:
        """How many changes of each kind there are, in the order of the kinds."""
        found = Counter(change.kind for change in self.changes)
        return Counter({kind: found[kind] for kind in Kind if found[kind]})


def convert(
    foreign: ForeignFile,
    target: Path,
    known: Iterable[str] = (),
    *,
    keep_opaque: bool = False,
    allowed: Iterable[str] = (),
) -> Imported:
    """Convert a recording into the cassette ``target``, without writing it.

    ``known`` are secrets by value. ``keep_opaque`` keeps encrypted reasoning and signatures,
    which a provider checks. ``allowed`` are texts that look like secrets and are none, or their
    marks.
    """
    known = {*known, *_learned(foreign)}
    scrubber = Scrubber(known, keep_opaque=keep_opaque, allowed=allowed)
    interactions: list[Interaction] = []
    changes: list[Change] = []
    left_out: list[CassetteError] = []
    for number, item in enumerate(foreign.items):
        if isinstance(item, CassetteError):
            left_out.append(item)
            continue
        try:
            interaction, changed = _convert_interaction(item, scrubber, allowed)
        except ValueError as exc:
            mark = exc.mark if isinstance(exc, _RefusedError) else ""
            hint = f"{_HINT}, or add --allow {mark} if that is no secret" if mark else _HINT
            left_out.append(foreign.error(number, str(exc), hint))
            continue
        interactions.append(interaction)
        changes += [Change(number, kind, place) for kind, place in changed]
    return Imported(Cassette(target, tuple(interactions)), tuple(changes), tuple(left_out))


class _RefusedError(ValueError):
    """A secret cannot be replaced; ``mark`` allows the text if it is none."""

    def __init__(self, kind: str, place: str, mark: str) -> None:
        super().__init__(f"has {kind} in {place}, which cannot be replaced")
        self.mark = mark


def _learned(foreign: ForeignFile) -> Iterator[str]:
    """Yield the credentials that a recording has by name."""
    for item in foreign.items:
        if not isinstance(item, CassetteError):
            request, response = item.interaction.request, item.interaction.response
            try:
                yield from learned.of_exchange(request, response.headers, response.body)
            except ValueError:
                # Its address cannot be read, so it will be left out.
                continue


def _convert_interaction(
    taken: ForeignInteraction, scrubber: Scrubber, allowed: Iterable[str]
) -> tuple[Interaction, list[tuple[Kind, str]]]:
    """Return the scrubbed interaction and its changes. Raises ``ValueError`` if it is unusable."""
    request, response = taken.interaction.request, taken.interaction.response
    if not 100 <= response.status <= 599:
        raise ValueError(f"has status {response.status}: it was never answered")
    if request.url.scheme not in ("http", "https"):
        raise ValueError(f"is not an HTTP request: its scheme is {request.url.scheme!r}")
    changes = [(Kind.REBUILT, place) for place in taken.rebuilt]
    changes += [(Kind.EXTRA, place) for place in taken.extra]
    changes += [(Kind.ADDRESS, "request.uri")] if taken.addressed else []
    asked, kind = _plain(request.headers, request.body, "request")
    changes += [(kind, "request.body")] if kind else []
    answered, kind = _plain(response.headers, response.body, "response")
    changes += [(kind, "response.body")] if kind else []
    plain = Interaction(
        replace(request, headers=asked[0], body=asked[1]),
        replace(response, headers=answered[0], body=answered[1]),
    )
    try:
        scrubbed = scrubber.interaction(plain)
    except SplitSecretError as exc:
        raise _RefusedError(exc.kind, exc.place, exc.mark) from None
    for side, before, after in (
        ("request", plain.request, scrubbed.request),
        ("response", plain.response, scrubbed.response),
    ):
        if before.body != after.body and not (is_text(before.body) or _is_framed(before)):
            raise ValueError(f"has a secret in its binary {side} body")
        names = {name for name, _ in after.headers}
        changes += [
            (_kind_of(name), f"{side}.headers.{name.lower()}")
            for name, _ in before.headers
            if name.lower() not in names
        ]
    changes += [(Kind.REPLACED, place) for place in scrubbed.response.wire.redacted]
    scrubbed = Interaction(
        replace(scrubbed.request, headers=_group_by_name(scrubbed.request.headers)),
        replace(scrubbed.response, headers=_group_by_name(scrubbed.response.headers)),
    )
    found = Cassette(Path(), (scrubbed,))
    for hit in scan_cassette(found, scrubber.known.values, allowed):
        raise _RefusedError(hit.kind, hit.place, hit.mark)
    return scrubbed, changes


def _plain(headers: Headers, body: bytes, side: str) -> tuple[tuple[Headers, bytes], Kind | None]:
    """Undo the content coding of a text, or drop one that the body does not have."""
    coding = encoding_of(headers).strip().lower()
    if not coding:
        return (headers, body), None
    bare = tuple((n, v) for n, v in headers if n.lower() != "content-encoding")
    try:
        plain = decode(body, coding)
    except NotEncodedError:
        zipped = coding.endswith("gzip")
        if is_text(body) or (zipped and not body.startswith(b"\x1f\x8b")):
            return (bare, body), Kind.STALE
        raise ValueError(f"has a {side} body that cannot be decoded ({coding})") from None
    except CodingError as exc:
        raise ValueError(f"has a {side} body that cannot be decoded: {exc}") from None
    if plain is body:
        return (bare, body), Kind.STALE
    # A body that is no text even when decoded stays as it was sent.
    return ((bare, plain), Kind.DECODED) if is_text(plain) else ((headers, body), None)


def _is_framed(message: Request | Response) -> bool:
    """Return whether a body is binary, but can be edited: frames are sealed again."""
    kind = header_value(message.headers, "content-type")
    return media_of(kind, message.body) is Media.AWS_FRAMES


def _kind_of(name: str) -> Kind:
    if names.is_credential_header(name):
        return Kind.CREDENTIAL
    return Kind.CONNECTION if name.lower() in HOP_BY_HOP else Kind.HEADER


def _group_by_name(headers: Headers) -> Headers:
    """Put headers of one name next to each other, as in a cassette."""
    names = dict.fromkeys(name for name, _ in headers)
    return tuple(header for name in names for header in headers if header[0] == name)
