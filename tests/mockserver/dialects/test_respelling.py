from __future__ import annotations

import pytest

from mockserver.dialects import (
    Pace,
    Spelling,
    StreamEvent,
    dialects,
    events_of,
    facts_of,
    fitted,
    lane_of,
    respelled,
    said_otherwise,
    written_answer,
)
from mockserver.dialects.writing import deltas
from mockserver.vocabulary import (
    AssistantTurn,
    FinishReason,
    NeutralCall,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)
from mockserver.wire import from_response

CALL = NeutralCall(model="m", messages=({"role": "user", "content": "hi"},))
TURN = AssistantTurn(
    response_id="r1",
    model="m",
    status=Status.COMPLETED,
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(input_tokens=1, output_tokens=2, total_tokens=3),
    parts=(
        TextPart(text="Größe\u2028🎉"),
        ToolCallPart(id="a", name="f", arguments={"x": 1}, arguments_raw='{"x": 1}'),
        ToolCallPart(id="b", name="g", arguments={"y": 2}, arguments_raw='{"y": 2}'),
    ),
)


def facts(name: str, response: object) -> object:
    return facts_of(name, from_response(response))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(dialects()))
def test_a_stream_says_the_same_in_other_words(name: str) -> None:
    dialect = dialects()[name]
    answer = written_answer(dialect, fitted(dialect, TURN).turn, CALL, Pace(size=3))
    events, said = events_of(answer), facts(name, answer)
    assert events_of(respelled(answer, events)) == events
    for spelling in (Spelling.ESCAPED, Spelling.SPACED):
        other = [StreamEvent(e.data, e.name, spelling, e.is_text, e.headers) for e in events]
        changed = respelled(answer, other)
        assert facts(name, changed) == said
    for number, event in enumerate(events):
        for others in said_otherwise(dialect, event):
            changed = respelled(answer, (*events[:number], *others, *events[number + 1 :]))
            assert facts(name, changed) == said


def test_pieces_of_two_calls_may_change_places() -> None:
    dialect = dialects()["openai-chat"]
    events = events_of(written_answer(dialect, TURN, CALL, Pace(size=4)))
    lanes = [lane_of(dialect, event) for event in events]
    assert [lane for lane in lanes if lane is not None] == [0, 0, 1, 1]


def test_an_answer_in_one_piece_has_no_events() -> None:
    whole = NeutralCall(model="m", messages=CALL.messages, stream=False)
    assert events_of(written_answer(dialects()["openai-chat"], TURN, whole, Pace())) == ()


def test_deltas_have_sizes_in_turn_and_may_be_empty() -> None:
    assert deltas("abcdef", Pace(sizes=(1, 0, 3))) == ["a", "", "bcd", "e", "", "f"]
    assert deltas("", Pace(sizes=(1,))) == []
