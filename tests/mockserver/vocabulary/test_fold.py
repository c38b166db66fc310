from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    Event,
    FinishReason,
    HostedToolEvent,
    HostedToolPart,
    Image,
    ImagePart,
    MessageStart,
    MessageStop,
    Part,
    ReasoningDelta,
    ReasoningOmitted,
    ReasoningPart,
    ReasoningSignature,
    RefusalDelta,
    RefusalPart,
    SendBack,
    SendBackPart,
    Status,
    TextPart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallPart,
    ToolCallStart,
    Usage,
    UsageEvent,
)

STOP = MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="stop")
CITATION = Citation(url="https://example.org/a")


def reasoning(delta: str, channel: str = "text") -> ReasoningDelta:
    return ReasoningDelta(delta=delta, channel=channel)


@pytest.mark.parametrize(
    ("events", "parts"),
    [
        ([ContentDelta(delta="a"), ContentDelta(delta="b")], [TextPart(text="ab")]),
        (
            [ContentDelta(delta="a", index=0), ContentDelta(delta="b", index=1)],
            [TextPart(text="a"), TextPart(text="b")],
        ),
        (
            [ContentDelta(delta="a"), RefusalDelta(delta="no"), ContentDelta(delta="b")],
            [TextPart(text="ab"), RefusalPart(refusal="no")],
        ),
        (
            [reasoning("w"), ContentDelta(delta="a"), reasoning("hy")],
            [ReasoningPart(text="why", channel="text"), TextPart(text="a")],
        ),
        (
            [reasoning("w"), reasoning("s", "summary")],
            [
                ReasoningPart(text="w", channel="text"),
                ReasoningPart(text="s", channel="summary"),
            ],
        ),
        (
            [reasoning("a"), ReasoningSignature(signature="S"), reasoning("b")],
            [
                ReasoningPart(text="a", channel="text", signature="S"),
                ReasoningPart(text="b", channel="text"),
            ],
        ),
        (
            [reasoning("a"), ReasoningSignature(redacted_data="R")],
            [
                ReasoningPart(text="a", channel="text"),
                ReasoningPart(text="", channel="text", redacted_data="R"),
            ],
        ),
        (
            [
                ReasoningDelta(delta="a", channel="summary", index=0),
                ReasoningSignature(encrypted_content="Y", index=1),
                ReasoningSignature(encrypted_content="X", index=0),
                ContentDelta(delta="t"),
                ReasoningSignature(encrypted_content="Z", index=1),
            ],
            [
                ReasoningPart(text="a", channel="summary", encrypted_content="X"),
                ReasoningPart(text="", channel="text", encrypted_content="Z"),
                TextPart(text="t"),
            ],
        ),
        ([ReasoningOmitted()], [ReasoningPart(text="", channel="text", omitted=True)]),
        (
            [ContentDelta(delta="a"), CITATION],
            [TextPart(text="a", citations=(CITATION,))],
        ),
        (
            [HostedToolEvent(kind="web_search", status="completed", native=({"q": 1},))],
            [HostedToolPart(kind="web_search", status="completed", native=({"q": 1},))],
        ),
        (
            [Image(url="u"), ContentDelta(delta="a"), Image(url="v")],
            [ImagePart(url="u"), TextPart(text="a"), ImagePart(url="v")],
        ),
        (
            [SendBack(fields={"x": {"a": 1, "b": 1}}), SendBack(fields={"x": {"b": 2}, "y": 3})],
            [SendBackPart(fields={"x": {"a": 1, "b": 2}, "y": 3})],
        ),
    ],
)
def test_parts(events: Sequence[Event], parts: Sequence[Part]) -> None:
    assert fold([*events, STOP]).parts == tuple(parts)


def test_signatures_stay_with_their_texts_and_images() -> None:
    events = [
        ContentDelta(delta="a", index=0, thought_signature="s1"),
        ContentDelta(delta="b", index=0, thought_signature="s1"),
        Image(url="u", thought_signature="s2"),
        ContentDelta(delta="c", index=1),
    ]
    assert fold(events).parts == (
        TextPart(text="ab", thought_signature="s1"),
        ImagePart(url="u", thought_signature="s2"),
        TextPart(text="c"),
    )


def test_a_whole_turn() -> None:
    turn = fold(
        [
            MessageStart(response_id="r", model="m"),
            ToolCallStart(tool_call_index=0, tool_call_id="c", tool_name="f"),
            ToolCallDelta(tool_call_index=0, arguments_delta='{"a"'),
            ToolCallDelta(tool_call_index=0, arguments_delta=":1}"),
            ToolCallEnd(tool_call_index=0, arguments={"a": 1}, arguments_raw='{"a":1}'),
            UsageEvent(usage=Usage(input_tokens=3, output_tokens=1)),
            UsageEvent(usage=Usage(output_tokens=2)),
            MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="stop"),
        ]
    )
    assert (turn.response_id, turn.model, turn.status) == ("r", "m", Status.COMPLETED)
    assert (turn.finish_reason, turn.raw_finish_reason) == (FinishReason.TOOL_CALLS, "stop")
    assert turn.usage == Usage(input_tokens=3, output_tokens=2)
    assert turn.tool_calls == (
        ToolCallPart(id="c", name="f", arguments={"a": 1}, arguments_raw='{"a":1}'),
    )


def test_a_cut_tool_call_is_never_complete() -> None:
    turn = fold(
        [
            ToolCallStart(tool_call_index=0, tool_call_id="c", tool_name="f"),
            ToolCallDelta(tool_call_index=0, arguments_delta='{"a'),
            MessageStop(finish_reason=FinishReason.LENGTH),
        ]
    )
    assert turn.status is Status.INCOMPLETE
    assert (turn.tool_calls[0].arguments, turn.tool_calls[0].arguments_raw) == (None, '{"a')


def test_an_error_wins_and_keeps_what_came_before() -> None:
    error = ErrorInfo(error_class=ErrorClass.TIMEOUT, message="silence", retryable=True)
    turn = fold([ContentDelta(delta="Hel"), STOP, ErrorEvent(error=error)])
    assert (turn.status, turn.error, turn.content) == (Status.FAILED, error, "Hel")
    assert turn.finish_reason is None


def test_without_a_terminal_event_the_turn_failed() -> None:
    assert fold([ContentDelta(delta="a")]).status is Status.FAILED


@given(st.text(min_size=1), st.data())
def test_more_or_fewer_deltas_give_the_same_turn(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text)))) | {len(text)})
    pieces = [text[a:b] for a, b in zip([0, *cuts[:-1]], cuts, strict=True)]
    whole = fold([ContentDelta(delta=text), STOP])
    assert fold([*(ContentDelta(delta=p) for p in pieces), STOP]) == whole
