"""Compare two recordings of the same traffic, in a few lines for people.

The shape of an answer is its status, its headers, the kinds of its events in order, and the
fields with their JSON types. Texts, counts and ids are values: a live model changes them each
time, so they are listed but are no drift.
"""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from mockserver.cassettes.cassette import End, Interaction, Response
from mockserver.cassettes.yaml_reader import KeyPath
from mockserver.dialects.registry import form
from mockserver.library import similarity
from mockserver.library.matcher import differences
from mockserver.library.rule import EXACT, Rule
from mockserver.secrets import scrub
from mockserver.wire.content_coding import decompress, encoding_of
from mockserver.wire.documents import NOT_JSON, Document, documents, leaves

#: How many lines of one kind are shown for an interaction, and how long a value may be.
SHOWN, CLIP = 8, 60

_JSON_TYPES: Mapping[type, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
    list: "array",
    dict: "object",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """An answer without its values. Repeated kinds of events are listed once."""

    status: int
    headers: Mapping[str, str]
    events: tuple[str, ...]
    fields: Mapping[str, frozenset[str]]
    end: End


@dataclass(frozen=True, slots=True)
class Drift:
    """Differences of two recordings: ``shapes`` are changes of the interface, ``values`` not."""

    shapes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join((*self.shapes, *self.values)) or "no difference"


def compare(old: Sequence[Interaction], new: Sequence[Interaction], rule: Rule = EXACT) -> Drift:
    """Compare two recordings; interactions are paired by their requests, as far as compared."""
    shapes: list[str] = []
    values: list[str] = []
    for before, after in similarity.pairs(old, new, rule):
        if before is None:
            assert after is not None
            shapes.append(f"+ {_title(after, new[after])}: new")
        elif after is None:
            shapes.append(f"- {_title(before, old[before])}: no longer requested")
        else:
            title = _title(after, new[after])
            shapes += [f"~ {title}: {line}" for line in _shapes(old[before], new[after])]
            values += [f"  {title}: {line}" for line in _asked(old[before], new[after], rule)]
            values += [f"  {title}: {line}" for line in _values(old[before], new[after], rule)]
    return Drift(tuple(shapes), tuple(values))


def shape_of(response: Response) -> Shape:
    """Return the shape of an answer."""
    found = _documents(response)
    fields: defaultdict[str, set[str]] = defaultdict(set)
    for document in found:
        if document.data is not NOT_JSON:
            for path, value in leaves(document.data):
                fields[f"{_kind(document)}{_name(path)}"].add(_JSON_TYPES[type(value)])
    return Shape(
        status=response.status,
        headers={n: _header_value(v) for n, v in response.headers},
        events=tuple(kind for kind, _ in groupby(_kind(d) for d in found)),
        fields={name: frozenset(types) for name, types in fields.items()},
        end=response.wire.end,
    )


def _shapes(old: Interaction, new: Interaction) -> Iterator[str]:
    a, b = shape_of(old.response), shape_of(new.response)
    if a.status != b.status:
        yield f"status {a.status} → {b.status}"
    if a.end != b.end:
        yield f"ended with {a.end} → {b.end}"
    for name in sorted(a.headers.keys() | b.headers.keys()):
        before, after = a.headers.get(name), b.headers.get(name)
        if before != after and not form().is_volatile_header(name):
            yield f"header {name}: {before or 'absent'} → {after or 'absent'}"
    lines = list(_event_changes(a.events, b.events))
    for name in sorted(a.fields.keys() | b.fields.keys()):
        before_types, after_types = a.fields.get(name), b.fields.get(name)
        if before_types is None:
            lines.append(f"field {name} appears")
        elif after_types is None:
            lines.append(f"field {name} disappears")
        elif before_types != after_types:
            lines.append(f"field {name}: {_types(before_types)} → {_types(after_types)}")
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"and {len(lines) - SHOWN} more"


def _event_changes(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, start, stop, other_start, other_stop in matcher.get_opcodes():
        removed, added = old[start:stop], new[other_start:other_stop]
        if removed != added:
            yield from (f"event {kind} disappears" for kind in removed)
            yield from (f"event {kind} appears" for kind in added)


def _asked(old: Interaction, new: Interaction, rule: Rule) -> Iterator[str]:
    """Yield where the request differs, which a recording may be made for."""
    if similarity.same_request(old.request, new.request, similarity.Renaming(), rule):
        return
    found = differences(old.request, new.request, rule)
    for one in found[:SHOWN]:
        yield f"the request differs in {_clip(str(one))}"
    if len(found) > SHOWN:
        yield f"the request differs in {len(found) - SHOWN} more"


def _values(old: Interaction, new: Interaction, rule: Rule) -> Iterator[str]:
    if similarity.same(old, new, similarity.Renaming(), rule):
        return
    before, after = _texts(old.response), _texts(new.response)
    changed = [n for n in before if n in after and before[n] != after[n]]
    for name in changed[:SHOWN]:
        yield f"{name}: {_clip(before[name])} → {_clip(after[name])}"
    if len(changed) > SHOWN:
        yield f"and {len(changed) - SHOWN} more"


def _texts(response: Response) -> dict[str, str]:
    """Return the text of each field of an answer, joined over its events."""
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for document in _documents(response):
        for path, value in () if document.data is NOT_JSON else leaves(document.data):
            if not similarity.is_volatile(path):
                text = value if isinstance(value, str) else json.dumps(value)
                texts[f"{_kind(document)}{_name(path)}"].append(text)
    # A text that is repeated in every event is not a text in pieces.
    return {n: parts[0] if len(set(parts)) == 1 else "".join(parts) for n, parts in texts.items()}


def _documents(response: Response) -> list[Document]:
    plain = decompress(response.body, encoding_of(response.headers))
    return documents(plain, response.header("content-type"))


def _kind(document: Document) -> str:
    if document.data is NOT_JSON:
        return _clip(document.text.strip())
    named = document.data if isinstance(document.data, dict) else {}
    word = named.get("type") or named.get("object")
    if isinstance(word, str):
        return word
    return document.event if document.event not in ("", "message") else "body"


def _name(path: KeyPath) -> str:
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in path)


def _types(types: Iterable[str]) -> str:
    return "|".join(sorted(types))


def _header_value(value: str) -> str:
    return "placeholder" if scrub.is_placeholder(value) else value


def _title(number: int, interaction: Interaction) -> str:
    return f"{number} {interaction.request.method} {interaction.request.url.path}"


def _clip(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= CLIP else f"{text[: CLIP - 1]}…"
