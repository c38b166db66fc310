"""Where a request goes: to an answer of a model, to a side route, or nowhere. Pure.

Paths are known by their ends: whatever stands before them, a version twice or a gateway's prefix,
is a way to write a base URL. An address that nobody serves is answered in the words of the provider
that it seems to be meant for, with what there is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlunsplit

from mockserver.cassettes.cassette import Request
from mockserver.dialects import registry
from mockserver.dialects.dialect import Dialect
from mockserver.dialects.side import SideRoute

_METHODS = ("GET", "POST", "DELETE")
_SLASHES = re.compile("//+")
#: Longer paths, in characters, are shortened where they are shown, and no route is like them.
_LONGEST = 200
#: How alike a path and a template must be to be named as what was meant.
_ALIKE = 0.8
#: What providers have besides, by a part of its path: docs/ROUTES.md says that it is not served.
_OTHERS: Mapping[str, str] = {
    "assistants": "assistants",
    "audio": "audio",
    "batches": "batches",
    "files": "files",
    "fine_tuning": "fine-tuning",
    "images": "images",
    "realtime": "realtime sessions",
    "threads": "assistants",
    "vector_stores": "vector stores",
    "videos": "videos",
}


@dataclass(frozen=True, slots=True)
class Route:
    """Whose a request is, and the side route that it asks; ``None`` for an answer of a model.

    ``request`` has its path in one form. ``named`` is what the path names.
    """

    dialect: Dialect
    request: Request
    side: SideRoute | None = None
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoRoute:
    """An address that nothing is served at.

    ``dialect`` is whose words say so, where that is known. ``allowed`` are the methods that are
    served at that path.
    """

    message: str
    dialect: Dialect | None = None
    allowed: tuple[str, ...] = ()


def find(request: Request) -> Route | NoRoute:
    """Return where a request goes."""
    request = _plain(request)
    method, path = request.method.upper(), request.url.path
    wanted = "GET" if method == "HEAD" else method
    for dialect, side, named in registry.side_routes(wanted, path):
        if registry.takes(dialect, side, request):
            return Route(dialect, request, side, named)
    answering = registry.of_answer(request)
    return _nowhere(request, method) if answering is None else Route(answering, request)


def served() -> tuple[str, ...]:
    """Return all that is served, as it is shown: ``POST …/chat``."""
    return tuple(dict.fromkeys(shown for shown, _, _ in _shown(None)))


def _plain(request: Request) -> Request:
    """Return the request with single slashes, and none at the end."""
    url = request.url
    path = _SLASHES.sub("/", url.path)
    path = path.rstrip("/") or "/"
    if path == url.path:
        return request
    return replace(request, uri=urlunsplit(url._replace(path=path)))


def _nowhere(request: Request, method: str) -> NoRoute:
    path = request.url.path
    shown = path if len(path) <= _LONGEST else f"{path[:_LONGEST]}…"
    allowed = tuple(m for m in _METHODS if m != method and _takes(replace(request, method=m)))
    dialect = registry.that_knows(request)
    if allowed:
        known = registry.of_answer(replace(request, method="POST"))
        message = f"{method} {shown} is not served; {' and '.join(allowed)} is"
        return NoRoute(message, dialect or known, allowed)
    return NoRoute(f"{method} {shown} is not served{_instead(dialect, method, path)}", dialect)


def _instead(dialect: Dialect | None, method: str, path: str) -> str:
    """Return what to ask in place of an address that nothing is served at."""
    other = next((_OTHERS[part] for part in path.split("/") if part in _OTHERS), None)
    if other is not None:
        return f": there are no {other} without recordings; docs/ROUTES.md lists what there is"
    if len(path) <= _LONGEST:
        meant = _meant(dialect, method, path) or _meant(None, method, path)
        if meant is not None:
            return f". Did you mean {meant}?"
    every = ", ".join(dict.fromkeys(f"POST …{path}" for path in _answer_paths(dialect)))
    return f". Answers are at {every}; docs/ROUTES.md lists the rest"


def _takes(request: Request) -> bool:
    path = request.url.path
    return bool(registry.side_routes(request.method, path) or registry.of_answer(request))


def _meant(dialect: Dialect | None, method: str, path: str) -> str | None:
    """Return the route whose end is most like that of a path."""
    best, found = _ALIKE, None
    for shown, wanted, template in _shown(dialect):
        parts = template.count("/")
        end = "/" + "/".join(path.split("/")[-parts:])
        alike = difflib.SequenceMatcher(None, end.casefold(), template.casefold()).ratio()
        alike -= 0.1 if wanted != method else 0.0
        if alike > best:
            best, found = alike, shown
    return found


def _shown(dialect: Dialect | None) -> Iterator[tuple[str, str, str]]:
    """Yield each route: as it is shown, its method, and its template."""
    for path in _answer_paths(dialect):
        yield f"POST …{path}", "POST", path
    for one in _of_provider(dialect):
        for route in one.side_routes:
            yield str(route), route.method, route.path


def _answer_paths(dialect: Dialect | None) -> Iterator[str]:
    """Yield the templates of the paths at which models of a provider answer, or of all."""
    for one in _of_provider(dialect):
        for answering in (one, *one.served_only):
            yield from answering.answer_routes


def _of_provider(dialect: Dialect | None) -> Iterator[Dialect]:
    for one in registry.plain_dialects():
        if dialect is None or _same_provider(one, dialect):
            yield one


def _same_provider(one: Dialect, other: Dialect) -> bool:
    return one is other or (bool(one.provider) and one.provider == other.provider)
