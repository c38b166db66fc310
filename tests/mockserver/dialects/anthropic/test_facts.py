"""What a wire of the Messages API says beyond doubt, and what it leaves open."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from mockserver.dialects import CallFacts, Facts, Pace, find_dialect
from mockserver.dialects.anthropic.block_facts import BlockReader
from mockserver.dialects.writing import sse_event, streamed, whole
from mockserver.vocabulary import Citation, Json, JsonObject
from mockserver.wire.schedule import from_response

DIALECT = find_dialect("anthropic")
START = {
    "type": "message_start",
    "message": {"id": "m1", "model": "c", "usage": {"input_tokens": 5, "output_tokens": 1}},
}
STOP = {"type": "message_stop"}


def facts_of(*pieces: bytes) -> Facts:
    found = DIALECT.read_facts([from_response(streamed(pieces, Pace()))])
    assert found is not None
    return found


def read(*events: JsonObject) -> Facts:
    return facts_of(*(sse_event(event, str(event["type"])) for event in events))


def read_whole(message: Json) -> Facts:
    found = DIALECT.read_facts([from_response(whole(message))])
    assert found is not None
    return found


def start(index: Json, kind: str, **fields: Json) -> JsonObject:
    block = {"type": kind, **fields}
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Json, kind: str, **fields: Json) -> JsonObject:
    piece = {"type": kind, **fields}
    return {"type": "content_block_delta", "index": index, "delta": piece}


def stop(index: Json) -> JsonObject:
    return {"type": "content_block_stop", "index": index}


def reason(word: Json, **fields: Json) -> JsonObject:
    return {"type": "message_delta", "delta": {"stop_reason": word}, **fields}


def text(index: int, *pieces: str) -> list[JsonObject]:
    deltas = [delta(index, "text_delta", text=piece) for piece in pieces]
    return [start(index, "text", text=""), *deltas, stop(index)]


def tool(index: int, *pieces: str, **fields: Json) -> list[JsonObject]:
    deltas = [delta(index, "input_json_delta", partial_json=piece) for piece in pieces]
    opened = start(index, "tool_use", **{"id": f"t{index}", "name": "f", "input": {}, **fields})
    return [opened, *deltas, stop(index)]


ENDED = [reason("end_turn"), STOP]


def test_a_plain_answer() -> None:
    assert read(
        START, *text(0, "a", "b"), reason("end_turn", usage={"output_tokens": 3}), STOP
    ) == (
        Facts(
            terminal="end_turn",
            done=True,
            text="ab",
            reasoning="",
            signatures=(),
            citations=(),
            response_id="m1",
            model="c",
            usage={"input_tokens": 5, "output_tokens": 3},
        )
    )


def test_a_whole_answer() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "S"},
        {"type": "text", "text": "ab"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "u", "name": "g", "input": {}},
    ]
    facts = read_whole({"id": "m1", "content": content, "stop_reason": "tool_use"})
    assert (facts.text, facts.reasoning, facts.signatures) == ("ab", "Hm.", ("S",))
    assert facts.calls == (
        CallFacts(name="f", id="t", arguments=({"a": 1},)),
        CallFacts(name="g", id="u", arguments=({},)),
    )
    assert facts.done
    assert not facts.may_fail


@pytest.mark.parametrize("body", [b"{", b'{"content": [1'])
def test_a_body_that_is_no_json(body: bytes) -> None:
    facts = DIALECT.read_facts([from_response(replace(whole({}), body=body))])
    assert facts is not None
    assert facts.broken


@pytest.mark.parametrize(
    "body",
    [
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"content": [], "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"content": "x"},
        [],
    ],
)
def test_a_body_that_is_no_message(body: Json) -> None:
    assert read_whole(body).error is not None


def test_nothing_was_sent() -> None:
    facts = facts_of(b"")
    assert not facts.terminal_seen


def test_an_error_status() -> None:
    response = whole({"type": "error", "error": {"type": "api_error", "message": "m"}}, status=500)
    facts = DIALECT.read_facts([from_response(response)])
    assert facts is not None
    assert facts.error is not None
    assert facts.error.status == 500


@pytest.mark.parametrize(
    "piece",
    [
        b'event: error\ndata: {"type": "error", "error": {"type": "api_error"}}\n\n',
        b'data: {"type": "error", "error": {"type": "api_error"}}\n\n',
        b'data: {"error": {"type": "api_error"}}\n\n',
        b"event: error\ndata: api_error\n\n",
        b'error: {"type": "api_error"}\n\n',
        b'{"error": {"type": "api_error"}}\n\n',
    ],
)
def test_errors_in_a_stream(piece: bytes) -> None:
    facts = facts_of(sse_event(START), piece, *(sse_event(event) for event in ENDED))
    assert facts.error is not None
    assert "api_error" in {*facts.error.codes, facts.error.message}
    assert facts.terminal is None


@pytest.mark.parametrize("piece", [b"data: {\n\n", b"data: 1\n\n", b"data: []\n\n"])
def test_an_event_that_is_no_object(piece: bytes) -> None:
    facts = facts_of(sse_event(START), piece, sse_event(STOP))
    assert facts.broken
    assert not facts.done


def test_what_is_skipped_and_what_ends() -> None:
    facts = facts_of(
        b"data: null\n\n: x\n\ndata:\n\nevent: ping\ndata: x\n\n",
        sse_event(START),
        b"data: [DONE]\n\n",
        sse_event(text(0, "late")[1]),
    )
    assert facts.done
    assert (facts.text, facts.broken) == ("", False)


def test_the_name_of_an_event_counts_where_its_type_is_missing() -> None:
    facts = facts_of(sse_event(START), b"event: message_stop\ndata: {}\n\n")
    assert facts.done
    assert facts.may_fail


def test_words_and_counts() -> None:
    facts = read(
        START,
        reason("", usage={"output_tokens": "7"}),
        reason("null"),
        reason("max_tokens"),
        reason("end_turn", usage={"cache_read_input_tokens": 4, "input_tokens": None}),
        STOP,
    )
    assert (facts.terminal, facts.other_terminals) == ("max_tokens", ("end_turn",))
    assert facts.usage == {"input_tokens": 9, "output_tokens": 7, "cache_read_input_tokens": 4}
    assert facts.other_usage == {"input_tokens": frozenset({5})}


def test_a_cache_in_doubt_leaves_the_input_in_doubt() -> None:
    first = {"cache_read_input_tokens": 4}
    facts = read(START, reason("a", usage=first), reason("b", usage={"cache_read_input_tokens": 0}))
    assert facts.usage["input_tokens"] is None
    assert facts.usage["cache_read_input_tokens"] is None


def test_calls_and_their_input() -> None:
    facts = read(
        START,
        *tool(0, "", '{"a"', ": 1}"),
        *tool(1),
        *tool(2, input={"b": 2}),
        *tool(3, '{"c": 3}', input={"b": 2}),
        *tool(4, id="t3"),
        *tool(5, input=7),
        reason("tool_use"),
        STOP,
    )
    assert facts.calls == (
        CallFacts(name="f", id="t0", arguments=({"a": 1},), raw='{"a": 1}'),
        CallFacts(name="f", id="t1", arguments=({},)),
        CallFacts(name="f", id="t2", arguments=({"b": 2},)),
        CallFacts(name="f", arguments=({"c": 3},), raw='{"c": 3}'),
        CallFacts(name="f", arguments=({},)),
        CallFacts(name="f", id="t5"),
    )
    assert facts.may_fail


def test_a_call_that_was_cut() -> None:
    facts = read(START, *tool(0, '{"a": '), *tool(1), reason("max_tokens"), STOP)
    assert facts.calls == (
        CallFacts(name="f", id="t0", arguments=()),
        CallFacts(name="f", id="t1"),
    )


@pytest.mark.parametrize("name", [None, "", 1])
def test_a_call_without_a_name_is_in_doubt(name: Json) -> None:
    assert read(START, *tool(0, name=name), reason("tool_use"), STOP).calls is None


def test_tools_of_the_provider_are_no_calls() -> None:
    block = [start(0, "server_tool_use", id="s", name="web_search", input={}), stop(0)]
    assert read(START, *block, *ENDED).calls == ()


def test_what_must_go_back_with_thinking() -> None:
    facts = read(
        START,
        start(0, "thinking", thinking="H", signature=""),
        delta(0, "thinking_delta", thinking="m."),
        delta(0, "signature_delta", signature="S"),
        stop(0),
        start(1, "redacted_thinking", data="R"),
        stop(1),
        start(2, "redacted_thinking", data=1),
        stop(2),
        *ENDED,
    )
    assert (facts.reasoning, facts.signatures) == ("Hm.", ("S", "R"))


def test_a_signature_in_pieces_is_in_doubt() -> None:
    pieces = [delta(0, "signature_delta", signature=piece) for piece in "ab"]
    assert read(START, start(0, "thinking"), *pieces, stop(0), *ENDED).signatures is None


def test_sources_once_each() -> None:
    one = {"type": "web_search_result_location", "url": "https://a/", "title": "A"}
    document = {"type": "char_location", "document_title": "B", "start_char_index": 1}
    facts = read(
        START,
        start(0, "text", text="", citations=[one]),
        delta(0, "citations_delta", citation=one),
        delta(0, "citations_delta", citation=document),
        delta(0, "citations_delta", citation=None),
        stop(0),
        *ENDED,
    )
    assert facts.citations == (Citation(url="https://a/", title="A"), Citation(title="B"))


@pytest.mark.parametrize("citation", [1, {"source": "https://a/", "title": "A"}])
def test_a_source_that_clients_may_read_otherwise(citation: Json) -> None:
    block = [start(0, "text", text="a"), delta(0, "citations_delta", citation=citation), stop(0)]
    assert read(START, *block, *ENDED).citations is None


@pytest.mark.parametrize(
    "events",
    [
        [start(0, "text"), start(0, "text")],
        [start("0", "text")],
        [start(True, "text")],
        [delta(0, "text_delta", text="a")],
        [start(0, "text"), delta(1, "input_json_delta", partial_json="a")],
        [start(0, "text"), {"type": "content_block_delta", "index": 0, "delta": 1}],
        [start(0, "text"), delta(0, "text_delta", text=1)],
        [{"type": "content_block_start", "index": 0, "content_block": 1}],
    ],
)
def test_blocks_in_doubt(events: list[JsonObject]) -> None:
    facts = read(START, *events, *ENDED)
    assert (facts.text, facts.reasoning, facts.calls) == (None, None, None)
    assert facts.may_fail


def test_deltas_of_unknown_types_and_blocks_say_nothing() -> None:
    facts = read(START, *text(0, "a"), delta(9, "new_delta", text="b"), *ENDED)
    assert facts.text == "a"
    odd = delta(0, "new_delta", text="b")
    assert read(START, start(0, "text"), odd, stop(0), *ENDED).text == ""


def test_texts_whose_order_is_not_that_of_their_indexes_are_in_doubt() -> None:
    assert read(START, *text(1, "a"), *text(0, "b"), *ENDED).text is None
    same = read(START, *text(1, "a"), *text(0, "a"), *ENDED)
    assert same.text == "aa"
    assert same.may_fail


@pytest.mark.parametrize(
    "events",
    [
        [*text(0, "a"), reason("end_turn")],
        [*text(0, "a"), reason("new"), STOP],
        [*text(0, "a"), reason("refusal"), STOP],
        [*text(0, "a"), STOP],
        [*text(0, "a"), reason("tool_use"), STOP],
        [*text(0, "a"), reason("end_turn"), *text(1, "b"), STOP],
        [*text(0, "a"), reason("end_turn"), delta(0, "text_delta", text="b"), STOP],
        [*text(0, "a"), delta(0, "text_delta", text="b"), *ENDED],
        [*text(1, "a"), *ENDED],
        [start(0, "text", text="a"), *ENDED],
        [START, *text(0, "a"), *ENDED],
        [{"type": "message_start", "message": 1}, *text(0, "a"), *ENDED],
        ENDED,
    ],
)
def test_a_careful_client_may_fail(events: list[JsonObject]) -> None:
    assert read(START, *events).may_fail


def test_a_tool_call_is_enough_of_an_answer() -> None:
    assert not read(START, *tool(0, "{}"), reason("tool_use"), STOP).may_fail


def test_another_message_leaves_all_in_doubt() -> None:
    other = {"type": "message_start", "message": {"id": "m2", "model": "c"}}
    facts = read(START, *text(0, "a"), other, *text(1, "b"), *ENDED)
    assert (facts.text, facts.calls, facts.citations, facts.response_id) == (None,) * 4
    assert set(facts.usage.values()) == {None}
    again = read(START, *text(0, "a"), START, *ENDED)
    assert (again.text, again.response_id) == ("a", "m1")
    full = {"type": "message_start", "message": {"id": "m1", "content": [{"type": "text"}]}}
    assert read(full, *ENDED).text is None


def test_half_a_character_at_a_cut_is_left_open() -> None:
    facts = read(START, start(0, "text"), delta(0, "text_delta", text="a\ud83c"))
    assert facts.text == "a"
    assert json.dumps(facts.text)


def test_many_blocks_take_linear_time() -> None:
    numbers = range(8000)
    reader = BlockReader()
    found = Facts()
    began = time.process_time()
    for n in numbers:
        reader.start(n, {"type": "tool_use", "id": f"t{n}", "name": "f", "input": {"a": n}})
        reader.delta(n, {"type": "input_json_delta", "partial_json": ""})
        reader.stop(n)
    reader.fill(found, complete=True, unfinished=False)
    assert time.process_time() - began < 3
    assert found.calls is not None
    assert [call.id for call in found.calls] == [f"t{n}" for n in numbers]


@pytest.mark.parametrize("content", [None, "hello", {}])
def test_a_message_without_blocks_is_in_doubt(content: Json) -> None:
    message: JsonObject = {"type": "message", "id": "m", "stop_reason": "end_turn"}
    for answer in ({**message, "content": content}, message):
        found = read_whole(answer)
        assert (found.error, found.terminal, found.done) == (None, "end_turn", True)
        assert (found.text, found.calls, found.may_fail) == (None, None, True)
    assert read_whole({**message, "content": content, "error": {"type": "x"}}).error is not None
    assert read_whole({"content": content}).error is not None


@pytest.mark.parametrize("block", [{"text": "a"}, {"type": "", "text": "a"}, {"type": 3}])
def test_a_block_without_a_type_is_in_doubt(block: JsonObject) -> None:
    begin: JsonObject = {"type": "content_block_start", "index": 0, "content_block": block}
    found = read(START, begin, delta(0, "text_delta", text="b"), reason("end_turn"), STOP)
    assert (found.text, found.reasoning, found.calls) == (None, None, None)


@pytest.mark.parametrize("place", range(5))
def test_an_event_without_a_type_is_in_doubt(place: int) -> None:
    events = [START, *text(0, "a"), reason("end_turn", usage={"output_tokens": 9}), STOP]
    pieces = [sse_event(event, str(event["type"])) for event in events]
    named = {name: value for name, value in events[place].items() if name != "type"}
    pieces[place] = sse_event(named, str(events[place]["type"]))
    found = facts_of(*pieces)
    known = ("a", 9, "m1") if events[place]["type"] == "content_block_stop" else (None, None, None)
    assert (found.text, found.usage.get("output_tokens"), found.response_id) == known
    assert found.may_fail


def test_a_citation_without_a_block_is_in_doubt() -> None:
    cited = delta(None, "citations_delta", citation={"url": "u"})
    begin, piece, end = text(0, "a")
    found = read(START, begin, piece, cited, end, reason("end_turn"), STOP)
    assert (found.text, found.calls, found.citations) == ("a", (), None)
