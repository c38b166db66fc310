"""How a backend answers. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.backend.script.steps import EMPTY, Script
from mockserver.backend.tokens import TOKENS
from mockserver.dialects.writing import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is asked of a backend.

    ``seed`` changes the texts and ids of made-up answers. ``pace`` says when their pieces are sent.
    ``models`` are the names that lists of models have; none: some of each provider. Any model is
    answered.
    ``script`` has the answers that come before them.
    """

    seed: int = 0
    pace: Pace = TOKENS
    models: tuple[str, ...] = ()
    script: Script = EMPTY
