"""Checks of silence: whether a client gives up, and whether it hangs up. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.backend.verdict.finding import Finding, Level
from mockserver.backend.verdict.scene import Event, Scene
from mockserver.library.outcome import Outcome

#: Seconds that a client may take more than it said: a busy machine is no mistake.
_GRACE = 1.0


def read_timeout(scene: Scene) -> Iterator[Finding]:
    """Find silence that a client bears for longer than the test states."""
    for event in scene.events:
        if not event.stalls:
            continue
        timeout, silence = scene.statements.timeout, _silence(event)
        if timeout is None:
            if event.seen.outcome is not Outcome.CLIENT_CLOSED:
                yield Finding(
                    check="read-timeout",
                    level=Level.UNKNOWN,
                    requests=(event.number,),
                    message=f"the client bore {silence:.1f} s of silence until the test was over.",
                    remedy="To know: state the timeout of the client, llm.timeout(seconds).",
                )
        elif silence > timeout + _GRACE:
            yield Finding(
                check="read-timeout",
                level=Level.FAIL,
                requests=(event.number,),
                message=f"the client bore {silence:.1f} s of silence; its timeout is "
                f"{timeout:g} s.",
                remedy="again: llm.say(…).stall(1)",
            )
        elif event.seen.outcome is not Outcome.CLIENT_CLOSED:
            yield Finding(
                check="read-timeout",
                level=Level.UNKNOWN,
                requests=(event.number,),
                message=f"the test was over after {silence:.1f} s of silence, before the timeout.",
                remedy="To know: wait for the end of the call.",
            )


def _silence(event: Event) -> float:
    """Return the seconds between the last byte, at the latest, and the end."""
    schedule, seen = event.seen.schedule, event.seen
    last = schedule.sends[-1].at_ms / 1000 if schedule and schedule.sends else 0.0
    began = seen.began if seen.began is not None else seen.arrived
    return max((seen.ended if seen.ended is not None else began) - began - last, 0.0)


def cancelled(scene: Scene) -> Iterator[Finding]:
    """Find answers that are read to the end although the test cancelled the call."""
    for time in scene.statements.cancelled:
        for event in scene.events:
            seen = event.seen
            is_open = seen.arrived <= time and (seen.ended is None or seen.ended > time)
            if not is_open or seen.outcome is Outcome.CLIENT_CLOSED:
                continue
            if seen.ended is not None and seen.ended < time + _GRACE:
                continue
            yield Finding(
                check="cancel",
                level=Level.FAIL,
                requests=(event.number,),
                message="the call was cancelled, and the connection stayed open: the answer goes "
                "on and is billed.",
                remedy="again: llm.say(…).pace('5/s'), cancel the call, then llm.cancelled()",
            )
