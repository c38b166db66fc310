"""Find the recorded request that a request equals, or those that come closest.

Hosts and headers are not compared: a client talks to another host here, and its headers have
its version and its key. Credentials in a query are ignored on both sides. Where something was
replaced in a recorded request, any value fits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any
from urllib.parse import parse_qsl, unquote

from mockserver.cassettes.cassette import Request
from mockserver.dialects import registry
from mockserver.dialects.silent import Silent
from mockserver.library import bodies
from mockserver.library.bodies import ABSENT, canonical
from mockserver.library.rule import EXACT, Part, Rule
from mockserver.secrets import names, placeholder

#: Longest text of a value in a difference.
CLIP = 120


@dataclass(frozen=True, slots=True)
class Signature:
    """What identifies a request, small enough to store for every request of a library.

    ``body`` is a digest; ``fields`` has a hash of each top-level field of a JSON object.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes
    fields: tuple[int, ...]

    def key(self, parts: tuple[Part, ...]) -> Hashable:
        """Return a value that two requests share if they are equal in ``parts``."""
        return _getter(parts)(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """One value in which a request differs from the recorded one.

    ``at`` is the part, followed by a JSON pointer (RFC 6901) inside a body. A side without the
    value is ``None``; values are clipped JSON or text.
    """

    at: str
    expected: str | None
    got: str | None

    def __str__(self) -> str:
        return f"{self.at}: recorded {self.expected or 'nothing'}, got {self.got or 'nothing'}"


@lru_cache(maxsize=1024)
def plain_path(path: str) -> str:
    """Return the path as it is compared: clients differ in what they encode, and in versions."""
    return registry.plain_path(unquote(path) or "/")


@lru_cache
def _getter(parts: tuple[Part, ...]) -> Callable[[Signature], Hashable]:
    return attrgetter(*parts)


def signature(request: Request, rule: Rule = EXACT, *, ranked: bool = True) -> Signature:
    """Return what identifies ``request``, without ``fields`` if it will not be ranked."""
    url = request.url
    fields: tuple[int, ...] = ()
    if ranked:
        data, text = _read(request, rule)
        body = _digest(text, 16)
        fields = tuple(_field_hashes(data)) if isinstance(data, dict) else ()
    else:
        digest = _cached_body if len(request.body) <= _SMALL else _body
        body = digest(request.body, rule, _silent(request))
    return Signature(
        method=sys.intern(request.method.upper()),
        path=plain_path(url.path),
        query=_query(url.query, rule),
        body=body,
        fields=fields,
    )


def _body(body: bytes, rule: Rule, silent: Silent) -> bytes:
    return _digest(_value(body, rule, silent)[1], 16)


#: Clients under test send the same bodies again; up to this length, digests are cached.
_SMALL = 16 * 1024
_cached_body = lru_cache(maxsize=128)(_body)


def fits(recorded: str, got: str) -> bool:
    """Return whether ``got`` is the recorded text, with any value for each placeholder."""
    if recorded == got or not placeholder.may_have(recorded):
        return recorded == got
    first, *between, last = placeholder.split(recorded)
    if not got.startswith(first) or not got.endswith(last):
        return False
    at = len(first)
    for part in between:
        # A value has at least one character.
        found = got.find(part, at + 1)
        if found < 0:
            return False
        at = found + len(part)
    return at < len(got) - len(last)


def same_path(recorded: str, got: str) -> bool:
    """Return whether plain paths are the same; a placeholder fits within one segment."""
    if recorded == got or not placeholder.may_have(recorded):
        return recorded == got
    ours, theirs = recorded.split("/"), got.split("/")
    return len(ours) == len(theirs) and all(map(fits, ours, theirs))


def has_placeholder(request: Request) -> bool:
    """Return whether the compared parts of a recorded request have placeholders."""
    url = request.url
    return (
        placeholder.may_have(url.path)
        or any(placeholder.may_have(value) for _, value in _query(url.query, EXACT))
        or placeholder.may_have(request.body.decode("latin-1"))
    )


def fixed_fields(request: Request, rule: Rule = EXACT) -> frozenset[int]:
    """Return hashes of the compared top-level fields of a body that have no placeholder."""
    data, _ = _read(request, rule)
    if not isinstance(data, dict):
        return frozenset()
    fixed = {
        name: value
        for name, value in data.items()
        if not placeholder.may_have(canonical(value).decode("latin-1"))
    }
    return frozenset(_field_hashes(fixed))


def accepts(recorded: Request, got: Request, rule: Rule = EXACT) -> bool:
    """Return whether ``got`` is the recorded request, as far as it is compared."""
    return next(_differences(recorded, got, rule), None) is None


def sorting_key(request: Request, rule: Rule = EXACT) -> tuple[str, str, str, bytes]:
    """Return what puts requests into an order that does not depend on when they came."""
    url = request.url
    query = "&".join(f"{name}={value}" for name, value in _query(url.query, rule))
    return request.method.upper(), plain_path(url.path), query, _read(request, rule)[1]


def rank(got: Signature, candidates: Iterable[Signature]) -> list[int]:
    """Return the positions of the candidates, nearest first; ties keep their order."""
    scores = [_similarity(got, candidate) for candidate in candidates]
    return sorted(range(len(scores)), key=lambda i: -scores[i])


def differences(expected: Request, got: Request, rule: Rule = EXACT) -> tuple[Difference, ...]:
    """Return where ``got`` differs from ``expected``, as far as it is compared."""
    return tuple(_differences(expected, got, rule))


def _differences(expected: Request, got: Request, rule: Rule) -> Iterator[Difference]:
    a, b, parts = expected.url, got.url, rule.parts
    if Part.METHOD in parts and expected.method.upper() != got.method.upper():
        yield Difference("method", expected.method.upper(), got.method.upper())
    if Part.PATH in parts and not same_path(plain_path(a.path), plain_path(b.path)):
        yield Difference("path", plain_path(a.path), plain_path(b.path))
    if Part.QUERY in parts:
        yield from _query_differences(_query(a.query, rule), _query(b.query, rule))
    if Part.BODY in parts:
        yield from _body_differences(expected, got, rule)


#: Deeper values are compared as a whole.
_DEEPEST = 40


def _silent(request: Request) -> Silent:
    return registry.silent_values(request.method, request.url.path)


def _read(request: Request, rule: Rule) -> tuple[Any, bytes]:
    return _value(request.body, rule, _silent(request))


def _value(body: bytes, rule: Rule, silent: Silent) -> tuple[Any, bytes]:
    """Return the value of a body as far as it is compared, with its canonical form.

    The value is :data:`ABSENT` for bytes; their canonical form is the body itself.
    """
    data = bodies.value_of(body)
    if data is ABSENT:
        return data, body
    try:
        data = rule.body(data, silent) if silent or rule.changes_bodies else data
        return data, canonical(data)
    except RecursionError:
        return ABSENT, body


def _field_hashes(data: dict[str, Any]) -> Iterator[int]:
    for name in sorted(data):
        yield int.from_bytes(_digest(canonical([name, data[name]]), 6), "big")


def _digest(data: bytes, size: int) -> bytes:
    return blake2b(data, digest_size=size).digest()


@lru_cache(maxsize=256)
def _query(text: str, rule: Rule) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    pairs = rule.query(parse_qsl(text, keep_blank_values=True))
    return tuple(sorted((n, v) for n, v in pairs if not names.is_secret_key(n)))


def _similarity(a: Signature, b: Signature) -> float:
    # A different path weighs more than a different method, and that more than a few fields.
    return (
        4 * _path_similarity(a.path, b.path)
        + 2 * (a.method == b.method)
        + (a.query == b.query)
        + 3 * _body_similarity(a, b)
    )


def _body_similarity(a: Signature, b: Signature) -> float:
    if a.body == b.body:
        return 1.0
    ours, theirs = set(a.fields), set(b.fields)
    return 0.9 * len(ours & theirs) / (len(ours | theirs) or 1)


def _path_similarity(a: str, b: str) -> float:
    if a == b:
        return 1.0
    # Base URLs differ at the front, resources agree at the end.
    ours, theirs = a.split("/"), b.split("/")
    same = 0
    for x, y in zip(reversed(ours), reversed(theirs), strict=False):
        if x != y:
            break
        same += 1
    return 0.9 * same / max(len(ours), len(theirs))


#: Parameters whose values are made ready to be shown; more are only counted.
_MOST_CLIPPED = 100


def _query_differences(
    expected: Sequence[tuple[str, str]], got: Sequence[tuple[str, str]]
) -> Iterator[Difference]:
    # Grouped first: a request may have thousands of parameters.
    ours, theirs = _grouped(expected), _grouped(got)
    shown = 0
    for name in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(name, []), theirs.get(name, [])
        if len(a) != len(b) or not all(map(fits, a, b)):
            shown += 1
            many = shown > _MOST_CLIPPED
            yield Difference(
                f"query/{name}", *(None if many or not v else _clip(v) for v in (a, b))
            )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _body_differences(expected: Request, got: Request, rule: Rule) -> Iterator[Difference]:
    (a, _), (b, _) = _read(expected, rule), _read(got, rule)
    if a is not ABSENT and b is not ABSENT:
        yield from _value_differences(a, b, "body")
    elif not fits(expected.body.decode("latin-1"), got.body.decode("latin-1")):
        yield Difference("body", _clip(expected.body), _clip(got.body))


def _value_differences(a: Any, b: Any, at: str) -> Iterator[Difference]:
    deep = at.count("/") >= _DEEPEST
    match a, b:
        case dict(), dict() if not deep:
            for name in [*a, *(n for n in b if n not in a)]:
                yield from _value_differences(
                    a.get(name, ABSENT), b.get(name, ABSENT), f"{at}/{_escape(name)}"
                )
        case list(), list() if not deep:
            for i in range(max(len(a), len(b))):
                yield from _value_differences(
                    a[i] if i < len(a) else ABSENT, b[i] if i < len(b) else ABSENT, f"{at}/{i}"
                )
        case str(), str() if fits(a, b):
            return
        case int(), int() | float() if placeholder.is_placeholder(a):
            return
        case _ if a is ABSENT or b is ABSENT or canonical(a) != canonical(b):
            secret = names.is_secret_key(at.rpartition("/")[2])
            yield Difference(
                at,
                names.PLACEHOLDER if secret and a is not ABSENT else _clip(a),
                names.PLACEHOLDER if secret and b is not ABSENT else _clip(b),
            )


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _clip(value: Any) -> str | None:
    if value is ABSENT:
        return None
    if isinstance(value, bytes):
        text = value[: CLIP * 4].decode(errors="replace") or "nothing"
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= CLIP else text[: CLIP - 1] + "…"
