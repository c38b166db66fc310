"""The adapter interface: what the harness asks of a client, and how a client answers.

An adapter is a function that takes a :class:`Call` and yields what the client made of the
answer: any number of events, then at most one :class:`~harness.model.AssistantTurn`. It may
be a generator, an async generator, a function or a coroutine that returns the turn or a list.
Events and turn may be objects of ``harness.model`` or plain dicts in the form of
``specs/schemas``. A failure is an ``error`` event, or a raised :class:`ClientError`; any
other exception that escapes counts against the client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.judge.kinds import Level
from harness.judge.terms import ERRORS, EXPOSABLE, GRANULARITIES, PROFILES, Terms
from mockserver.errors import did_you_mean
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


class DeclarationError(ValueError):
    """An adapter declares a word that does not exist. ``hint`` lists the known ones."""

    def __init__(self, what: str, word: object, known: Iterable[str]) -> None:
        words = list(known)
        super().__init__(f"{what}: unknown word {word!r}{did_you_mean(str(word), words)}")
        self.hint = f"known are {', '.join(words)}"


class ClientError(Exception):
    """A failure that the client reports as it should, by raising.

    ``turn`` is the part of the turn that was received before, if any.
    """

    def __init__(self, error: ErrorInfo, turn: AssistantTurn | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.turn = turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A client under test: its function and what it declares about itself.

    ``dialects`` are the wire formats that it speaks, ``features`` words of the closed list in
    ``specs/schemas/scenario.schema.json``. ``exposes`` are words of
    :data:`harness.judge.terms.EXPOSABLE`, ``None`` where nothing is declared; ``listed`` are those
    that are named one by one, not by a profile, which some case of a whole run must give.
    ``errors`` says how
    finely its errors can be distinguished: ``class``, ``family`` or ``none``. ``gives_up`` is false
    for a client that waits for ever on a silent stream. ``granularity`` is ``exact`` for one whose
    events are compared one by one. ``level`` is the level of findings that fail it. ``version``
    says what a client in another language is made of, for reports.
    """

    name: str
    run: Callable[[Call], Any]
    dialects: frozenset[str]
    features: frozenset[str]
    exposes: frozenset[str] | None = None
    listed: frozenset[str] = frozenset()
    errors: str = "family"
    gives_up: bool = True
    granularity: str = "any"
    level: Level = Level.MUST
    version: str = ""

    def __post_init__(self) -> None:
        for what, word, known in (
            ("granularity", self.granularity, GRANULARITIES),
            ("errors", self.errors, ERRORS),
        ):
            if word not in known:
                raise DeclarationError(what, word, known)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", self.name):
            raise ValueError(
                f"a name has letters, digits, '.', '_' and '-', not {self.name!r:.80}: give another"
            )
        if unknown := sorted((self.exposes or frozenset()) - EXPOSABLE.keys()):
            raise DeclarationError("exposes", unknown[0], EXPOSABLE)

    @property
    def terms(self) -> Terms:
        """What its judging depends on."""
        return Terms(
            features=self.features,
            exposes=self.exposes,
            errors=self.errors,
            granularity=self.granularity,
            level=self.level,
        )


def _name_of(function: Callable[[Call], Any]) -> str:
    """Return the name of a function in the characters of adapters' names."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", function.__name__).strip("-.") or "adapter"


def exposed(profile: str | None, exposes: Iterable[str] | None) -> frozenset[str] | None:
    """Return what a profile and a list expose together; ``None`` for neither.

    Raises :class:`DeclarationError` for an unknown profile.
    """
    if profile is None:
        return None if exposes is None else frozenset(exposes)
    if profile not in PROFILES:
        raise DeclarationError("profile", profile, PROFILES)
    return PROFILES[profile] | frozenset(exposes or ())


def adapter(
    *,
    dialects: Iterable[str],
    features: Iterable[str],
    name: str | None = None,
    profile: str | None = None,
    exposes: Iterable[str] | None = None,
    errors: str = "family",
    idle_timeout: bool | str = True,
    granularity: str = "any",
    level: str = "must",
) -> Callable[[Callable[[Call], Any]], Adapter]:
    """Declare a function as an adapter.

    ``tapecheck run --adapter file.py`` finds it by this mark. ``profile`` is a preset of
    ``exposes``, and both may be given. ``idle_timeout`` is "none", or false, for a client that
    waits for ever on a silent stream. Raises :class:`DeclarationError` for an unknown word; unknown
    dialects and features are reported by the run, with the known ones.
    """
    listed = frozenset(exposes or ())
    words = exposed(profile, None if exposes is None else listed)
    if level not in list(Level):
        raise DeclarationError("level", level, Level)
    if idle_timeout not in (True, False, "none"):
        raise DeclarationError("idle_timeout", idle_timeout, ("none",))

    def declare(function: Callable[[Call], Any]) -> Adapter:
        return Adapter(
            name=name or _name_of(function),
            run=function,
            dialects=frozenset(dialects),
            features=frozenset(features),
            exposes=words,
            listed=listed,
            errors=errors,
            gives_up=idle_timeout not in (False, "none"),
            granularity=granularity,
            level=Level(level),
        )

    return declare
