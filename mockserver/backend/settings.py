"""How a backend answers. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockserver.backend.failing import Failure
from mockserver.backend.limits import UNLIMITED, Limits
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

    ``key`` is the only API key that is let in; ``None`` for any key, and none. With ``lenient``
    what the provider would refuse about a request is noted in the journal only. ``limits`` are
    those of the provider; a script can have some too. ``failures`` come by chance or by number.
    """

    seed: int = 0
    pace: Pace = TOKENS
    models: tuple[str, ...] = ()
    script: Script = EMPTY
    key: str | None = field(default=None, repr=False)
    lenient: bool = False
    limits: Limits = UNLIMITED
    failures: tuple[Failure, ...] = ()
