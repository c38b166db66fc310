"""Check when a client hands events on, how it gives up, and what it does at the same time."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge import channels
from harness.judge.faults import beginning
from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from harness.suite.scenario import TurnSpec


def cancel(reading: Reading) -> Iterator[Finding]:
    """Check that a call ends when its caller stops reading, and gave nothing but the beginning."""
    record, expect = reading.record, reading.expect
    if not record.cancelled:
        return
    if not record.let_go:
        yield Finding(
            check="cancel",
            kind="cancel",
            field="connection",
            message="the caller stopped reading, but the connection stayed open",
        )
    if record.late:
        emitted = [e for e in reading.event_data if e.get("type") != "error"]
        yield Finding(
            check="cancel",
            kind="cancel",
            field="events",
            message=f"{record.late} event(s) after the caller had stopped reading",
            observed=emitted[-record.late :],
        )
    if expect is not None and expect.events is not None:
        seen = channels.of_events(reading.event_data)
        yield from beginning(reading, "cancel", channels.of_events(expect.events), seen)


def together(reading: Reading) -> Iterator[Finding]:
    """Check that no piece of one call is in another that was made at the same time."""
    scenario = reading.case.scenario
    if not scenario.together:
        return
    text = channels.of_events(reading.event_data)["text"]
    if not text and reading.turn is not None:
        text = reading.turn.content
    own = _expected_text(reading.spec)
    for number, turn in enumerate(scenario.turns):
        for piece in _pieces(turn):
            if number != reading.number and piece in text and piece not in own:
                yield Finding(
                    check="together",
                    kind="mixed-up",
                    field="text",
                    message=f"call {reading.number + 1} has a piece of call {number + 1}, made at "
                    "the same time",
                    expected=own,
                    observed=text,
                )
                return


#: Characters below which a piece of text may be in two answers by chance.
_TELLING = 5


def _pieces(turn: TurnSpec) -> Iterator[str]:
    """Yield what tells an answer from others: its deltas, or the whole if none are expected."""
    events = (turn.expect.events if turn.expect is not None else None) or ()
    deltas = [event["delta"] for event in events if event["type"] == "content_delta"]
    for piece in deltas or [_expected_text(turn)]:
        if len(piece) >= _TELLING:
            yield piece


def _expected_text(turn: TurnSpec) -> str:
    expect = turn.expect
    if expect is None:
        return ""
    text: str = channels.of_events(expect.events or ())["text"]
    return text or (expect.turn or {}).get("content") or ""


def incremental(reading: Reading) -> Iterator[Finding]:
    """Check that the client emits events before the server has sent the rest."""
    gate = reading.case.gate
    if gate is not None and reading.transcript.gate_timed_out:
        yield Finding(
            check="incremental",
            kind="buffered",
            field="events",
            message=f"the client did not emit event {gate.seen} once wire event {gate.after} "
            "was sent; it waited for more of the stream",
            key_path=("incremental",),
        )
