"""Recording modes: which may use the network, and which may write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Commands and plugins name the modes before they know whether they will read a cassette.
    from mockserver.cassettes.cassette import Cassette


class Mode(StrEnum):
    """How cassettes are used; :attr:`meaning` says it of each."""

    NONE = "none"
    ONCE = "once"
    NEW_EPISODES = "new_episodes"
    REWRITE = "rewrite"
    DIFF = "diff"
    LIVE = "live"

    @classmethod
    def of(cls, name: str) -> Mode:
        """Return the mode of that name; ``all`` is ``rewrite``. Raises ``ValueError``."""
        return cls.REWRITE if name == "all" else cls(name)

    @property
    def meaning(self) -> str:
        """What it does, for people."""
        return _MEANINGS[self]

    @property
    def uses_network(self) -> bool:
        """Whether it may contact a live endpoint."""
        return self is not Mode.NONE

    @property
    def may_write(self) -> bool:
        """Whether it may change a cassette."""
        return self in (Mode.ONCE, Mode.NEW_EPISODES, Mode.REWRITE)

    @property
    def replays(self) -> bool:
        """Whether it answers from an existing cassette."""
        return self in (Mode.NONE, Mode.ONCE, Mode.NEW_EPISODES)


_MEANINGS = {
    Mode.NONE: "replay only; what is not recorded fails",
    Mode.ONCE: "record if there is no file yet, else replay only",
    Mode.NEW_EPISODES: "replay what is recorded, record the rest and add it",
    Mode.REWRITE: "record all again and replace the file",
    Mode.DIFF: "record all again, compare, and write nothing",
    Mode.LIVE: "pass requests on, and write nothing",
}
#: The names that users may give.
NAMES = (*(str(mode) for mode in Mode), "all")


def runs_in_ci(environment: Mapping[str, str]) -> bool:
    """Return whether this is a build server, by its environment."""
    return environment.get("CI", "").lower() not in ("", "0", "false")


_AGE = re.compile(r"(\d+)\s*([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_age(text: str) -> timedelta:
    """Read an age such as ``12h``, ``30d`` or ``2w``. Raises ``ValueError``."""
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"give an age such as 12h, 30d or 2w, not {text!r}")
    return int(match[1]) * _UNITS[match[2]]


def age_of(cassette: Cassette, now: datetime) -> timedelta | None:
    """Return how long ago the oldest recorded interaction was last seen, if any was."""
    times = []
    for interaction in cassette.interactions:
        recorded = interaction.response.wire.recorded
        seen = recorded.get("confirmed", recorded.get("at"))
        if isinstance(seen, datetime):
            times.append(seen if seen.tzinfo else seen.replace(tzinfo=UTC))
        elif isinstance(seen, str):
            try:
                times.append(datetime.fromisoformat(seen))
            except ValueError:
                continue
    return now - min(times) if times else None
