"""The client and the facts, which share nothing, read any stream in the same way."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.bedrock.frames import FrameBody
from harness.adapters.bedrock.stream import ConverseStream
from mockserver.dialects.bedrock.answer import event, exception
from mockserver.dialects.bedrock.facts import read
from mockserver.vocabulary import AssistantTurn, fold
from mockserver.wire.body import Media, body_of

_INDEXES = st.integers(0, 2)
_TEXTS = st.sampled_from(["", "a", "b🎉", "\ud83c", "\udf89", "\u2028"])
_INPUTS = st.sampled_from(["", "{", "}", '{"a":1}', '"a":', "1", "null", "[]"])


def _delta(index: int, delta: Any) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})


def _start(index: int, call_id: str, name: str, kind: str) -> bytes:
    use = {"toolUseId": call_id, "name": name, "type": kind}
    return event("contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": use}})


frames = st.one_of(
    st.builds(lambda i, t: _delta(i, {"text": t}), _INDEXES, _TEXTS),
    st.builds(lambda i, t: _delta(i, {"reasoningContent": {"text": t}}), _INDEXES, _TEXTS),
    st.builds(lambda i, t: _delta(i, {"toolUse": {"input": t}}), _INDEXES, _INPUTS),
    st.builds(
        _start,
        _INDEXES,
        st.sampled_from(["t1", "t2", ""]),
        st.sampled_from(["f", "g", ""]),
        st.sampled_from(["tool_use", "server_tool_use"]),
    ),
    st.builds(lambda i: event("contentBlockStop", {"contentBlockIndex": i}), _INDEXES),
    st.builds(
        lambda word: event("messageStop", {"stopReason": word}),
        st.sampled_from(["end_turn", "tool_use", "max_tokens", "malformed_tool_use", "new"]),
    ),
    st.just(event("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}})),
    st.just(event("other", {"text": "?"})),
    st.just(exception("throttlingException", {"message": "No"})),
    st.just(event("messageStart", {})[:-1] + b"\x00"),
)


def client_turn(body: bytes) -> AssistantTurn:
    reader = FrameBody(ConverseStream())
    return fold([*reader.feed(body), *reader.end()])


@given(st.lists(frames, max_size=7))
def test_facts_and_client_agree_on_any_stream(sent: list[bytes]) -> None:
    body = b"".join(sent)
    facts, turn = read(body_of(body, Media.AWS_FRAMES)), client_turn(body)
    if facts.error is not None or facts.broken or not facts.terminal_seen:
        assert turn.error is not None
    elif not facts.may_fail:
        assert turn.error is None
    if turn.error is None:
        assert turn.raw_finish_reason == facts.terminal
        if facts.text is not None:
            assert (turn.content, turn.reasoning) == (facts.text, facts.reasoning)
        for name, count in facts.usage.items():
            assert turn.usage is not None
            assert getattr(turn.usage, name) == count
    if facts.calls is None or turn.error is not None:
        return
    assert len(turn.tool_calls) == len(facts.calls)
    for call, wanted in zip(turn.tool_calls, facts.calls, strict=True):
        assert wanted.name in (None, call.name)
        assert wanted.id in (None, call.id)
        if wanted.arguments:
            assert call.arguments is None or call.arguments in wanted.arguments
        if wanted.raw is not None:
            assert json.loads(call.arguments_raw) == json.loads(wanted.raw)
