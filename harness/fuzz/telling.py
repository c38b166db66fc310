"""What a search says: each failure, and at its end what was played. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from harness.fuzz.keeping import Kept
from harness.fuzz.searching import Found, Tally
from harness.plan.planning import Settings
from harness.reports.words import many

#: Wires of which most kinds of answers have not been drawn.
_FEW = 50


def run_options(settings: Settings) -> tuple[str, ...]:
    """Return the options of ``run`` that name the client as this search does."""
    words = [word for name in settings.adapters for word in ("--adapter", name)]
    if settings.level is not None:
        words += ["--level", str(settings.level)]
    return (*words, "--in-process") if settings.in_process else tuple(words)


def failure(found: Found, kept: Kept) -> str:
    """Return the lines about a failure."""
    wire = found.wire
    sent = str(wire.broken or wire.point)
    lines = [
        f"{str(found.finding.level).upper()} {found.cause}: {found.finding.message}",
        f"  found by {found.cause.check} at wire {found.played:,}; "
        f"{len(wire.interaction.response.body)} bytes, {sent}",
        f"  {kept.scenario}",
        f"  {kept.cassette}",
        f"  {kept.command}",
    ]
    return "\n".join(lines)


def summary(tallies: Mapping[str, Tally], found: int, seed: int) -> str:
    """Return the last lines: what was played, what is known, what proved nothing."""
    lines = []
    for name, tally in tallies.items():
        few = ": too few to say much, give it more --minutes" if tally.played < _FEW else ""
        lines.append(f"{name}: {many(tally.played, 'wire')} played{few}")
        lines += [
            f"  known: {reason}: {many(count, 'wire')}"
            for reason, count in tally.known.most_common()
        ]
        if tally.unproven:
            lines.append(f"  {many(tally.unproven, 'wire')} proved nothing: no request arrived")
        if tally.refused:
            lines.append(f"  {many(tally.refused, 'wire')} in a coding that the client refuses")
        if tally.fleeting:
            lines.append(f"  {many(tally.fleeting, 'failure')} did not come again")
    lines.append(f"{many(found, 'cause')} of failures, seed {seed}")
    return "\n".join(lines)
