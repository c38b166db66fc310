import pytest

from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    Citation,
    ContentDelta,
    ReasoningDelta,
    ReasoningOmitted,
    ReasoningPart,
    ReasoningSignature,
    RefusalDelta,
    TextPart,
    ToolCallStart,
    Usage,
    UsageEvent,
)
from tests.harness.adapters.responses_events import (
    START,
    STOP,
    added,
    call,
    completed,
    event,
    finished,
    message,
    read,
    text,
)


def test_text_is_emitted_once_however_often_it_is_sent():
    events = read(
        event("in_progress", response={"id": "r1"}),
        added(0, type="message", id="m", content=[]),
        event("content_part.added", output_index=0, part={"type": "output_text", "text": ""}),
        text("Hel"),
        text("lo"),
        event("output_text.done", output_index=0, content_index=0, text="Hello"),
        event("content_part.done", output_index=0, part={"type": "output_text", "text": "Hello"}),
        finished(0, **message("Hello")),
        completed([message("Hello")], usage={"input_tokens": 3, "output_tokens": 0}),
    )
    assert events == [
        START,
        ContentDelta(delta="Hel", index=0),
        ContentDelta(delta="lo", index=0),
        UsageEvent(usage=Usage(input_tokens=3, output_tokens=0, total_tokens=3)),
        STOP,
    ]


WHOLE = ContentDelta(delta="Hello", index=0)


@pytest.mark.parametrize(
    "values",
    [
        [event("output_text.done", output_index=0, text="Hello"), completed()],
        [event("content_part.done", part={"type": "output_text", "text": "Hello"}), completed()],
        [finished(0, **message("Hello")), completed()],
        [event("output_item.done", item=message("Hello")), completed()],
        [completed([message("Hello")])],
        [added(0, type="message", content=[]), completed([message("Hello")])],
        # Ids rotate, and the output leaves an item out, so that positions shift.
        [
            added(0, type="reasoning", id="a"),
            finished(0, type="reasoning", id="b", summary=[{"text": ""}], encrypted_content="E"),
            added(1, type="message", id="c"),
            text("Hello", 1, item_id="d"),
            completed([{**message("Hello"), "id": "e"}]),
        ],
    ],
    ids=["text", "part", "item", "item-without-index", "output", "late", "rotating"],
)
def test_text_that_is_sent_only_as_a_whole(values):
    events = [e for e in read(*values) if not isinstance(e, ReasoningSignature)]
    assert events == [START, WHOLE, STOP]


def test_what_the_deltas_lack_of_a_whole_text_is_emitted():
    events = read(
        text("Hel"),
        event("output_text.done", output_index=0, text="Hello"),
        finished(0, **message("Hello, you")),
        completed([message("other text")]),
    )
    assert [e.delta for e in events[1:-1]] == ["Hel", "lo", ", you"]


def test_deltas_without_any_place_belong_together():
    bare_text = [event("output_text.delta", delta=piece) for piece in ("Hel", "lo")]
    assert [(e.delta, e.index) for e in read(*bare_text, completed())[1:-1]] == [
        ("Hel", 0),
        ("lo", 0),
    ]


def test_a_summary_part_that_is_sent_only_as_a_whole():
    parts = [{"type": "summary_text", "text": t} for t in ("One", "Two")]
    done = [
        event("reasoning_summary_part.done", output_index=0, summary_index=n, part=part)
        for n, part in enumerate(parts)
    ]
    assert read(added(0, type="reasoning", summary=[]), *done, completed())[1:-1] == [
        ReasoningDelta(delta="One", channel="summary", index=0),
        ReasoningDelta(delta="Two", channel="summary", index=1),
    ]


def test_parts_and_messages_are_numbered_through():
    events = read(
        added(0, type="message"),
        text("a"),
        text("b", part=1),
        finished(0, **message("a", "b")),
        added(1, type="message"),
        text("c", 1),
        completed(),
    )
    assert [(e.delta, e.index) for e in events[1:-1]] == [("a", 0), ("b", 1), ("c", 2)]
    assert fold(events).parts == (TextPart(text="a"), TextPart(text="b"), TextPart(text="c"))


@pytest.mark.parametrize(
    ("start", "end", "phase"),
    [
        ({"phase": "commentary"}, {"phase": "commentary"}, "commentary"),
        ({"phase": "commentary"}, {"phase": "final_answer"}, "commentary"),
        ({"phase": None}, {"phase": None}, None),
        ({}, {"phase": "final_answer"}, "final_answer"),
    ],
)
def test_the_phase_of_a_message_is_kept(start, end, phase):
    events = read(
        added(0, type="message", content=[], **start),
        *([text("a")] if start else ()),
        finished(0, **message("a"), **end),
        completed(),
    )
    assert fold(events).parts == (TextPart(text="a", phase=phase),)


def test_items_that_all_have_index_0():
    events = read(
        added(0, type="reasoning", id="r"),
        event("reasoning_text.delta", output_index=0, delta="why"),
        added(0, type="message", id="m"),
        text("a"),
        finished(0, **call("{}", call_id="c1")),
        finished(0, **call("{}", call_id="c2")),
        finished(0, **call("{}", call_id="c2")),
        completed(),
    )
    turn = fold(events)
    assert (turn.reasoning, turn.content) == ("why", "a")
    assert [c.id for c in turn.tool_calls] == ["c1", "c2"]


def test_refusal_reasoning_and_sources():
    source = {"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": 0}
    events = read(
        event("reasoning_summary_part.added", output_index=0, summary_index=0),
        event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="One"),
        event("reasoning_summary_text.done", output_index=0, summary_index=0, text="One"),
        event("reasoning_summary_text.delta", output_index=0, summary_index=1, delta="Two"),
        event("reasoning_text.delta", output_index=0, content_index=0, delta="raw"),
        finished(0, type="reasoning", summary=[{"type": "summary_text", "text": "One"}]),
        event("refusal.delta", output_index=1, delta="No"),
        event("refusal.done", output_index=1, refusal="Nope"),
        text("t", 1, 1),
        event("output_text.annotation.added", output_index=1, content_index=1, annotation=source),
        finished(
            1,
            type="message",
            content=[
                {"type": "refusal", "refusal": "Nope"},
                {
                    "type": "output_text",
                    "text": "t",
                    "annotations": [source, {"type": "file_citation", "filename": "a.txt"}],
                },
            ],
        ),
        completed(),
    )
    assert events == [
        START,
        ReasoningDelta(delta="One", channel="summary", index=0),
        ReasoningDelta(delta="Two", channel="summary", index=1),
        ReasoningDelta(delta="raw", channel="text", index=2),
        RefusalDelta(delta="No", index=0),
        RefusalDelta(delta="pe", index=0),
        ContentDelta(delta="t", index=0),
        Citation(url="https://x.test", title="X", start=0, index=0),
        Citation(title="a.txt", index=0),
        STOP,
    ]


def test_the_encrypted_content_of_the_finished_item_wins():
    events = read(
        added(0, type="reasoning", encrypted_content="early"),
        event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="s"),
        finished(0, type="reasoning", summary=[], encrypted_content="late"),
        completed(),
    )
    assert events[2] == ReasoningSignature(encrypted_content="late", index=0)
    assert fold(events).parts == (
        ReasoningPart(text="s", channel="summary", encrypted_content="late"),
    )


def test_encrypted_content_of_an_item_that_never_finished():
    events = read(added(0, type="reasoning", encrypted_content="early"), completed())
    assert events[1:-1] == [ReasoningSignature(encrypted_content="early", index=0)]
    final = {"type": "reasoning", "encrypted_content": "final"}
    events = read(added(0, type="reasoning", encrypted_content="early"), completed([final]))
    assert events[1:-1] == [ReasoningSignature(encrypted_content="final", index=0)]


def test_reasoning_without_text():
    events = read(finished(0, type="reasoning", summary=[]), completed())
    assert events == [START, ReasoningOmitted(), STOP]


def test_hidden_reasoning_that_ends_late_keeps_its_place():
    events = read(
        added(0, type="reasoning", encrypted_content="early"),
        added(1, **call()),
        finished(1, **call("{}")),
        finished(0, type="reasoning", summary=[], encrypted_content="late"),
        completed(),
    )
    assert [type(e) for e in events[1:3]] == [ReasoningSignature, ToolCallStart]
    reasoning, tool = fold(events).parts
    assert (reasoning.encrypted_content, tool.id) == ("late", "c1")


def test_deltas_before_their_item_belong_to_it():
    events = read(
        text("Hel"),
        added(0, **message()),
        text("lo"),
        finished(0, **message("Hello")),
        completed([message("Hello")]),
    )
    assert events == [
        START,
        ContentDelta(delta="Hel", index=0),
        ContentDelta(delta="lo", index=0),
        STOP,
    ]


def test_deltas_before_a_message_do_not_belong_to_a_call_at_its_index():
    values = [text("Hello"), added(0, **call("{}")), finished(0, **call("{}")), completed()]
    turn = fold(read(*values))
    assert (turn.content, [c.id for c in turn.tool_calls]) == ("Hello", ["c1"])


def test_calls_without_an_index_are_told_apart_by_the_ids_of_their_deltas():
    kind = "function_call_arguments.delta"
    deltas = [
        event(kind, item_id=i, delta=d) for i, d in (("b", "{"), ("a", '{"x":1}'), ("b", "}"))
    ]
    items = [call("", "c1", id="a"), call("", "c2", id="b")]
    new = [event("output_item.added", item=item) for item in items]
    turn = fold(read(*deltas, *new, completed()))
    assert {c.id: c.arguments for c in turn.tool_calls} == {"c1": {"x": 1}, "c2": {}}
