"""Compare what the facts of a wire say with the turn that was written: two witnesses of one answer.

If they disagree, the writer or the reader of the dialect is wrong, and no client. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.fuzz.wires import Wire
from mockserver.dialects import Facts, facts_of
from mockserver.vocabulary import AssistantTurn
from mockserver.wire import Schedule


def disagreement(wire: Wire, sent: Schedule) -> str | None:
    """Return how the facts of the answer as it is sent differ from the turn; ``None`` for not.

    A fact that is ``None`` is in doubt, so that no client is judged by it. Of a wire that is broken
    nothing is compared.
    """
    if wire.broken is not None:
        return None
    facts = facts_of(wire.dialect, sent)
    if facts is None:
        return f"{wire.dialect} has no reader of facts"
    differences = _of_failure(wire.turn, facts) if wire.turn.error else _of_turn(wire.turn, facts)
    return next(
        (f"{name}: {one!r} written, {other!r} read" for name, one, other in differences), None
    )


def _of_turn(turn: AssistantTurn, facts: Facts) -> Iterator[tuple[str, object, object]]:
    if facts.error is not None or facts.broken or facts.terminal is None:
        yield "ending", turn.raw_finish_reason, facts.error or facts.terminal
    for name, written, read in (
        ("text", turn.content, facts.text),
        ("refusal", turn.refusal, facts.refusal),
        ("reasoning", turn.reasoning, facts.reasoning),
    ):
        if read is not None and written != read:
            yield name, written, read
    if facts.calls is None:
        return
    calls = [(call.name, call.arguments) for call in turn.tool_calls]
    if [name for name, _ in calls] != [call.name for call in facts.calls]:
        yield "calls", [name for name, _ in calls], [call.name for call in facts.calls]
        return
    for (name, arguments), call in zip(calls, facts.calls, strict=True):
        if call.arguments is not None and arguments not in call.arguments:
            yield f"arguments of {name}", arguments, call.arguments


def _of_failure(turn: AssistantTurn, facts: Facts) -> Iterator[tuple[str, object, object]]:
    assert turn.error is not None
    if facts.error is None:
        yield "ending", str(turn.error.error_class), facts.terminal
    elif turn.error.message not in (facts.error.message or turn.error.message):
        yield "error", turn.error.message, facts.error.message
