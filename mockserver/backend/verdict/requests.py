"""Checks of single requests: those that a provider refuses, and those without an answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.backend.reply import Given
from mockserver.backend.verdict.finding import Finding, Level
from mockserver.backend.verdict.scene import Scene
from mockserver.library.outcome import Outcome


def refused(scene: Scene) -> Iterator[Finding]:
    """Find requests that the provider refuses."""
    for event in scene.events:
        if not isinstance(event.seen.found, Given):
            continue
        for objection in event.seen.found.objections:
            yield Finding(
                check="refused-request",
                level=Level.FAIL if objection.proves else Level.NOTE,
                requests=(event.number,),
                message=objection.error.message,
                remedy=f"source: {objection.source}",
            )


def unanswered(scene: Scene) -> Iterator[Finding]:
    """Find requests for which a script had no answer left."""
    for event in scene.events:
        if event.seen.outcome is Outcome.MISSED:
            yield Finding(
                check="unanswered",
                level=Level.FAIL,
                requests=(event.number,),
                message="the script had no answer for this request.",
                remedy="add one to the script, or let it end with a rule without a condition.",
            )
