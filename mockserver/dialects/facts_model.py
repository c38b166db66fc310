"""The facts that can be read off a wire, whatever its dialect."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    usage: dict[str, int] = field(default_factory=dict)

    @property
    def sealed(self) -> bool:
        """Whether the outcome is decided: a reason, an end marker or an error was sent."""
        return self.terminal is not None or self.done or self.error or self.broken


def repaired(text: str, *, cut: bool = False) -> str:
    """Join surrogate halves that came in two pieces; a lone one becomes U+FFFD.

    ``cut``: more was to come, so half a character at the end is no character yet.
    """
    if cut and "\ud800" <= text[-1:] <= "\udbff":
        text = text[:-1]
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
