"""Wires made by hand, as the strategies would draw them."""

from __future__ import annotations

from harness.fuzz.wires import Wire
from mockserver.cassettes import Interaction
from mockserver.dialects import Pace, find_dialect, fitted, written_answer, written_request
from mockserver.vocabulary import AssistantTurn, FinishReason, NeutralCall, Status, TextPart
from mockserver.wire import Break, Point, point

CALL = NeutralCall(model="m", messages=({"role": "user", "content": "Hi."},))


def wire(text: str, axes: dict[str, str] | None = None, broken: Break | None = None) -> Wire:
    """Return a stream of one text in Chat Completions."""
    dialect = find_dialect("openai-chat")
    turn = AssistantTurn(
        response_id="r",
        model="m",
        status=Status.COMPLETED,
        finish_reason=FinishReason.STOP,
        parts=(TextPart(text=text),),
    )
    turn = fitted(dialect, turn).turn
    answer = written_answer(dialect, turn, CALL, Pace(size=4))
    at: Point = point(axes or {})
    return Wire(
        dialect="openai-chat",
        turn=turn,
        call=CALL,
        requires=frozenset(),
        interaction=Interaction(written_request(dialect, CALL), answer),
        point=at,
        broken=broken,
    )
