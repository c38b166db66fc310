"""What the facts of a Converse answer say, and where they say nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.dialects.bedrock.answer import error, event, exception
from mockserver.dialects.bedrock.facts import read
from mockserver.dialects.facts import CallFacts, Facts
from mockserver.vocabulary import Citation
from mockserver.wire.body import Media, body_of
from mockserver.wire.eventstream import Header, encode


def streamed(*sent: bytes) -> Facts:
    return read(body_of(b"".join(sent), Media.AWS_FRAMES))


def whole(content: Any, reason: Any = "end_turn", **more: Any) -> Facts:
    answer = {"output": {"message": {"content": content}}, "stopReason": reason, **more}
    return read(body_of(json.dumps(answer).encode(), Media.OTHER))


def start(index: Any, use: Any) -> bytes:
    return event("contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": use}})


def delta(index: Any, value: Any) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": value})


def text(value: str, index: Any = 0) -> bytes:
    return delta(index, {"text": value})


def piece(index: Any, value: Any) -> bytes:
    return delta(index, {"toolUse": {"input": value}})


def stop(word: Any = "end_turn") -> bytes:
    return event("messageStop", {"stopReason": word})


USE = {"toolUseId": "t1", "name": "f"}
CALL = CallFacts(name="f", id="t1", arguments=({"a": 1},), raw='{"a":1}')


def test_a_good_stream() -> None:
    facts = streamed(
        event("messageStart", {"role": "assistant"}),
        delta(0, {"reasoningContent": {"text": "So"}}),
        delta(0, {"reasoningContent": {"signature": "c2ln"}}),
        delta(1, {"reasoningContent": {"redactedContent": "b3Bx"}}),
        text("Hi ", 2),
        text("you", 2),
        event("contentBlockStop", {"contentBlockIndex": 2}),
        start(3, USE),
        piece(3, '{"a"'),
        piece(3, ":1}"),
        stop("tool_use"),
        event("metadata", {"usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}}),
    )
    assert (facts.text, facts.reasoning, facts.refusal) == ("Hi you", "So", "")
    assert facts.calls == (CALL,)
    assert facts.signatures == ("c2ln", "b3Bx")
    assert (facts.terminal, facts.other_terminals, facts.error) == ("tool_use", (), None)
    assert facts.usage == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    assert facts.other_usage == {}
    assert not (facts.may_fail)
    assert not (facts.broken)
    assert not (facts.done)


def test_a_good_whole_answer() -> None:
    facts = whole(
        [
            {"reasoningContent": {"reasoningText": {"text": "So", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": "b3Bx"}},
            {"text": "Hi"},
            {"toolUse": {**USE, "input": {"a": 1}}},
        ],
        "tool_use",
        usage={"inputTokens": 5},
    )
    assert (facts.text, facts.reasoning, facts.done) == ("Hi", "So", True)
    assert facts.calls == (CallFacts(name="f", id="t1", arguments=({"a": 1},)),)
    assert facts.signatures == ("c2ln", "b3Bx")
    assert facts.usage == {"input_tokens": 5}
    assert not facts.may_fail


def test_cached_input_may_be_counted_or_not() -> None:
    usage = {"inputTokens": 5, "cacheReadInputTokens": 900, "cacheWriteInputTokens": 100}
    facts = streamed(text("Hi"), stop(), event("metadata", {"usage": usage}))
    assert facts.usage == {
        "input_tokens": 5,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 100,
    }
    assert facts.other_usage == {"input_tokens": frozenset({1005})}
    none = streamed(event("metadata", {"usage": {"inputTokens": 5, "cacheReadInputTokens": 0}}))
    assert none.other_usage == {}


def test_the_last_usage_counts() -> None:
    facts = streamed(
        event("metadata", {"usage": {"inputTokens": 5, "outputTokens": 1}}),
        event("metadata", {"usage": {"outputTokens": 2}}),
        event("metadata", {"metrics": {}}),
    )
    assert facts.usage == {"input_tokens": 5, "output_tokens": 2}


def test_exceptions_and_errors() -> None:
    facts = streamed(text("Hi"), exception("throttlingException", {"message": "No"}), text("?"))
    assert facts.error is not None
    assert facts.error.codes == {"throttlingException"}
    assert facts.error.message == "No"
    assert "rate" in facts.error.families
    assert facts.text == "Hi"
    plain = streamed(encode((Header(":message-type", "exception"),), b"oh"))
    assert plain.error is not None
    named = streamed(error("InternalError", "It broke"))
    assert named.error is not None
    assert (named.error.codes, named.error.message) == ({"InternalError"}, "It broke")


@pytest.mark.parametrize("word", ["malformed_tool_use", "malformed_model_output"])
def test_a_stop_reason_that_tells_a_failure(word: str) -> None:
    facts = streamed(text("Hi"), stop(word))
    assert facts.error is not None
    assert facts.error.codes == {word}
    assert facts.terminal == word
    both = streamed(text("Hi"), stop(word), exception("throttlingException", {"message": "No"}))
    assert both.error is not None
    assert both.error.message == "No"


def test_frames_that_are_broken() -> None:
    good = text("Hi")
    for bad in (good[:-1] + b"\x00", encode((Header(":message-type", "event"),), b"{")):
        facts = streamed(good, bad, stop())
        assert (facts.broken, facts.text, facts.terminal) == (True, "Hi", None)
    cut = streamed(good, stop()[:-1])
    assert (cut.broken, cut.terminal, cut.terminal_seen) == (False, None, False)
    listed = streamed(encode((Header(":message-type", "event"),), b"[]"))
    assert listed.broken


def test_frames_that_are_not_known_are_skipped() -> None:
    odd = encode((Header(":message-type", "news"),), b"{}")
    facts = streamed(odd, event("news", {"text": "?"}), text("Hi"), stop())
    assert (facts.text, facts.terminal, facts.may_fail) == ("Hi", "end_turn", True)
    assert not streamed(event("news", {"text": "?"}), text("Hi"), stop()).may_fail
    empty = encode((Header(":event-type", "news"), Header(":message-type", "event")), b"")
    assert not streamed(empty, text("Hi"), stop()).broken


def test_blocks_that_take_turns_are_joined_by_nobody_for_sure() -> None:
    turns = streamed(text("a", 0), text("b", 1), text("c", 0), stop())
    assert (turns.text, turns.reasoning) == (None, None)
    assert turns.may_fail
    assert streamed(text("a", 1), text("b", 0), stop()).text == "ab"


def test_indexes_that_are_none() -> None:
    for index in (None, "0", True):
        facts = streamed(text("a", index), stop())
        assert (facts.text, facts.calls) == (None, None)


def test_what_comes_behind_the_end_is_in_doubt() -> None:
    facts = streamed(text("a"), stop(), text("b"), stop("max_tokens"))
    assert (facts.text, facts.calls) == (None, None)
    assert (facts.terminal, facts.other_terminals) == ("end_turn", ("max_tokens",))


def test_calls_in_doubt() -> None:
    assert streamed(piece(0, "{}"), stop("tool_use")).calls is None
    assert streamed(start(0, USE), start(0, USE), stop("tool_use")).calls is None
    late = streamed(piece(0, "{}"), start(0, USE), stop("tool_use"))
    assert late.calls is None


def test_a_call_without_arguments_has_none_unless_it_was_stopped() -> None:
    for sent in ((), (piece(0, ""),), (piece(0, None),)):
        facts = streamed(start(0, USE), *sent, stop("tool_use"))
        assert facts.calls == (CallFacts(name="f", id="t1", arguments=({},)),)
        assert not facts.may_fail
    stopped = streamed(start(0, USE), stop("max_tokens"))
    assert stopped.calls == (CallFacts(name="f", id="t1", arguments=None),)


def test_ids_and_names_that_are_none() -> None:
    facts = streamed(
        start(0, {"toolUseId": " ", "name": ""}), start(1, USE), start(2, USE), stop("tool_use")
    )
    assert facts.calls is not None
    assert [(c.name, c.id) for c in facts.calls] == [(None, None), ("f", None), ("f", None)]
    assert facts.may_fail


def test_cut_arguments_are_none() -> None:
    facts = streamed(start(0, USE), piece(0, '{"a":'), stop("tool_use"))
    assert facts.calls == (CallFacts(name="f", id="t1", arguments=()),)
    assert facts.may_fail


def test_tools_of_the_provider_are_no_calls() -> None:
    hosted = {**USE, "type": "server_tool_use"}
    facts = streamed(start(0, hosted), piece(0, "{}"), text("Hi", 1), stop())
    assert (facts.calls, facts.text) == ((), "Hi")
    found = whole([{"toolUse": {**hosted, "input": {}}}, {"text": "Hi"}])
    assert (found.calls, found.text) == ((), "Hi")


def test_citations_of_web_pages() -> None:
    web = {"title": "T", "location": {"web": {"url": "https://a.b"}}}
    facts = streamed(text("Hi"), delta(0, {"citation": web}), stop())
    assert facts.citations == (Citation(url="https://a.b", title="T"),)
    content = {"content": [{"text": "a"}, {"text": "b"}, {}], "citations": [web, 3]}
    found = whole([{"citationsContent": content}])
    assert (found.text, found.citations) == ("ab", facts.citations)
    place = {"title": "T", "location": {"documentChar": {"start": 1}}}
    assert streamed(text("Hi"), delta(0, {"citation": place}), stop()).citations is None
    assert streamed(text("Hi"), delta(0, {"citation": {"location": 3}}), stop()).citations is None


def test_images_are_not_judged() -> None:
    image = {"image": {"source": {"bytes": "aWc="}}}
    assert streamed(delta(0, image), stop()).images is None


@pytest.mark.parametrize(
    ("facts", "questionable"),
    [
        (streamed(text("Hi"), stop("end_turn")), False),
        (streamed(text("Hi"), stop("stop_sequence")), False),
        (streamed(text("Hi"), stop("max_tokens")), True),
        (streamed(text("Hi"), stop("tool_use")), True),
        (streamed(stop()), True),
        (streamed(text("Hi"), stop(), stop("max_tokens")), True),
        (streamed(start(0, USE), piece(0, '{"a":1}'), stop()), False),
        (streamed(text("Hi"), delta(1, "x"), stop()), True),
    ],
)
def test_what_a_careful_client_may_fail(facts: Facts, questionable: bool) -> None:
    assert facts.may_fail is questionable


def test_bodies_that_are_no_answers() -> None:
    assert read(body_of(b" ", Media.OTHER)).terminal_seen is False
    assert read(body_of(b"<html>", Media.OTHER)).broken
    failed = read(body_of(b'{"__type":"ThrottlingException","message":"No"}', Media.OTHER))
    assert failed.error is not None
    assert failed.error.message == "No"
    assert read(body_of(b'{"output":3}', Media.OTHER)).error is not None
    odd = whole("Hi", None)
    assert (odd.text, odd.terminal, odd.done) == ("", None, True)
    assert whole([3, {"text": 3}, {"reasoningContent": 3}, {"citationsContent": 3}]).text == ""
    thought = {"reasoningContent": {"reasoningText": {"text": None, "signature": ""}}}
    assert whole([thought]).signatures == ()


odd_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "contentBlockIndex",
                    "delta",
                    "start",
                    "text",
                    "toolUse",
                    "input",
                    "reasoningContent",
                    "citation",
                    "location",
                    "usage",
                    "stopReason",
                    "output",
                    "message",
                    "content",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
names = st.sampled_from(
    [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
        "other",
    ]
)


@given(st.lists(st.tuples(names, odd_json), max_size=6))
def test_any_stream_is_read(sent: list[tuple[str, Any]]) -> None:
    kinds = [(Header(":event-type", name), Header(":message-type", "event")) for name, _ in sent]
    bodies = [json.dumps(value).encode() for _, value in sent]
    streamed(*(encode(k, b) for k, b in zip(kinds, bodies, strict=True)))


@given(odd_json)
def test_any_document_is_read(value: Any) -> None:
    read(body_of(json.dumps(value).encode(), Media.OTHER))
    whole(value, value, usage=value)


@pytest.mark.parametrize("output", [{}, None, {"message": None}])
def test_an_answer_without_a_message_is_no_error(output: Any) -> None:
    answer = {"output": output, "stopReason": "end_turn", "usage": {"inputTokens": 1}}
    facts = read(body_of(json.dumps(answer).encode(), Media.OTHER))
    assert (facts.error, facts.terminal, facts.done) == (None, "end_turn", True)
    assert (facts.text, facts.calls, facts.usage) == ("", (), {"input_tokens": 1})
    assert facts.may_fail
    error = json.dumps({**answer, "message": "boom"}).encode()
    assert read(body_of(error, Media.OTHER)).error is not None
