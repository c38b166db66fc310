from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from harness.adapters.inner_thoughts.hidden import HiddenReasoning, is_reasoning_model
from harness.adapters.inner_thoughts.ids import MessageIds
from harness.adapters.inner_thoughts.tokens import UsageEstimate, count_input
from mockserver.vocabulary.model import (
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    Event,
    FinishReason,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    ReasoningOmitted,
    ReasoningSignature,
    RefusalDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
)

START = MessageStart(response_id="c1")
TEXT = ContentDelta(delta="a")
CALL = ToolCallStart(tool_call_index=0, tool_call_id="c", tool_name="f")
STOP = MessageStop(finish_reason=FinishReason.STOP)
USAGE = UsageEvent(usage=Usage(input_tokens=1))
OMITTED = ReasoningOmitted()
ERROR = ErrorEvent(error=ErrorInfo(error_class=ErrorClass.OVERLOADED, message="m", retryable=True))


def through(stage: Any, *events: Event) -> list[Event]:
    return [new for old in events for new in stage.feed(old)]


@pytest.mark.parametrize(
    "name",
    [
        *("o1", "o1-mini", "o1-preview-2024-09-12", "o3", "o3-mini", "o4-mini-2025-04-16", "O3"),
        *("gpt-5", "gpt-5-mini", "gpt-5-2025-08-07", "gpt-5.1", "gpt-5.2-pro", "gpt-5:free"),
        *("openai/gpt-5", "openrouter/openai/o4-mini", "ft:o4-mini-2025-04-16:org::abc"),
        "gpt-5-chatty",
    ],
)
def test_models_that_reason_in_secret(name: str) -> None:
    assert is_reasoning_model(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "proto1", "gpt-4o", "gpt-4o1x", "o1x", "o10", "o2", "foo-o1", "gpt-50", "gpt-5x"),
        *("gpt-5-chat", "gpt-5-chat-latest", "openai/gpt-5-chat", "gpt-4.5", "o1/other"),
    ],
)
def test_models_that_do_not(name: str) -> None:
    assert not is_reasoning_model(name)


@pytest.mark.parametrize("first", [TEXT, RefusalDelta(delta="no"), CALL, USAGE, STOP])
def test_hidden_reasoning_is_reported_once_before_the_output(first: Event) -> None:
    events = through(HiddenReasoning("o3"), START, first, TEXT)
    assert events == [START, OMITTED, first, TEXT]


@pytest.mark.parametrize(
    ("asked", "events"),
    [
        ("gpt-4o", [START, TEXT]),
        ("o3", [START, ReasoningDelta(delta="r", channel="text"), TEXT]),
        ("o3", [START, ReasoningSignature(encrypted_content="x"), TEXT]),
        ("o3", [START, ERROR]),
        ("o3", [MessageStart(model="gpt-4o-2024-08-06"), TEXT]),
    ],
)
def test_visible_or_missing_reasoning_is_not_reported_as_hidden(
    asked: str, events: list[Event]
) -> None:
    assert through(HiddenReasoning(asked), *events) == events


def test_the_model_that_answered_counts() -> None:
    start = MessageStart(model="o4-mini-2025-04-16")
    assert through(HiddenReasoning("my-deployment"), start, TEXT) == [start, OMITTED, TEXT]


def test_counting_the_input() -> None:
    messages = [
        {"role": "system", "content": "abc"},
        {"role": "user", "name": "bo", "content": [{"type": "text", "text": "de"}, {"type": "x"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
        },
    ]
    tools = [{"type": "function"}]
    # Framing 3 each and 3 at the end; then roles, texts, the name; the call and tool as JSON.
    letters = len('systemabcuserbodeassistant{"name":"f","arguments":"{}"}')
    assert count_input(messages, tools, len) == 4 * 3 + letters + len('{"type":"function"}')


def test_a_pictures_bytes_are_not_text() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9000}}
    assert count_input([{"role": "user", "content": [picture]}], (), len) < 20


def test_usage_is_estimated_when_the_server_sends_none() -> None:
    pieces = [
        ReasoningDelta(delta="abc", channel="text"),
        TEXT,
        CALL,
        ToolCallDelta(tool_call_index=0, arguments_delta="{}"),
    ]
    estimate = UsageEvent(
        usage=Usage(input_tokens=10, output_tokens=7, total_tokens=17, estimated=True)
    )
    events = through(UsageEstimate(10, len), START, *pieces, STOP)
    assert events == [START, *pieces, estimate, STOP]


@pytest.mark.parametrize("events", [[START, TEXT, USAGE, STOP], [START, TEXT, ERROR]])
def test_usage_is_not_estimated_when_known_or_failed(events: list[Event]) -> None:
    assert through(UsageEstimate(10, len), *events) == events


ANSWER = UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca42f")


def made(answer: UUID, *events: Event) -> list[UUID | None]:
    named = through(MessageIds(answer), *events)
    return [UUID(e.native[-1]["message_id"]) if e.native else None for e in named]


def calls(count: int) -> list[Event]:
    return [
        ToolCallStart(tool_call_index=n, tool_call_id=f"c{n}", tool_name="f") for n in range(count)
    ]


def test_the_id_of_a_message_is_that_of_the_answer_and_a_counter() -> None:
    ids = made(
        ANSWER,
        START,
        OMITTED,
        ReasoningDelta(delta="a", channel="inner_thoughts"),
        ReasoningDelta(delta="b", channel="inner_thoughts"),
        CALL,
        ToolCallDelta(tool_call_index=0, arguments_delta="{"),
        TEXT,
        ReasoningDelta(delta="c", channel="inner_thoughts"),
        ToolCallEnd(tool_call_index=0, arguments={}, arguments_raw="{}"),
        RefusalDelta(delta="no"),
        USAGE,
        STOP,
    )
    first = UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca400").int
    assert [i and i.int - first for i in ids] == [None, 0, 1, 1, 2, 2, 3, 4, 2, 5, None, None]


def test_an_id_comes_after_the_other_native_values() -> None:
    (event,) = through(MessageIds(ANSWER), ContentDelta(delta="a", native=("wire",)))
    made = "1b4e28ba-2fa1-41d2-883f-0016d3cca400"
    assert event.native == ("wire", {"type": "text", "message_id": made})


def test_ids_stay_unique_beyond_the_counter() -> None:
    ids = made(ANSWER, *calls(300))
    assert len(set(ids)) == 300
    assert ids[127] == UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca47f")
    assert ids[128] == UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca480")


def test_the_counter_never_leaves_the_node_field() -> None:
    ids = made(UUID("1b4e28ba-2fa1-41d2-883f-ffffffffffff"), *calls(130))
    assert ids[128] == UUID("1b4e28ba-2fa1-41d2-883f-000000000000")
    assert len(set(ids)) == 130
