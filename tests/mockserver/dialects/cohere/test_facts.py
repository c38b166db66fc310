from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.dialects.cohere.facts import read_facts
from mockserver.dialects.facts import CallFacts, Facts
from mockserver.vocabulary import Citation, Json, JsonObject
from mockserver.wire.schedule import from_response


def facts(text: str, *, status: int = 200, kind: str = "text/event-stream") -> Facts:
    headers = (("content-type", kind),)
    body = text.encode(errors="surrogatepass")
    return read_facts(
        [from_response(Response(status=status, reason="", headers=headers, body=body))]
    )


def stream(*events: Json) -> Facts:
    texts = (e if isinstance(e, str) else json.dumps(e) for e in events)
    return facts("".join(f"data: {text}\n\n" for text in texts))


def whole(value: Json) -> Facts:
    return facts(json.dumps(value), kind="application/json")


def event(kind: str, index: Json = None, **message: Json) -> JsonObject:
    return {"type": kind, "index": index, "delta": {"message": message}}


def text(index: Json, piece: Json) -> JsonObject:
    return event("content-delta", index, content={"text": piece})


def think(index: Json, piece: Json) -> JsonObject:
    return event("content-delta", index, content={"thinking": piece})


def plan(piece: Json) -> JsonObject:
    return event("tool-plan-delta", tool_plan=piece)


def call(index: Json, arguments: Json = "", **start: Json) -> JsonObject:
    function = {"arguments": arguments, **({"name": "f"} if start else {})}
    return event("tool-call-delta", index, tool_calls={**start, "function": function})


def end(word: Json = "COMPLETE", **more: Json) -> JsonObject:
    return {"type": "message-end", "delta": {"finish_reason": word, **more}}


START = {"id": "a1", "type": "message-start", "delta": {"message": {"content": []}}}


def test_a_plain_answer() -> None:
    found = stream(START, text(0, "a"), text(0, "b"), end())
    assert (found.text, found.reasoning, found.terminal) == ("ab", "", "COMPLETE")
    assert (found.response_id, found.calls, found.usage) == ("a1", (), {})
    assert not found.may_fail
    assert found.citations == ()


@pytest.mark.parametrize("kind", ["FUTURE", "COMPLETE", "", 3, None])
def test_a_word_ends_the_answer(kind: Json) -> None:
    found = stream(text(0, "a"), end(kind), text(0, "b"))
    is_word = isinstance(kind, str) and kind != ""
    assert found.terminal == (kind if is_word else None)
    assert found.text == ("a" if is_word else "ab")
    assert found.may_fail is (kind != "COMPLETE")


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([think(0, "x"), text(1, "a")], ("a", "x")),
        ([think(0, "x"), plan("y"), call(0, "{}", id="c")], ("", "xy")),
        ([text(0, "a"), text(1, "b")], ("ab", "")),
        # An index that comes back: a client may order by index, or by arrival.
        ([text(0, "a"), text(1, "b"), text(0, "c")], (None, "")),
        ([think(0, "a"), think(1, "b"), think(0, "c")], ("", None)),
        ([think(0, "a"), text(1, "b"), think(0, "c")], ("b", "ac")),
        ([text(None, "a"), text([], "b")], ("ab", "")),
        ([text(0, None), text(0, 3), text(0, ""), plan(None)], ("", "")),
        ([event("content-delta", 0, content={"type": "audio", "text": "a"})], ("", "")),
        ([event("content-delta", 0, content=[{"text": "a"}, 3])], ("a", "")),
        ([event("future", 0, content={"text": "a"})], ("", "")),
        ([{"type": 3, "delta": {"message": {"content": {"text": "a"}}}}], ("a", "")),
        ([None, {"type": "debug", "prompt": "a"}, {"type": "message-start"}], ("", "")),
        ([text(0, "\ud83c"), text(0, "\udf89")], ("🎉", "")),
    ],
)
def test_texts(events: list[Json], said: tuple[str | None, str | None]) -> None:
    found = stream(*events, end())
    assert (found.text, found.reasoning) == said


def test_half_a_character_at_the_cut_is_dropped() -> None:
    assert stream(text(0, "a\ud83c")).text == "a"
    assert stream(text(0, "a\ud83c"), end()).text == "a\ufffd"


@pytest.mark.parametrize(
    ("events", "calls"),
    [
        (
            [call(0, '{"a"', id="c0"), call(1, "{", id="c1"), call(0, ":1}"), call(1, "}")],
            [("c0", ({"a": 1},)), ("c1", ({},))],
        ),
        ([call(0, "", id="c0")], [("c0", ({},))]),
        ([call(0, "null", id="c0")], [("c0", ({},))]),
        ([call(0, None, id="c0")], [("c0", ({},))]),
        ([call(0, {"a": 1}, id="c0")], [("c0", ({"a": 1},))]),
        ([call(0, '{"a', id="c0")], [("c0", ())]),
        # Another id on a used index is another call; without an index it is the last one.
        ([call(0, "{}", id="c0"), call(0, "{}", id="c1")], [("c0", ({},)), ("c1", ({},))]),
        ([call(0, "{", id="c0"), call(None, "}")], [("c0", ({},))]),
        ([call(0, "{}", id="c0"), call(1, "{}", id="c0")], [(None, ({},)), (None, ({},))]),
        ([call(0, "{}", id=" ")], [(None, ({},))]),
        ([event("tool-call-start", 0, tool_calls={"id": "c0", "function": 3})], [("c0", ({},))]),
    ],
)
def test_calls(events: list[Json], calls: list[tuple[str | None, Any]]) -> None:
    found = stream(*events, end("TOOL_CALL")).calls
    assert found is not None
    assert [(c.id, c.arguments) for c in found] == calls


@pytest.mark.parametrize("index", [True, 1.5, {}])
def test_calls_with_an_odd_index_are_in_doubt(index: Json) -> None:
    found = stream(call(index, "{}", id="c0"), end("TOOL_CALL"))
    assert found.calls is None
    assert found.may_fail


def test_an_empty_object_is_no_call() -> None:
    for value in ({}, [{}]):
        message: JsonObject = {"content": [{"type": "text", "text": "a"}], "tool_calls": value}
        assert whole({"message": message, "finish_reason": "COMPLETE"}).calls == ()
        assert stream(event("tool-call-start", 0, tool_calls=value), end()).calls == ()


def test_a_call_whose_index_is_empty_is_in_doubt() -> None:
    assert stream(call(0, id="c0"), call("", "{}"), end("TOOL_CALL")).calls is None


def test_calls_whose_id_comes_late_are_in_doubt() -> None:
    assert stream(call(0, "{"), call(0, "}", id="c0"), end("TOOL_CALL")).calls is None


def test_the_text_of_arguments_is_a_fact_if_it_is_one_object() -> None:
    found = stream(call(0, ' {"a" : 1}', id="c0"), end("TOOL_CALL"))
    assert found.calls == (CallFacts(name="f", id="c0", arguments=({"a": 1},), raw=' {"a" : 1}'),)
    assert not found.may_fail
    odd = stream(call(0, {"a": 1}, id="c0"), end("TOOL_CALL"))
    assert odd.calls is not None
    assert odd.calls[0].raw is None
    assert odd.may_fail


def test_a_stopped_model_leaves_arguments_open() -> None:
    found = stream(call(0, "", id="c0"), end("MAX_TOKENS")).calls
    assert found is not None
    assert found[0].arguments is None


@pytest.mark.parametrize("events", [[call(0, "{}", id="c")], [text(0, "a"), call(0, "{}", id="c")]])
def test_a_word_that_does_not_fit_the_calls_may_be_a_failure(events: list[Json]) -> None:
    assert not stream(*events, end("TOOL_CALL")).may_fail
    assert stream(*events, end("COMPLETE")).may_fail
    assert stream(text(0, "a"), end("TOOL_CALL")).may_fail
    assert stream(end()).may_fail


PAIRS = {
    "billed_units": {"input_tokens": 3, "output_tokens": 4.0},
    "tokens": {"input_tokens": 70.0, "output_tokens": 5},
    "cached_tokens": 16,
}


def test_the_two_pairs_of_counts_are_both_right() -> None:
    found = stream(text(0, "a"), end(usage=PAIRS))
    assert found.usage == {"input_tokens": 70, "output_tokens": 5, "cache_read_input_tokens": 16}
    assert found.other_usage == {
        "input_tokens": frozenset({3}),
        "output_tokens": frozenset({4}),
    }
    billed = stream(end(usage={"billed_units": PAIRS["billed_units"]}))
    assert billed.usage == {"input_tokens": 3, "output_tokens": 4}
    assert billed.other_usage == {"input_tokens": frozenset(), "output_tokens": frozenset()}
    mixed = stream(end(usage={**PAIRS, "tokens": {"output_tokens": 5}})).usage
    assert (mixed["input_tokens"], mixed["output_tokens"]) == (None, 5)
    mixed = stream(end(usage={**PAIRS, "billed_units": {"output_tokens": 4}})).usage
    assert (mixed["input_tokens"], mixed["output_tokens"]) == (None, 5)
    assert stream(end(usage=3)).usage == {}
    assert stream(end(usage={"tokens": 3})).usage == {}


def citation(**fields: Json) -> JsonObject:
    return event("citation-start", 0, citations=fields)


def test_citations_have_one_source_each() -> None:
    sea = {"type": "document", "document": {"title": "Sea", "url": "https://sea.example"}}
    tool = {"type": "tool", "tool_output": {"url": "https://no.example"}}
    found = stream(
        text(0, "abcdef"),
        citation(start=0, end=3, sources=[sea, tool, sea, 3], type="TEXT_CONTENT"),
        citation(start=True, end=-1, sources=None),
        end(),
    )
    assert found.citations == (
        Citation(url="https://sea.example", title="Sea", start=0, end=3),
        Citation(start=0, end=3),
        Citation(),
    )
    elsewhere = stream(citation(start=0, end=1, type="PLAN"), end())
    assert elsewhere.citations is None


def test_a_whole_answer() -> None:
    message = {
        "content": [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": "a"}],
        "tool_plan": "y",
        "tool_calls": [
            {"id": "c", "function": {"name": "f", "arguments": "null"}},
            {"id": "c", "function": {"name": "g", "arguments": "{}"}},
        ],
        "citations": [{"start": 0, "end": 1}],
    }
    found = whole({"id": "a1", "message": message, "finish_reason": "TOOL_CALL", "usage": PAIRS})
    assert (found.text, found.reasoning, found.terminal) == ("a", "xy", "TOOL_CALL")
    assert found.calls is not None
    assert [(c.name, c.arguments) for c in found.calls] == [("f", ({},)), ("g", ({},))]
    assert found.citations == (Citation(start=0, end=1),)
    assert found.usage["input_tokens"] == 70
    assert found.response_id == "a1"
    assert whole({"message": {"content": "a"}, "finish_reason": "COMPLETE"}).text == "a"


@pytest.mark.parametrize(
    ("word", "families"),
    [("ERROR", {"server", "transport", "protocol"}), ("TIMEOUT", {"server", "transport"})],
)
def test_a_word_may_be_a_failure(word: str, families: set[str]) -> None:
    found = stream(text(0, "a"), end(word, error="It broke."))
    assert (found.text, found.terminal) == ("a", None)
    assert found.error is not None
    assert word in found.error.codes
    assert found.error.families >= families
    assert found.error.message == "It broke."
    silent = stream(end(word)).error
    assert silent is not None
    assert silent.message is None
    nested = stream(end(word, error={"message": "It broke.", "code": "x"})).error
    assert nested is not None
    assert {"x", word} <= nested.codes


@pytest.mark.parametrize(
    "body",
    [
        'data: {"id":"x","message":"boom"}\n\n',
        'data: {"error":{"message":"boom"}}\n\n',
        'data: {"type":"error","message":"boom"}\n\n',
        'event: error\ndata: {"detail":"boom"}\n\n',
        "event: error\ndata: boom\n\n",
        'error: {"message":"boom"}\n\n',
        '{"message":"boom"}\n\n',
    ],
)
def test_an_error_in_the_stream(body: str) -> None:
    end_of_stream = f"data: {json.dumps(end())}\n\n"
    found = facts(f"data: {json.dumps(text(0, 'a'))}\n\n{body}{end_of_stream}")
    assert found.error is not None
    assert found.error.message == "boom"
    assert (found.text, found.terminal) == ("a", None)


def test_the_first_error_counts_and_a_whole_one_is_one() -> None:
    assert whole({"message": "boom"}).error is not None
    assert whole({"type": "content-delta", "message": "boom", "delta": {"x": 1}}).error is None


@pytest.mark.parametrize("body", ["data: {\n\n", "data: 3\n\n", "data: [1]\n\n"])
def test_an_event_that_is_no_object_breaks_the_stream(body: str) -> None:
    found = facts(body + f"data: {json.dumps(end())}\n\n")
    assert found.broken
    assert found.terminal is None


@pytest.mark.parametrize("body", ["{", "[1]", "<html>"])
def test_a_body_that_is_no_object_is_broken(body: str) -> None:
    assert facts(body, kind="application/json").broken
    assert not facts(" ", kind="application/json").broken


def test_end_markers_and_keep_alives() -> None:
    assert facts("data: [DONE]\n\ndata: {\n\n").done
    assert facts("data: [DONE]").done
    assert not facts("data: [DON").done
    found = facts(f": ping\n\ndata:\n\nevent: ping\ndata: now\n\ndata: {json.dumps(end())}\n\n")
    assert found.terminal == "COMPLETE"
    assert not found.broken


def test_http_errors() -> None:
    body = '{"id":"x","message":"the guidelines forbid it"}'
    blocked = facts(body, status=498, kind="application/json").error
    assert blocked is not None
    assert (blocked.status, blocked.families) == (498, {"request", "auth"})
    assert blocked.message == "the guidelines forbid it"
    full = facts(body, status=503, kind="application/json")
    assert full.error is not None
    assert "rate" in full.error.families
    assert full.text is None


def test_another_content_type_may_be_refused() -> None:
    body = "".join(f"data: {json.dumps(e)}\n\n" for e in (text(0, "a"), end()))
    assert not facts(body).may_fail
    assert facts(body, kind="text/plain").may_fail
