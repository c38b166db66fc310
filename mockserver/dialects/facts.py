"""The facts that a wire of any dialect shows.

A dialect reads them independently of any client. The rules compare a client's turn with them, so
that they work for any recording, with or without a spec. A fact that cannot be read plainly is
``None`` and is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mockserver.vocabulary.model import Json
from mockserver.wire.body import Body
from mockserver.wire.schedule import Schedule

_DIGITS = re.compile("[0-9]{1,18}")


@dataclass(slots=True, kw_only=True)
class Facts:
    """Facts of one answer.

    ``terminal`` is the provider's word for why it stopped; ``done`` an end marker without a
    reason; ``error`` an error on the wire, by HTTP status or in band; ``broken`` a complete
    event that is not JSON. ``calls`` counts tool calls that were opened. ``usage`` maps our
    usage names to the last value sent.
    """

    terminal: str | None = None
    done: bool = False
    error: bool = False
    broken: bool = False
    text: str | None = ""
    refusal: str | None = ""
    calls: int | None = 0
    usage: dict[str, int] | None = field(default_factory=dict)

    @property
    def terminal_seen(self) -> bool:
        """Whether the outcome is decided: a reason, an end marker or an error was sent."""
        return self.terminal is not None or self.done or self.error or self.broken


def of_last(answers: Sequence[Schedule], read: Callable[[Body], Facts]) -> Facts:
    """Read the body of the last of several answers; an HTTP error is a fact by itself."""
    answer = answers[-1]
    if answer.status >= 400:
        return Facts(error=True, text=None, refusal=None, calls=None)
    return read(answer.plain)


def counts(usage: Json, paths: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Return the token counts of a usage object; ``paths`` maps our names to its fields.

    A count may be text of digits.
    """
    found = {}
    for name, path in paths.items():
        value = usage
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, int) and not isinstance(value, bool):
            found[name] = value
        elif isinstance(value, str) and _DIGITS.fullmatch(value):
            found[name] = int(value)
    return found


def repaired(text: str, *, unfinished: bool = False) -> str:
    """Join surrogate halves that came in two pieces; a lone one becomes U+FFFD.

    ``unfinished``: more was to come, so half a character at the end is dropped.
    """
    if unfinished and "\ud800" <= text[-1:] <= "\udbff":
        text = text[:-1]
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
