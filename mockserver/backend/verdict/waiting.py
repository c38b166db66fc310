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
    """Find answers that are read to the end although the test cancelled their call.

    Of several that are open, one was cancelled: it is known that none was if none came to an end.
    """
    for time in scene.statements.cancelled:
        still = [e for e in scene.events if e.seen.arrived <= time and _open_at(e, time)]
        reading = [e for e in still if _open_at(e, time + _GRACE) and not e.seen.outcome.is_left]
        if not still or len(reading) < len(still):
            continue
        too_early = scene.now < time + _GRACE
        yield Finding(
            check="cancel",
            level=Level.UNKNOWN if too_early else Level.FAIL,
            requests=tuple(event.number for event in reading),
            message=f"the verdict came {scene.now - time:.1f} s after the call was cancelled."
            if too_early
            else "the call was cancelled, and the connection stayed open: the answer goes on and "
            "is billed.",
            remedy="To know: ask for the verdict a second later."
            if too_early
            else "again: llm.say(…).pace('5/s'), cancel the call, then llm.cancelled()",
        )


def _open_at(event: Event, time: float) -> bool:
    return event.seen.ended is None or event.seen.ended > time
