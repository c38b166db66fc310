"""Finds the dialects: a folder each beside this module, and those of installed packages.

A package joins by an entry point in the group ``tapecheck.dialects`` whose value is an object of
a subclass of :class:`~mockserver.dialects.dialect.Dialect`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import TypeVar
from urllib.parse import unquote

from mockserver import dialects as folder
from mockserver.cassettes.cassette import Interaction, Request, Response
from mockserver.dialects.capacity import Capacity, Fitted, fit
from mockserver.dialects.dialect import (
    Dialect,
    Grammar,
    Reasoning,
    UnreadableRequestError,
    UnwritableError,
)
from mockserver.dialects.facts import Facts
from mockserver.dialects.form import COMMON, Form, merged
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection
from mockserver.dialects.refusals import Refusals
from mockserver.dialects.respelling import StreamEvent
from mockserver.dialects.side import ObjectionError, Side, SideRoute, ending
from mockserver.dialects.silent import Silent
from mockserver.dialects.writing import Pace
from mockserver.errors import DialectError, MockServerError
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import AssistantTurn, JsonObject
from mockserver.wire.schedule import Schedule

_T = TypeVar("_T")

GROUP = "tapecheck.dialects"
#: What every dialect has, and of which type.
_MEMBERS: Mapping[str, type | tuple[type, ...]] = {
    "name": str,
    "endpoint": re.Pattern,
    "form": Form,
    "refines": frozenset,
    "reasons": Mapping,
    "grammar": (Grammar, type(None)),
    "capacity": (Capacity, type(None)),
    "silent_values": Mapping,
    "refusals": Refusals,
}


@cache
def dialects() -> Mapping[str, Dialect]:
    """Return all dialects by name; one that refines another comes before it.

    Raises :class:`DialectError` for an installed one that cannot be used.
    """
    found: dict[str, Dialect] = {}
    for dialect in (*_bundled(), *_installed()):
        if dialect.name in found:
            raise DialectError(f"two dialects are called {dialect.name!r}", "uninstall one of them")
        found[dialect.name] = dialect
    ordered = sorted(found.values(), key=lambda d: not d.refines)
    return {dialect.name: dialect for dialect in ordered}


@cache
def form() -> Form:
    """Return the forms of all dialects as one, with what is common to them."""
    return merged((COMMON, *(dialect.form for dialect in dialects().values())))


def find_dialect(name: str) -> Dialect:
    """Return a dialect by name. Raises :class:`DialectError` that lists the names."""
    known = dialects()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        question = f"did you mean {close[0]}? " if close else ""
        raise DialectError(
            f"unknown dialect {name!r}", f"{question}known dialects: {', '.join(sorted(known))}"
        )
    return known[name]


def of_request(request: Request) -> Dialect | None:
    """Return the dialect in which a request asks for an answer; ``None`` if no dialect matches."""
    for dialect in dialects().values():
        # Every request is asked of every dialect, so what is entered for each is not free.
        try:
            if dialect.matches(request):
                return dialect
        except BaseException:
            with _blaming(dialect):
                raise
    return None


def of_answer(request: Request) -> Dialect | None:
    """Return the dialect in which a server without recordings answers a request.

    Paths are known by their ends, so that every way to write a base URL is one. ``None`` if it asks
    for no answer.
    """
    for dialect in _served_only():
        if dialect.matches(request):
            return dialect
    found = of_request(request)
    if found is not None or request.method.upper() != "POST":
        return found
    path = request.url.path
    return next((d for d, end in _answer_ends() if end.fullmatch(path)), None)


def plain_dialects() -> tuple[Dialect, ...]:
    """Return the dialects that are no special case of another, which has the same routes."""
    return tuple(dialect for dialect in dialects().values() if not dialect.refines)


@cache
def _served_only() -> tuple[Dialect, ...]:
    return tuple(older for dialect in plain_dialects() for older in dialect.served_only)


@cache
def _answer_ends() -> tuple[tuple[Dialect, re.Pattern[str]], ...]:
    """Return the ends of paths, older forms of a provider first."""
    every = [(*d.served_only, d) for d in plain_dialects()]
    return tuple((d, ending(path)) for some in every for d in some for path in d.answer_routes)


@lru_cache(maxsize=256)
def side_routes(method: str, path: str) -> tuple[tuple[Dialect, SideRoute, tuple[str, ...]], ...]:
    """Return the side routes of a path, and what the path names.

    Those that know whose request it is come first.
    """
    found = []
    for dialect, route, end in _side_ends():
        if route.method == method and (fits := end.fullmatch(path)):
            named = tuple(unquote(text) for text in fits.groups())
            found.append((dialect, route, named))
    return tuple(sorted(found, key=lambda one: one[1].when is None))


def asks_aside(name: str, method: str, path: str) -> bool:
    """Return whether a request asks for no answer, but for a list of models, for example.

    What stands below the address of answers is about one of them.
    """
    routes = {dialect.name for dialect, _, _ in side_routes(method, path)}
    return name in routes and dialects()[name].endpoint.search(path) is None


@cache
def _side_ends() -> tuple[tuple[Dialect, SideRoute, re.Pattern[str]], ...]:
    return tuple((d, r, ending(r.path)) for d in plain_dialects() for r in d.side_routes)


def answered_aside(dialect: Dialect, route: SideRoute, side: Side) -> Response:
    """Return the answer of a side route.

    Raises :class:`UnreadableRequestError` and :class:`ObjectionError`.
    """
    with _blaming(dialect):
        return route.answer(side)


def takes(dialect: Dialect, route: SideRoute, request: Request) -> bool:
    """Return whether a side route is for a request that has its path."""
    with _blaming(dialect):
        return route.when is None or route.when(request)


def that_knows(request: Request) -> Dialect | None:
    """Return the dialect for whose provider a request is meant, if that is known."""
    for dialect in dialects().values():
        with _blaming(dialect):
            if dialect.knows(request):
                return dialect
    return None


def grammars() -> Iterator[Grammar]:
    """Yield the grammars of native events, each once."""
    yield from {id(d.grammar): d.grammar for d in dialects().values() if d.grammar}.values()


@lru_cache(maxsize=1024)
def silent_values(method: str, path: str) -> Silent:
    """Return which values in the body of a request say no more than the absence of their field.

    Special cases of a dialect share its endpoint, and what its fields mean.
    """
    plain = Request(method=method, uri=path)
    for dialect in dialects().values():
        with _blaming(dialect):
            if not dialect.refines and dialect.matches(plain):
                return Silent(dialect.silent_values)
    return Silent({})


def plain_path(path: str) -> str:
    """Return a path, without percent-encoding, as it is compared."""
    for dialect in dialects().values():
        with _blaming(dialect):
            path = dialect.plain_path(path)
    return path


def base_path(name: str, paths: Sequence[str]) -> str:
    """Return the part of the recorded paths that belongs in a client's base URL."""
    known = dialects().get(name)
    if known is None:
        return paths[0].rstrip("/")
    with _blaming(known):
        return known.base_path(paths)


def other_path(name: str, path: str) -> str:
    """Return where else a client of that dialect may ask for what was recorded; "" for nowhere."""
    known = dialects().get(name)
    if known is None:
        return ""
    with _blaming(known):
        return known.other_path(path)


def facts_of(name: str, *answers: Schedule) -> Facts | None:
    """Read the facts of the answers of one turn; ``None`` for a dialect without a reader."""
    known = dialects().get(name)
    if known is None:
        return None
    with _blaming(known):
        return known.read_facts(answers)


def recorded_call(request: Request) -> tuple[Dialect, NeutralCall] | str:
    """Return the dialect and the call of a recorded request, or why it cannot be run."""
    dialect = of_request(request)
    if dialect is None:
        return f"no dialect matches {request.method} {request.url.path}"
    try:
        with _blaming(dialect):
            return dialect, dialect.read_call(request)
    except UnreadableRequestError as exc:
        return str(exc)


def read_call(dialect: Dialect, request: Request) -> NeutralCall:
    """Return the call of a request. Raises :class:`UnreadableRequestError`."""
    with _blaming(dialect):
        return dialect.read_call(request)


def read_asked(dialect: Dialect, request: Request, memory: Memory) -> NeutralCall:
    """Return the call of a request to a server that remembers.

    Raises :class:`UnreadableRequestError` and :class:`ObjectionError`.
    """
    with _blaming(dialect):
        return dialect.read_asked(request, memory)


def remember(
    dialect: Dialect, request: Request, call: NeutralCall, turn: AssistantTurn, memory: Memory
) -> None:
    """Remember an answer that later requests may refer to, as far as the dialect can say it."""
    with _blaming(dialect):
        dialect.remember(request, call, fitted(dialect, turn).turn, memory)


def written_request(dialect: Dialect, call: NeutralCall) -> Request:
    """Return the request that says a call. Raises :class:`UnwritableError`."""
    with _blaming(dialect):
        return dialect.write_request(call)


def sdk_arguments(dialect: Dialect, call: NeutralCall) -> JsonObject:
    """Return the arguments with which the provider's own SDK makes a call.

    Raises :class:`UnwritableError`.
    """
    with _blaming(dialect):
        return dialect.sdk_arguments(call)


def fitted(dialect: Dialect, turn: AssistantTurn) -> Fitted:
    """Return a turn as a dialect can say it. Raises :class:`UnwritableError`."""
    if dialect.capacity is None:
        raise UnwritableError(f"{dialect.name} answers cannot be written")
    return fit(turn, dialect.capacity)


def written_answer(
    dialect: Dialect,
    turn: AssistantTurn,
    call: NeutralCall,
    pace: Pace,
    request: Request | None = None,
) -> Response:
    """Return the answer that says a turn, as far as the dialect can.

    ``request`` is the one that is answered, where there is one. Raises :class:`UnwritableError`.
    """
    turn = fitted(dialect, turn).turn
    with _blaming(dialect):
        if request is not None:
            return dialect.answer_to(request, turn, call, pace)
        return dialect.write_answer(turn, call, pace)


def asked_reasoning(dialect: Dialect, call: NeutralCall, request: Request) -> Reasoning | None:
    """Return what a request asks for of the model's reasoning; ``None`` for nothing."""
    with _blaming(dialect):
        return dialect.reasoning(call, request)


def written_error(dialect: Dialect, error: ErrorInfo, call: NeutralCall) -> Response:
    """Return the answer that says an error. Raises :class:`UnwritableError`."""
    with _blaming(dialect):
        return dialect.write_error(error, call)


def said_otherwise(dialect: Dialect, event: StreamEvent) -> tuple[tuple[StreamEvent, ...], ...]:
    """Return other events that say the same as one of a stream."""
    with _blaming(dialect):
        return tuple(dialect.said_otherwise(event))


def lane_of(dialect: Dialect, event: StreamEvent) -> int | None:
    """Return which of several things that come side by side an event goes on with, if any."""
    with _blaming(dialect):
        return dialect.lane(event)


def said(dialect: Dialect, ask: Callable[[Refusals], _T]) -> _T:
    """Return what the provider says to a request that it refuses, by its refusals."""
    with _blaming(dialect):
        return ask(dialect.refusals)


def written_objection(dialect: Dialect, objection: Objection, call: NeutralCall) -> Response:
    """Return the answer to a request that is refused. Raises :class:`UnwritableError`."""
    with _blaming(dialect):
        return dialect.write_objection(objection, call)


def continues(dialect: Dialect, before: Sequence[Interaction], request: Request) -> str | None:
    """Return the feature with which a client asks on after the interactions ``before``.

    ``None`` if the request does not belong to their call.
    """
    with _blaming(dialect):
        return dialect.continues(before, request)


def is_pending(dialect: Dialect, answers: Sequence[Schedule]) -> bool:
    """Return whether a client would ask on after these answers of one call."""
    with _blaming(dialect):
        return dialect.is_pending(answers)


@contextmanager
def _blaming(dialect: Dialect) -> Iterator[None]:
    """Name the dialect whose code raises what it should not."""
    try:
        yield
    except (UnreadableRequestError, UnwritableError, ObjectionError):
        raise
    except (MockServerError, KeyboardInterrupt):
        raise
    except BaseException as exc:
        raise DialectError(
            f"the dialect {dialect.name!r} failed: {type(exc).__name__}: {exc}",
            f"fix {type(dialect).__module__}",
        ) from exc


def _bundled() -> Iterator[Dialect]:
    for module in iter_modules(folder.__path__):
        if module.ispkg:
            yield import_module(f"{folder.__name__}.{module.name}").DIALECT


def _installed() -> Iterator[Dialect]:
    for point in entry_points(group=GROUP):
        try:
            loaded = point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as exc:
            raise DialectError(
                f"the dialect {point.name!r} of {point.value} cannot be loaded: "
                f"{type(exc).__name__}: {exc}",
                "fix or uninstall its package",
            ) from exc
        if not isinstance(loaded, Dialect):
            raise DialectError(
                f"{point.value} is not an instance of mockserver.dialects.Dialect",
                "fix the entry point of its package",
            )
        for member, kind in _MEMBERS.items():
            if not isinstance(getattr(loaded, member, None), kind):
                raise DialectError(
                    f"{member!r} of the dialect {point.value} is missing or of a wrong type",
                    "docs/AUTHORING.md shows a dialect; fix its package",
                )
        yield loaded
