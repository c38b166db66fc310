"""Events in any order and of odd forms: nothing raises, facts and client agree on what is clear."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from harness.adapters.anthropic.stream import MessagesStream
from harness.adapters.common.answer_body import AnswerBody
from mockserver.cassettes.cassette import Request
from mockserver.dialects import (
    Facts,
    Pace,
    UnreadableRequestError,
    UnwritableError,
    find_dialect,
    texts_in,
)
from mockserver.dialects.writing import streamed, whole
from mockserver.vocabulary import (
    AssistantTurn,
    Json,
    JsonObject,
    NeutralCall,
    event_from_json,
    fold,
    to_json,
)
from mockserver.wire.schedule import from_response
from tests.mockserver.dialects.disorder import mostly, odd

DIALECT = find_dialect("anthropic")


pieces = mostly(st.sampled_from(["a", "b ", "", "🎉", "\ud83c", "\udf89", "null"]))
inputs = mostly(st.sampled_from(["", "{", "}", "{}", '{"a": ', "1}", '{"a": 1}', "\ud83c"]))
indexes = mostly(st.integers(0, 2))
values = mostly(st.sampled_from([{}, {"a": 1}]))
citations = mostly(
    st.fixed_dictionaries({}, optional={"url": pieces, "title": pieces, "source": pieces})
)
usages = mostly(
    st.fixed_dictionaries(
        {},
        optional={
            name: mostly(st.integers(0, 9))
            for name in (
                "input_tokens",
                "output_tokens",
                "cache_read_input_tokens",
                "cache_creation_input_tokens",
            )
        },
    )
)
FIELDS = {
    "text": {"text": pieces, "citations": mostly(st.lists(citations, max_size=1))},
    "thinking": {"thinking": pieces, "signature": pieces},
    "redacted_thinking": {"data": pieces},
    "tool_use": {"id": mostly(st.sampled_from(["t1", "t2"])), "name": pieces, "input": values},
    "server_tool_use": {"id": pieces, "name": pieces, "input": values},
    "hologram": {"frame": pieces},
}
DELTAS = {
    "text_delta": {"text": pieces},
    "thinking_delta": {"thinking": pieces},
    "signature_delta": {"signature": pieces},
    "input_json_delta": {"partial_json": inputs},
    "citations_delta": {"citation": citations},
    "compaction_delta": {"content": pieces},
    "hologram_delta": {"frame": pieces},
}


def typed(forms: dict[str, dict[str, st.SearchStrategy[Json]]]) -> st.SearchStrategy[Json]:
    return mostly(
        st.one_of(
            *(
                st.fixed_dictionaries({"type": st.just(kind)}, optional=fields)
                for kind, fields in forms.items()
            )
        )
    )


blocks = typed(FIELDS)
reasons = mostly(st.sampled_from(["end_turn", "tool_use", "max_tokens", "refusal", "new", None]))
EVENTS = {
    "message_start": {
        "message": mostly(
            st.fixed_dictionaries(
                {"id": st.sampled_from(["m1", "m1", "m1", "m2"])},
                optional={"model": pieces, "usage": usages, "content": st.just([])},
            )
        )
    },
    "content_block_start": {"index": indexes, "content_block": blocks},
    "content_block_delta": {"index": indexes, "delta": typed(DELTAS)},
    "content_block_stop": {"index": indexes},
    "message_delta": {
        "delta": mostly(st.fixed_dictionaries({"stop_reason": reasons})),
        "usage": usages,
    },
    "message_stop": {},
    "ping": {},
}
events = st.one_of(
    *(
        st.fixed_dictionaries({"type": st.just(kind), **fields})
        for kind, fields in EVENTS.items()
        for _ in range(1 if kind.startswith("message") or kind == "ping" else 3)
    )
)


def read_by_client(body: bytes) -> AssistantTurn:
    reader = AnswerBody(MessagesStream())
    found = [*reader.feed(body), *reader.end()]
    assert reader.closed
    for event in found:
        event_from_json(to_json(event))
        json.dumps(to_json(event), ensure_ascii=False).encode()
    return fold(found)


def assert_agreement(facts: Facts, turn: AssistantTurn) -> None:
    if turn.error is not None:
        clear = facts.terminal in DIALECT.reasons and not facts.may_fail
        assert facts.error or facts.broken or not clear, turn.error
        return
    assert facts.error is None
    assert not facts.broken
    assert facts.terminal_seen
    assert facts.text in (None, turn.content)
    assert facts.reasoning in (None, turn.reasoning)
    seen = frozenset(texts_in(to_json(turn.parts)))
    assert seen >= set(facts.signatures or ())
    if facts.calls is not None:
        for fact, call in zip(facts.calls, turn.tool_calls, strict=True):
            assert fact.name in (None, call.name)
            assert fact.arguments is None or call.arguments in (*fact.arguments, None)
    usage: JsonObject = {} if turn.usage is None else to_json(turn.usage)
    for name, count in facts.usage.items():
        known = {count, *facts.other_usage.get(name, ())}
        assert count is None or usage[name] in known


@given(st.lists(events, max_size=12))
# Deltas of a type that is no text.
@example([{"type": "content_block_delta", "index": 0, "delta": {"type": []}}])
@example([{"type": "content_block_start", "index": 0, "content_block": {"type": ""}}])
def test_facts_and_client_agree_on_any_stream(stream: list[JsonObject]) -> None:
    response = streamed((b"data: %s\n\n" % json.dumps(e).encode() for e in stream), Pace())
    facts = DIALECT.read_facts([from_response(response)])
    assert facts is not None
    assert_agreement(facts, read_by_client(response.body))


@given(
    st.fixed_dictionaries(
        {"type": st.just("message"), "content": mostly(st.lists(blocks, max_size=4))},
        optional={"stop_reason": reasons, "usage": usages, "id": pieces, "model": pieces},
    )
)
def test_facts_and_client_agree_on_any_message(message: JsonObject) -> None:
    response = whole(message)
    facts = DIALECT.read_facts([from_response(response)])
    assert facts is not None
    assert_agreement(facts, read_by_client(response.body))


parts = typed(
    {
        **FIELDS,
        "reasoning": {"text": pieces, "signature": pieces, "redacted_data": pieces},
        "tool_call": {"id": pieces, "name": pieces, "arguments": values, "arguments_raw": inputs},
        "hosted_tool": {"kind": pieces, "native": mostly(st.lists(blocks, max_size=1))},
        "send_back": {"fields": values},
        "image_url": {"image_url": pieces},
        "file": {"file": values},
        "tool_result": {"tool_use_id": pieces, "content": pieces},
        "image": {"source": values},
    }
)
messages = mostly(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool", "none"])},
        optional={
            "content": st.one_of(pieces, st.lists(parts, max_size=2)),
            "parts": mostly(st.lists(parts, max_size=2)),
            "tool_calls": mostly(st.lists(values, max_size=1)),
            "tool_call_id": pieces,
        },
    )
)
FURTHER = ("system", "tools", "tool_choice", "output_config", "metadata", "betas", "stop")


@given(
    st.fixed_dictionaries(
        {"messages": mostly(st.lists(messages, max_size=3))},
        optional={name: odd | values | st.lists(parts, max_size=1) for name in FURTHER},
    )
)
def test_an_odd_request_is_read_or_refused(body: JsonObject) -> None:
    sent = Request(method="POST", uri="https://a/v1/messages", body=json.dumps(body).encode())
    with suppress(UnreadableRequestError, UnwritableError):
        DIALECT.write_request(DIALECT.read_call(sent))


@given(
    st.lists(messages.filter(lambda m: isinstance(m, dict)), max_size=3),
    st.dictionaries(st.sampled_from([*FURTHER, "response_format"]), odd | values, max_size=3),
)
def test_an_odd_call_is_written_or_refused(given_messages: list[Json], options: Json) -> None:
    call = NeutralCall(model="m", messages=tuple(given_messages), options=options)
    with suppress(UnwritableError):
        DIALECT.write_request(call)
