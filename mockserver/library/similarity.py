"""Compare two interactions, apart from what differs in every answer.

Ids may differ if each new id replaces the same old one everywhere. Times, fingerprints,
padding, a server's cache statistics and chunk boundaries are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from mockserver.cassettes.cassette import (
    Headers,
    Interaction,
    Request,
    Response,
    header_value,
)
from mockserver.cassettes.yaml_reader import KeyPath
from mockserver.dialects.registry import form, silent_values
from mockserver.library import bodies
from mockserver.library.matcher import plain_path
from mockserver.library.rule import EXACT, Part, Rule
from mockserver.secrets import placeholder, scrub
from mockserver.secrets.sealing import UnsealableError, sealed
from mockserver.wire.content_coding import decompress, encoding_of
from mockserver.wire.documents import NOT_JSON, Document, documents

_ID_FIELD = re.compile(r"(?:.*[_-])?id|.*[a-z]Id")


class Renaming:
    """Which new id replaces which old one, in one cassette."""

    def __init__(self) -> None:
        self.old_of: dict[str, str] = {}
        self._new_of: dict[str, str] = {}

    def copy(self) -> Renaming:
        """Return a copy that can be discarded."""
        other = Renaming()
        other.old_of, other._new_of = dict(self.old_of), dict(self._new_of)
        return other

    def allows(self, old: str, new: str) -> bool:
        """Pair ``new`` with ``old``; return whether neither is paired with another."""
        known = self.old_of.setdefault(new, old) == old
        return self._new_of.setdefault(old, new) == new and known

    def restore(self, interaction: Interaction) -> Interaction:
        """Return a new interaction with the old ids in its bodies."""
        changed = {new: old for new, old in self.old_of.items() if new != old}
        if not changed:
            return interaction
        request, response = interaction.request, interaction.response
        kind = header_value(request.headers, "content-type")
        body, _ = scrub.splice(request.body, None, _edits(request.body, kind, changed))
        edits = _edits(response.body, response.header("content-type"), changed)
        answer, chunks = scrub.splice(response.body, response.wire.chunks, edits)
        uri = placeholder.exchanged(request.uri, changed)
        asked, answered = (
            tuple((name, placeholder.exchanged(value, changed)) for name, value in headers)
            for headers in (request.headers, response.headers)
        )
        wire = replace(response.wire, chunks=chunks)
        return Interaction(
            replace(request, uri=uri, headers=asked, body=body),
            replace(response, headers=answered, body=answer, wire=wire),
        )

    def pair(self, old: Request | Response, new: Request | Response) -> None:
        """Pair the placeholders of two messages that were found to be the same."""
        ours, theirs = placeholder.all_in(repr(old)), placeholder.all_in(repr(new))
        if len(ours) == len(theirs):
            for a, b in zip(ours, theirs, strict=True):
                self.allows(a, b)

    def keep_apart(self, new: Sequence[Interaction], kept: Sequence[Request | Response]) -> None:
        """Give placeholders that are not paired a number which no paired or kept one has.

        The same placeholder stands for the same value in the whole cassette.
        """
        found = dict.fromkeys(placeholder.all_in(repr(list(new))))
        taken = {old for old in self.old_of.values() if scrub.is_placeholder(old)}
        taken.update(placeholder.all_in(repr(list(kept))))
        last: dict[str, int] = {}
        for kind, number in placeholder.numbered(" ".join((*found, *taken))):
            last[kind] = max(number, last.get(kind, 0))
        for text in found:
            if text not in self.old_of and text in taken:
                ((kind, _),) = placeholder.numbered(text)
                last[kind] += 1
                self.old_of[text] = placeholder.renumbered(text, last[kind])


def is_volatile(path: KeyPath) -> bool:
    """Return whether the value at ``path`` differs in every answer."""
    names = [step for step in path if isinstance(step, str)]
    return not form().volatile_fields.isdisjoint(names) or bool(names and is_id(names[-1]))


def is_id(name: str) -> bool:
    """Return whether a field of that name has an id."""
    return _ID_FIELD.fullmatch(name) is not None or name in form().id_fields


def same_request(old: Request, new: Request, ids: Renaming, rule: Rule = EXACT) -> bool:
    """Return whether two requests are the same by the rule."""
    a, b = old.url, new.url
    ours, theirs = (sorted(rule.query(parse_qsl(u.query, True))) for u in (a, b))
    return (
        (old.method == new.method or Part.METHOD not in rule.parts)
        and (plain_path(a.path) == plain_path(b.path) or Part.PATH not in rule.parts)
        and (ours == theirs or Part.QUERY not in rule.parts)
        and (Part.BODY not in rule.parts or _same_request_body(old, new, ids, rule))
    )


def _same_request_body(old: Request, new: Request, ids: Renaming, rule: Rule) -> bool:
    if _same_body(old.body, old.headers, new.body, new.headers, ids):
        return True
    plain = (decompress(r.body, encoding_of(r.headers)) for r in (old, new))
    ours, theirs = map(bodies.value_of, plain)
    if ours is bodies.ABSENT or theirs is bodies.ABSENT:
        return False
    silent = silent_values(new.method, new.url.path)
    return _same_value(rule.body(ours, silent), rule.body(theirs, silent), ids)


def same_response(old: Response, new: Response, ids: Renaming) -> bool:
    """Return whether two answers are the same, with the ids paired so far."""
    return (
        (old.status, old.wire.end) == (new.status, new.wire.end)
        and _fixed(old.headers) == _fixed(new.headers)
        and _same_body(old.body, old.headers, new.body, new.headers, ids)
    )


def same(old: Interaction, new: Interaction, ids: Renaming, rule: Rule = EXACT) -> bool:
    """Return whether two interactions are the same, with the ids paired so far."""
    return same_request(old.request, new.request, ids, rule) and same_response(
        old.response, new.response, ids
    )


def pairs(
    old: Sequence[Interaction], new: Sequence[Interaction], rule: Rule = EXACT
) -> list[tuple[int | None, int | None]]:
    """Pair the numbers of interactions: equal requests first, then the rest in order.

    The result is in the new order; unpaired ones of ``old`` come last.
    """
    rest = dict(enumerate(old))
    found: dict[int, int] = {}
    for number, interaction in enumerate(new):
        for other, candidate in rest.items():
            if same_request(candidate.request, interaction.request, Renaming(), rule):
                found[number] = other
                del rest[other]
                break
    for number, interaction in enumerate(new):
        if number not in found:
            route = interaction.request.method, interaction.request.url.path
            for other, candidate in rest.items():
                if (candidate.request.method, candidate.request.url.path) == route:
                    found[number] = other
                    del rest[other]
                    break
    return [(found.get(n), n) for n in range(len(new))] + [(other, None) for other in rest]


def _same_body(a: bytes, a_headers: Headers, b: bytes, b_headers: Headers, ids: Renaming) -> bool:
    if a == b:
        return True
    ours, theirs = _documents(a, a_headers), _documents(b, b_headers)
    return len(ours) == len(theirs) and all(
        _same_document(x, y, ids) for x, y in zip(ours, theirs, strict=True)
    )


def _documents(body: bytes, headers: Headers) -> list[Document]:
    plain = decompress(body, encoding_of(headers))
    return documents(plain, header_value(headers, "content-type"))


def _same_document(a: Document, b: Document, ids: Renaming) -> bool:
    if a.event != b.event:
        return False
    if a.data is NOT_JSON or b.data is NOT_JSON:
        return a.text.strip() == b.text.strip()
    return _same_value(a.data, b.data, ids)


def _same_value(a: Any, b: Any, ids: Renaming) -> bool:
    match a, b:
        case dict(), dict():
            return a.keys() == b.keys() and all(
                _same_field(name, a[name], b[name], ids) for name in a
            )
        case list(), list():
            return len(a) == len(b) and all(
                _same_value(x, y, ids) for x, y in zip(a, b, strict=True)
            )
        case str(), str():
            return a == b or ids.old_of.get(b) == a
    return type(a) is type(b) and bool(a == b)


def _same_field(name: str, a: Any, b: Any, ids: Renaming) -> bool:
    if name in form().volatile_fields:
        return True
    if isinstance(a, str) and isinstance(b, str) and a and b and is_id(name):
        return ids.allows(a, b)
    if scrub.is_placeholder(a) and scrub.is_placeholder(b):
        return ids.allows(a, b)
    return _same_value(a, b, ids)


def _fixed(headers: Headers) -> list[tuple[str, str]]:
    volatile = form().is_volatile_header
    return sorted(
        (name, "" if volatile(name) or scrub.is_placeholder(value) else value)
        for name, value in headers
    )


def _edits(body: bytes, kind: str | None, changed: dict[str, str]) -> list[scrub.Edit]:
    edits = [
        scrub.Edit(start, stop, old.encode())
        for document in documents(body, kind)
        for _, start, stop in document.strings()
        if (old := changed.get(body[start:stop].decode("latin-1"))) is not None
    ]
    # A placeholder may stand anywhere, also within a text.
    text = body.decode("latin-1")
    for start, stop in placeholder.spans(text):
        new = changed.get(text[start:stop])
        if new is not None and not any(e.start < stop and start < e.stop for e in edits):
            edits.append(scrub.Edit(start, stop, new.encode()))
    edits.sort(key=lambda edit: edit.start)
    try:
        return sealed(body, edits, kind)
    except UnsealableError:
        return []  # a broken frame stays as it came
