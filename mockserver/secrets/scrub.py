"""Replace what must not be stored, in memory, before anything is written.

The same value gets the same placeholder everywhere in a cassette, so that references still
match. Chunk boundaries move with the bytes around them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from mockserver.cassettes.cassette import (
    Chunk,
    Headers,
    Interaction,
    Request,
    Response,
    header_value,
)
from mockserver.dialects.registry import form
from mockserver.errors import CodingError
from mockserver.secrets import find, names, placeholder, reassembled
from mockserver.secrets.fields import KEY, Field, Side, fields
from mockserver.secrets.find import Known
from mockserver.secrets.placeholder import is_placeholder as is_placeholder
from mockserver.secrets.sealing import Edit as Edit
from mockserver.secrets.sealing import UnsealableError, sealed
from mockserver.wire.content_coding import decode_pieces, decompress, encoding_of


class SplitSecretError(ValueError):
    """A secret is split over pieces, or in a place where none can be replaced.

    The message never names it.
    ``mark`` is what allows the text if it is no secret.
    """

    def __init__(self, place: str, kind: str, mark: str) -> None:
        super().__init__(f"{place}: {kind}")
        self.place = place
        self.kind = kind
        self.mark = mark


def splice(
    body: bytes, chunks: Sequence[Chunk] | None, edits: Sequence[Edit]
) -> tuple[bytes, tuple[Chunk, ...] | None]:
    """Make ordered edits that do not overlap, and move the chunk boundaries along.

    A boundary inside replaced bytes moves behind the new ones. A chunk that had nothing else
    is removed.
    """
    parts: list[bytes] = []
    olds, news = [0], [0]
    length = end = 0
    for edit in edits:
        parts += [body[end : edit.start], edit.text]
        length += edit.start - end + len(edit.text)
        olds += [edit.start, edit.stop]
        news += [length - len(edit.text), length]
        end = edit.stop
    new = b"".join((*parts, body[end:]))
    if chunks is None:
        return new, None

    def moved(offset: int) -> int:
        near = bisect_right(olds, offset) - 1
        inside = near % 2 == 1 and offset > olds[near]
        return news[near + 1] if inside else news[near] + offset - olds[near]

    out: list[Chunk] = []
    offset = before = 0
    for chunk in chunks:
        offset += chunk.length
        after = moved(offset)
        if after > before:
            out.append(Chunk(chunk.at_ms, after - before))
        before = after
    return new, tuple(out)


class Scrubber:
    """Scrubs the interactions of one cassette. ``known`` are secrets by value.

    ``keep_opaque`` keeps encrypted reasoning and signatures, which a provider checks.
    ``before`` are interactions of the cassette that were scrubbed earlier: their placeholders
    are not given to other values. ``allowed`` are texts or marks of texts that stay.
    """

    def __init__(
        self,
        known: Iterable[str] = (),
        *,
        keep_opaque: bool = False,
        before: Iterable[Interaction] = (),
        allowed: Iterable[str] = (),
    ) -> None:
        self.known = Known.of(known, allowed)
        self._keep_opaque = keep_opaque
        self._placeholders: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        for kind, number in placeholder.numbered(repr(list(before))):
            self._counts[kind] = max(number, self._counts.get(kind, 0))

    def interaction(self, interaction: Interaction) -> Interaction:
        """Return the interaction as it may be stored; ``wire.redacted`` lists what was replaced.

        Raises :class:`SplitSecretError` for a secret that cannot be replaced.
        """
        request, response = interaction.request, interaction.response
        self._check(request.body, request.headers, "request")
        self._check(response.body, response.headers, "response")
        replaced: set[str] = set()
        side = Side(
            answer=True,
            issues_tokens=names.is_token_endpoint(request),
            keep_opaque=self._keep_opaque,
            is_user=self._is_user,
        )
        request = self._request(request, replaced)
        response = self._response(response, side, replaced)
        wire = replace(response.wire, redacted=tuple(sorted(replaced)))
        return Interaction(request, replace(response, wire=wire))

    def request(self, request: Request) -> Request:
        """Return a request as it may be stored."""
        return self._request(request, set())

    def _check(self, body: bytes, headers: Headers, side: str) -> None:
        plain = decompress(body, encoding_of(headers))
        kind = header_value(headers, "content-type")
        for found in reassembled.secrets(plain, kind, self.known, single=side == "response"):
            if found.split:
                place = f"{side}.body, joined from the deltas at {found.path}"
                raise SplitSecretError(place, found.kind, found.mark)

    def _request(self, request: Request, replaced: set[str]) -> Request:
        headers, known = [], form()
        for name, value in request.headers:
            low = name.lower()
            if low in known.replaced_request_headers:
                replaced.add(f"request.headers.{low}")
                kind = known.replaced_request_headers[low]
                headers.append((low, self._placeholder(kind, value)))
            elif low in known.kept_request_headers:
                headers.append((low, self._text(value, f"request.headers.{low}", replaced)))
        side = Side(keep_opaque=self._keep_opaque)
        body, _, decoded = self._body(
            request.body, None, request.headers, "request", side, replaced
        )
        return Request(
            method=request.method,
            uri=self._uri(request.uri, replaced),
            headers=tuple(h for h in headers if not (decoded and h[0] == "content-encoding")),
            body=body,
        )

    def _response(self, response: Response, side: Side, replaced: set[str]) -> Response:
        headers, known = [], form()
        for name, value in response.headers:
            low = name.lower()
            if low in known.replaced_response_headers:
                replaced.add(f"response.headers.{low}")
                kind = known.replaced_response_headers[low]
                headers.append((low, self._placeholder(kind, value)))
            elif low == "location":
                headers.append((low, self._uri(value, replaced)))
            elif known.is_kept_response_header(low):
                headers.append((low, self._text(value, f"response.headers.{low}", replaced)))
        wire = response.wire
        body, chunks, decoded = self._body(
            response.body, wire.chunks, response.headers, "response", side, replaced
        )
        if decoded:
            headers = [header for header in headers if header[0] != "content-encoding"]
            wire = replace(wire, recorded={**wire.recorded, "decoded": decoded})
        return replace(
            response,
            reason=self._text(response.reason, "response.status", replaced),
            headers=tuple(headers),
            body=body,
            wire=replace(wire, chunks=chunks),
        )

    def _body(
        self,
        body: bytes,
        chunks: tuple[Chunk, ...] | None,
        headers: Headers,
        place: str,
        side: Side,
        replaced: set[str],
    ) -> tuple[bytes, tuple[Chunk, ...] | None, str | None]:
        """Return body and chunks as they may be stored, and the coding if it was removed.

        A body without replacements stays as it was sent. So does one that cannot be decoded:
        the scan decides whether it may be stored.
        """
        encoding = encoding_of(headers)
        plain, plain_chunks = _decode_chunks(body, chunks, encoding)
        kind = header_value(headers, "content-type")
        edits = self._edits(plain, kind, side)
        if edits:
            replaced.add(f"{place}.body")
        if not edits:
            return body, chunks, None
        try:
            edits = sealed(plain, edits, kind)
        except UnsealableError as exc:
            raise SplitSecretError(f"{place}.body, {exc}", "what may not be stored", "") from None
        return *splice(plain, plain_chunks, edits), encoding if plain != body else None

    def _uri(self, uri: str, replaced: set[str]) -> str:
        for kind, pattern in names.ADDRESS_PARTS.items():
            match = pattern.search(uri)
            if match is not None:
                replaced.add("request.uri")
                make = placeholder.host if kind == "resource" else placeholder.make
                new = self._placeholder(kind, match[1], make)
                uri = uri[: match.start(1)] + new + uri[match.end(1) :]
        parts = urlsplit(uri)
        query = "&".join(self._parameter(p, replaced) for p in parts.query.split("&"))
        netloc = parts.netloc.rpartition("@")[2]
        return self._text(
            urlunsplit((parts.scheme, netloc, parts.path, query, "")), "request.uri", replaced
        )

    def _parameter(self, parameter: str, replaced: set[str]) -> str:
        # Change only what must change: clients differ in what they encode, and how.
        pairs = parse_qsl(parameter, keep_blank_values=True)
        if not pairs or not names.is_secret_key(pairs[0][0]):
            return parameter
        replaced.add("request.uri")
        return f"{parameter.partition('=')[0]}={names.PLACEHOLDER}"

    def _text(self, text: str, place: str, replaced: set[str]) -> str:
        safe = find.mask(text, self.known)
        if safe != text:
            replaced.add(place)
        return safe

    def _edits(self, body: bytes, content_type: str | None, side: Side) -> list[Edit]:
        """Return what to replace: named values as a whole, and what is found elsewhere."""
        found = find.merge_spans(find.find(body.decode("latin-1"), self.known))
        edits: list[Edit] = []
        at = 0
        for field in fields(body, content_type, side):
            if self.known.allowed.has(field.value):
                continue
            while at < len(found) and found[at].stop <= field.start:
                edits.append(self._key(body, found[at].start, found[at].stop))
                at += 1
            start, stop, inside = field.start, field.stop, False
            while at < len(found) and found[at].start < stop:
                inside = True
                start, stop = min(start, found[at].start), max(stop, found[at].stop)
                at += 1
            if (start, stop) != (field.start, field.stop):
                edits.append(self._key(body, start, stop))
            else:
                edits.append(Edit(start, stop, self._of_field(field, secret=inside)))
        edits += [self._key(body, span.start, span.stop) for span in found[at:]]
        return edits

    def _key(self, body: bytes, start: int, stop: int) -> Edit:
        value = body[start:stop].decode("latin-1")
        make = _in_words if value.isdigit() else placeholder.make
        return Edit(start, stop, self._placeholder(KEY, value, make).encode())

    def _of_field(self, field: Field, *, secret: bool) -> bytes:
        kind = KEY if secret and field.kind in _PERSONAL else field.kind
        kind = NUMBER if field.bare else kind
        return self._placeholder(kind, field.value).encode()

    def _is_user(self, kind: str, value: str) -> bool:
        """Return whether a value was replaced as that of a user."""
        return (kind, value) in self._placeholders or (KEY, value) in self._placeholders

    def _placeholder(
        self,
        kind: str,
        value: str,
        make: Callable[[str, int, str], str] = placeholder.make,
    ) -> str:
        if is_placeholder(value):
            return value
        key = kind, value
        if key not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._placeholders[key] = make(kind, self._counts[kind], value)
        return self._placeholders[key]


#: The kind of what is no text in JSON.
NUMBER = "number"
#: Kinds of values that may be a secret, too.
_PERSONAL = frozenset({"user", "metadata"})


def _in_words(kind: str, number: int, _value: str) -> str:
    """Return a placeholder for digits within a text."""
    return placeholder.make(kind, number)


def _decode_chunks(
    body: bytes, chunks: tuple[Chunk, ...] | None, encoding: str
) -> tuple[bytes, tuple[Chunk, ...] | None]:
    """Undo the content codings, and move the chunk boundaries along.

    A body that cannot be decoded is returned unchanged.
    """
    lengths = [len(body)] if chunks is None else [chunk.length for chunk in chunks]
    ends = [0, *accumulate(lengths)]
    try:
        pieces = decode_pieces((body[a:b] for a, b in pairwise(ends)), encoding)
    except CodingError:
        return body, chunks
    if chunks is not None:
        pairs = zip(chunks, pieces, strict=True)
        chunks = tuple(Chunk(chunk.at_ms, len(piece)) for chunk, piece in pairs if piece)
    return b"".join(pieces), chunks
