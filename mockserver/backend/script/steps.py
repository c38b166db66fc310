"""What a script says: conditions, and the answers that they lead to. Pure data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mockserver.cassettes.cassette import Interaction
from mockserver.vocabulary.model import AssistantTurn, Json, Usage
from mockserver.wire.variation import Break


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When an answer fits; every part that is given must.

    ``text`` is in the last message of the user, in any case, and ``pattern`` is found there.
    ``model`` is a glob; ``system`` is in the instructions. ``turn`` is how many messages of the
    model the conversation has, ``image`` whether it has an image. ``headers`` are globs by lower
    case names. ``after`` is a tool whose result has just come.
    """

    text: str | None = None
    pattern: re.Pattern[str] | None = None
    model: str | None = None
    system: str | None = None
    turn: int | None = None
    image: bool | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call of a tool.

    ``arguments`` is an object, or a value for the tool's only parameter. Without ``given`` they are
    made up as the schema of the tool says.
    """

    name: str
    arguments: Json = None
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """An error of the provider: its HTTP status, the seconds to wait, and its words if given."""

    status: int
    retry: float | None = None
    message: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """A cassette to play: its name, and what it has recorded."""

    name: str
    interactions: tuple[Interaction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One answer, and how it is sent.

    ``where`` is the place in the script. ``data`` is JSON text. ``fail`` beside a text is an error
    in the middle of the answer. ``turn`` is a whole turn, ``play`` the wire itself. ``first_ms``
    and ``each_ms`` are the times of the first piece and between two, and ``jitter`` by how much,
    0 to 1, they are longer or shorter. ``times`` is how often it is given.
    """

    where: str
    think: str | None = None
    say: str | None = None
    data: str | None = None
    refuse: str | None = None
    calls: tuple[ToolCall, ...] = ()
    embed: tuple[tuple[float, ...], ...] | None = None
    fail: Fail | None = None
    turn: AssistantTurn | None = None
    play: Tape | None = None
    usage: Usage | None = None
    first_ms: float | None = None
    each_ms: float | None = None
    jitter: float | None = None
    broken: Break | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What comes behind the last of several answers.

    The last again; with ``repeat`` all of them from the first on; with ``fail`` that error; with
    ``stop`` nothing: the request is refused, and the test fails.
    """

    repeat: bool = False
    stop: bool = False
    fail: Fail | None = None


#: The last answer stays.
STAY = End()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Answers in turn, and when they fit; ``None`` for any request."""

    where: str
    steps: tuple[Step, ...]
    condition: Condition | None = None
    end: End = STAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """All that a file says.

    With ``only``, nothing else is answered, and each answer without a condition is given once.
    ``limits`` are the provider's, by their names.
    """

    rules: tuple[Rule, ...] = ()
    only: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)


#: A script that leaves every answer open.
EMPTY = Script()


def merged(scripts: Sequence[Script]) -> Script:
    """Return scripts as one: their answers in order, and the last of their limits."""
    return Script(
        rules=tuple(rule for script in scripts for rule in script.rules),
        only=any(script.only for script in scripts),
        limits={name: limit for script in scripts for name, limit in script.limits.items()},
    )
