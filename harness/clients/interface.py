"""The adapter interface: what the harness asks of a client, and how a client answers.

An adapter is a function that takes a :class:`Call` and yields what the client made of the
answer: any number of events, then at most one :class:`~harness.model.AssistantTurn`. It may
be a generator, an async generator, a function or a coroutine that returns the turn or a list.
Events and turn may be objects of ``harness.model`` or plain dicts in the form of
``specs/schemas``. A failure is an ``error`` event, or a raised :class:`ClientError`; any
other exception that escapes counts against the client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.vocabulary import AssistantTurn, ErrorInfo, Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that the adapter has to make, in words common to all dialects.

    ``messages`` and ``tools`` have the shape of OpenAI Chat Completions; an adapter for
    another dialect translates. An assistant message of an earlier turn also has ``parts``, the
    normalized parts of that turn, for what Chat Completions cannot express.
    ``base_url`` has no slash at its end and replaces the provider's own base URL
    (``https://api.openai.com/v1``). ``dialect`` names the wire format that is spoken there, for
    adapters that know several. ``timeout`` is the longest wait for the next byte, in
    seconds. ``options`` has the rest by its Chat Completions name.
    """

    base_url: str
    api_key: str
    model: str
    messages: tuple[JsonObject, ...]
    tools: tuple[JsonObject, ...] = ()
    stream: bool = True
    timeout: float = 30.0
    max_retries: int = 0
    options: Mapping[str, Json] = field(default_factory=dict)
    dialect: str = ""


class ClientError(Exception):
    """A failure that the client reports as it should, by raising.

    ``turn`` is the part of the turn that was received before, if any.
    """

    def __init__(self, error: ErrorInfo, turn: AssistantTurn | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.turn = turn


GRANULARITIES = ("exact", "coalesced")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A client under test: its function and what it declares about itself.

    ``dialects`` are the wire formats that it speaks, ``features`` words of the closed list in
    ``specs/schemas/scenario.schema.json``. ``granularity`` is ``coalesced`` for a client that
    merges neighbouring deltas.
    """

    name: str
    run: Callable[[Call], Any]
    dialects: frozenset[str]
    features: frozenset[str]
    granularity: str = "exact"


def adapter(
    *,
    dialects: Iterable[str],
    features: Iterable[str],
    name: str | None = None,
    granularity: str = "exact",
) -> Callable[[Callable[[Call], Any]], Adapter]:
    """Declare a function as an adapter.

    ``tapecheck run --adapter file.py`` finds it by this mark. Raises ``ValueError`` for an
    unknown granularity; unknown features are reported by the run, with the known ones.
    """
    if granularity not in GRANULARITIES:
        raise ValueError(f"granularity is one of {', '.join(GRANULARITIES)}, not {granularity!r}")

    def declare(function: Callable[[Call], Any]) -> Adapter:
        return Adapter(
            name=name or function.__name__.replace("_", "-"),
            run=function,
            dialects=frozenset(dialects),
            features=frozenset(features),
            granularity=granularity,
        )

    return declare
