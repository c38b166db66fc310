"""A known fault as a patch of a bundled client, with the case and the kind that show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from harness.judge.kinds import KINDS, Level

Break = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, kw_only=True)
class KnownBug:
    """One fault of a row of docs/bugs.md; a row may have several.

    ``at_stake``: text, a call, usage, a secret, an ending or a failure is lost or wrong, as
    ``why`` says. ``case`` is a whole id, and ``kind`` that of the finding which must report it.
    """

    row: int
    at_stake: bool
    why: str
    case: str
    kind: str
    break_: Break

    def __str__(self) -> str:
        return f"{self.name}-{self.break_.__name__}"

    @property
    def name(self) -> str:
        """The row, with its client."""
        return f"{self.client}-{self.row}"

    @property
    def client(self) -> str:
        """The bundled client that is broken."""
        return self.case.rpartition("@")[2]

    @property
    def level(self) -> Level:
        """The level at which a run must fail for this fault."""
        return KINDS[self.kind].level
