"""The protocol of every wire format.

A dialect is one folder whose package has a ``DIALECT``, an object of a subclass of
:class:`Dialect`. A folder may begin with a name, an endpoint and a form: then its wires are
served, recorded and scrubbed, and what needs more says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol, runtime_checkable
from urllib.parse import urlsplit

from mockserver.cassettes.cassette import Interaction, Request, Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.facts import Facts
from mockserver.dialects.form import Form
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection
from mockserver.dialects.refusals import Refusals
from mockserver.dialects.respelling import StreamEvent
from mockserver.dialects.side import SideRoute
from mockserver.dialects.writing import Pace
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorInfo
from mockserver.vocabulary.model import AssistantTurn, FinishReason, Json, JsonObject
from mockserver.wire.schedule import Schedule


class UnreadableRequestError(ValueError):
    """A recorded request cannot be turned back into a call. The message says why."""


class UnwritableError(ValueError):
    """A call or a turn has something that the dialect cannot say. The message says what."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is wrong with native events, or differs between them and something else.

    ``at`` is the number of the event, from 0, where there is one. ``expected`` and ``observed``
    are JSON values.
    """

    message: str
    at: int | None = None
    expected: Json = None
    observed: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The forms of what a provider makes up, for :func:`~mockserver.dialects.writing.made_id`.

    ``answer`` and ``call`` are the ids of answers and of tool calls, in which ``{name}`` stands for
    the name of the tool. ``seal`` is what the proof of reasoning begins with, in base64.
    """

    answer: str = "#" * 24
    call: str = "call_" + "*" * 24
    seal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """What a call wants to get of the model's reasoning.

    ``shown``: its text; ``sealed``: what must come back with it; ``calls_sealed``: the first tool
    call of an answer, or its text, has such a proof of its own.
    """

    shown: bool = True
    sealed: bool = True
    calls_sealed: bool = False


@runtime_checkable
class Grammar(Protocol):
    """The rules of a dialect's own event sequence, for clients that emit it.

    Pure functions from native events to differences, independent of clients.
    """

    #: The feature by which a client declares that it emits these events.
    feature: str
    #: The JSON Schema of one event, by the name of its file without the ending.
    schema: str

    def violations(
        self, events: Sequence[JsonObject], malformed: Collection[int] = ()
    ) -> Iterator[Difference]:
        """Yield what is wrong with a sequence.

        ``malformed`` are the numbers of events that violate their schema: what cannot be read of
        these, and of events that build on them, is left out.
        """

    def relayed(self, events: Sequence[Json], answer: Schedule) -> Iterator[Difference]:
        """Yield where events differ from those of the answer that they relay."""

    def against_turn(
        self,
        events: Sequence[JsonObject],
        turn: AssistantTurn,
        *,
        relayed: bool,
        answer: Schedule | None,
    ) -> Iterator[Difference]:
        """Yield where the native events differ from the turn.

        ``relayed``: they come from the wire; ``answer`` is the last answer, if any.
        """

    def resplit(self, events: Sequence[JsonObject], *, relayed: bool) -> Iterator[Difference]:
        """Yield the other ways to split the deltas that change the turn."""


@lru_cache(maxsize=256)
def _ends_in(endpoint: str, uri: str) -> bool:
    """Return whether the path of an address ends so; every dialect is asked of every request."""
    return re.fullmatch(rf".*(?:{endpoint})", urlsplit(uri).path) is not None


class Dialect:
    """One wire format of one provider API."""

    #: The name in scenarios, declarations and cassette folders.
    name: ClassVar[str]
    #: The part of a request path that marks a request for an answer; the base URL ends before it.
    endpoint: ClassVar[re.Pattern[str]]
    form: ClassVar[Form] = Form()
    #: What the provider's own base URL ends in. Some clients add it to every base URL.
    version: ClassVar[str] = ""
    #: Names of dialects with the same endpoint that this one is a special case of.
    refines: ClassVar[frozenset[str]] = frozenset()
    #: Values in the body of a request that say no more than the absence of their field, by its
    #: place: ``messages.*.refusal``. Requests that differ in these only are the same.
    silent_values: ClassVar[Mapping[str, tuple[Json, ...]]] = {}
    #: The provider's words for why it stopped that have one plain meaning.
    reasons: ClassVar[Mapping[str, FinishReason]] = {}
    #: The rules of its native events, if the wire carries some.
    grammar: ClassVar[Grammar | None] = None
    #: What its answers can hold; ``None`` where answers cannot be written.
    capacity: ClassVar[Capacity | None] = None
    #: The ids that the provider makes.
    ids: ClassVar[Ids] = Ids()
    #: Whether a result goes back with the name of its call: nothing refers to an id then.
    results_by_name: ClassVar[bool] = False
    #: Whose API it is; dialects of one provider are named together. Empty: a provider of its own.
    provider: ClassVar[str] = ""
    #: Ends of paths that are asked for an answer, as templates; they are taken where ``matches``
    #: takes no path, whatever stands before them: base URLs are written in many ways.
    answer_routes: ClassVar[tuple[str, ...]] = ()
    #: What the provider serves besides answers.
    side_routes: ClassVar[tuple[SideRoute, ...]] = ()

    @property
    def served_only(self) -> tuple[Dialect, ...]:
        """Older forms of the same provider, that a server without recordings answers too.

        They are no dialects of cassettes: nobody's client is judged by them.
        """
        return ()

    #: What the provider refuses, and in which words.
    refusals: ClassVar[Refusals] = Refusals()

    def matches(self, request: Request) -> bool:
        """Return whether a request asks for an answer in this dialect."""
        return request.method.upper() == "POST" and _ends_in(self.endpoint.pattern, request.uri)

    def base_path(self, paths: Sequence[str]) -> str:
        """Return the part of the recorded ``paths`` that belongs in a client's base URL.

        The first path counts that has the endpoint, or something below it: a token endpoint may
        have been asked before. If none has it, all of the first.
        """
        for path in paths:
            for found in reversed(list(self.endpoint.finditer(path))):
                if path[found.end() :][:1] in ("", "/"):
                    return path[: found.start()]
        return paths[0].rstrip("/")

    def other_path(self, path: str) -> str:
        """Return where clients ask that add ``version`` to a base URL without it; else "".

        Behind a base URL that another provider chose they cannot say ``path`` at all.
        """
        base = self.base_path([path])
        if not self.version or base.endswith(self.version):
            return ""
        return base + self.version + path.removeprefix(base)

    def read_call(self, _request: Request) -> NeutralCall:
        """Turn a recorded request back into a call. Raises :class:`UnreadableRequestError`."""
        raise UnreadableRequestError(f"{self.name} requests cannot be turned back into calls")

    def knows(self, _request: Request) -> bool:
        """Return whether a request that asks for no answer is meant for this provider.

        By what only its clients send: a header, a part of the path.
        """
        return False

    def read_asked(self, request: Request, _memory: Memory) -> NeutralCall:
        """Return the call of a request to a server that remembers what it answered before.

        What only a server needs to know is among the options. Raises
        :class:`UnreadableRequestError`, and :class:`~mockserver.dialects.side.ObjectionError` for
        a reference to what is not there.
        """
        return self.read_call(request)

    def remember(
        self, _request: Request, _call: NeutralCall, _turn: AssistantTurn, _memory: Memory
    ) -> None:
        """Remember an answer that later requests may refer to."""

    def plain_path(self, path: str) -> str:
        """Return a path in the one form that recorded and received ones are compared in.

        For dialects whose clients ask for the same at several addresses, such as versions.
        """
        return path

    def plain_request(self, body: JsonObject) -> JsonObject:
        """Return the body of a request in the one form that scenarios state.

        For dialects in which the same can be said in several ways.
        """
        return body

    def write_request(self, _call: NeutralCall) -> Request:
        """Return the request that says a call, to the provider's own address.

        It has no key, and the headers that every request needs. ``options`` of the call that have
        a Chat Completions name are translated, others go into the body as they are. Raises
        :class:`UnwritableError` for what the dialect cannot say.
        """
        raise UnwritableError(f"{self.name} requests cannot be written")

    def sdk_arguments(self, call: NeutralCall) -> JsonObject:
        """Return the keyword arguments with which the provider's own SDK makes a call.

        They are the fields of the request, without ``stream``: most SDKs have a method for each
        form. Raises :class:`UnwritableError`.
        """
        body: JsonObject = json.loads(self.write_request(call).body)
        return {name: value for name, value in body.items() if name != "stream"}

    def write_answer(self, _turn: AssistantTurn, _call: NeutralCall, _pace: Pace) -> Response:
        """Return what the provider would answer, streamed if the call is.

        The turn has only what :attr:`capacity` allows: :func:`~mockserver.dialects.fit` it before.
        Fields that the turn leaves open, such as its id, are made from it. A failed turn is its
        parts and then the error in band, or the error alone if the answer is not streamed.
        """
        raise UnwritableError(f"{self.name} answers cannot be written")

    def said_otherwise(self, _event: StreamEvent) -> Iterator[tuple[StreamEvent, ...]]:
        """Yield other events that say the same as one of a stream, as a provider may send them.

        Events that say nothing may stand before it, and fields that say nothing in it. That every
        JSON object may have a field more goes without saying.
        """
        yield from ()

    def lane(self, _event: StreamEvent) -> int | None:
        """Return which of several things that come side by side an event goes on with.

        Neighbouring events of different lanes may change places; ``None`` for any other event.
        """
        return None

    def answer_to(
        self, _request: Request, turn: AssistantTurn, call: NeutralCall, pace: Pace
    ) -> Response:
        """Return what the provider would answer at once to a request that says the call.

        As :meth:`write_answer`, but for answers that repeat their request, and for jobs that are
        polled, whose answer comes later.
        """
        return self.write_answer(turn, call, pace)

    def reasoning(self, call: NeutralCall, _request: Request) -> Reasoning | None:
        """Return what the request of a call asks for of the reasoning; ``None`` for nothing."""
        wanted = call.options.get("reasoning_effort") not in (None, "none")
        return Reasoning() if wanted else None

    def write_error(self, _error: ErrorInfo, _call: NeutralCall) -> Response:
        """Return what the provider would answer for an error with an HTTP status."""
        raise UnwritableError(f"{self.name} answers cannot be written")

    def write_objection(self, objection: Objection, call: NeutralCall) -> Response:
        """Return what the provider would answer to a request that it refuses."""
        return self.write_error(objection.error, call)

    def continues(self, _before: Sequence[Interaction], _request: Request) -> str | None:
        """Return the feature with which a client asks on, if a request does so.

        It belongs then to the call that led to the interactions ``before``. A repeated request is
        a call of its own, and redirects are known to all dialects.
        """
        return None

    def is_pending(self, _answers: Sequence[Schedule]) -> bool:
        """Return whether a client of this dialect would ask on after these answers of one call."""
        return False

    def sdk_program(
        self, _base_url: str, _body: JsonObject, _max_retries: int = 0, _path: str = ""
    ) -> str | None:
        """Return a Python program that sends a request with the provider's own SDK.

        ``path`` is that of the request, for APIs that have the model in it. ``None`` where the
        dialect knows no SDK.
        """
        return None

    @property
    def reads_facts(self) -> bool:
        """Whether results of clients can be judged by the facts of the wire."""
        return type(self).read_facts is not Dialect.read_facts

    def read_facts(self, _answers: Sequence[Schedule]) -> Facts | None:
        """Read what the answers to all requests of one turn say, in order, at least one.

        ``None`` where the dialect has no reader.
        """
        return None
