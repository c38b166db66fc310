from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Response
from mockserver.dialects.facts import CallFacts, Facts
from mockserver.dialects.ollama import DIALECT
from mockserver.wire.schedule import from_response

NDJSON = "application/x-ndjson"


def read(body: str | bytes, kind: str = NDJSON, status: int = 200) -> Facts:
    data = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    return DIALECT.read_facts(
        [
            from_response(
                Response(status=status, reason="", headers=(("content-type", kind),), body=data)
            )
        ]
    )


def line(content: Any = "", *, done: bool = False, **more: Any) -> str:
    message = {"role": "assistant", "content": content}
    message |= {k: more.pop(k) for k in ("thinking", "tool_calls") if k in more}
    return json.dumps({"model": "m", "message": message, "done": done, **more})


def lines(*texts: str) -> str:
    return "".join(f"{text}\n" for text in texts)


END = line(done=True, done_reason="stop", prompt_eval_count=3, eval_count=2)


def test_a_stream() -> None:
    facts = read(lines(line(thinking="t"), line("a"), line("b"), END))
    assert (facts.reasoning, facts.text, facts.calls) == ("t", "ab", ())
    assert (facts.terminal, facts.done, facts.may_fail) == ("stop", True, False)
    assert facts.usage == {"input_tokens": 3, "output_tokens": 2}
    assert (facts.model, facts.response_id) == ("m", None)


def test_the_other_endpoint() -> None:
    first = {"model": "m", "response": "a", "thinking": "t", "done": False}
    last = {"model": "m", "response": "", "done": True, "done_reason": "length"}
    facts = read(lines(json.dumps(first), json.dumps(last)))
    assert (facts.text, facts.reasoning, facts.terminal) == ("a", "t", "length")
    assert facts.may_fail


@pytest.mark.parametrize("kind", [NDJSON, "application/json", ""])
def test_one_object(kind: str) -> None:
    whole = line("a", done=True, done_reason="stop")
    assert (read(whole, kind).text, read(whole, kind).done) == ("a", True)
    assert read(json.dumps(json.loads(whole), indent=1), "application/json").text == "a"


def test_one_object_that_says_nothing_of_done() -> None:
    body = json.dumps({"model": "m", "message": {"content": "a"}})
    whole = read(body, "application/json")
    assert (whole.done, whole.may_fail, whole.terminal_seen) == (True, True, True)
    assert not read(body, NDJSON).terminal_seen
    assert not read(line("a"), "application/json").terminal_seen


@pytest.mark.parametrize(
    ("body", "text", "seen"),
    [
        (lines(line("a")), "a", False),
        (lines(line("a")) + line("b"), "ab", False),
        (lines(line("a")) + line("b")[:-5], "a", False),
        (lines(line("a")) + END[:-5], "a", False),
        (lines(line("a")) + END, "a", True),
        (lines(line("a"), "", " \r", END) + "\r\n", "a", True),
        ("\ufeff" + lines(line("a"), END), "a", True),
        (lines(line("a\ud83d")), "a", False),
        (lines(line("a\ud83d"), END), "a\ufffd", True),
        (lines(line("\ud83d"), line("\udc27"), END), "🐧", True),
        ("", "", False),
        (lines("null", line("a"), END), "a", True),
        (lines(line(None), line("a"), END), "a", True),
        (lines(line(7), line("a"), END), None, True),
    ],
)
def test_ends_and_texts(body: str, text: str | None, seen: bool) -> None:
    facts = read(body)
    assert (facts.text, facts.terminal_seen) == (text, seen)


@pytest.mark.parametrize(
    "bad", ["upstream failed", "[1]", "7", '"a"', "<html>", "[" * 99999, "1" * 9999]
)
def test_a_line_that_is_no_object(bad: str) -> None:
    facts = read(lines(line("a"), bad, line("b"), END))
    assert (facts.broken, facts.text, facts.done) == (True, "a", False)


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_a_body_that_is_no_json(kind: str) -> None:
    assert read("<html>", kind).broken
    assert read('{"model":', kind).broken
    assert not read(lines(line("a"), END), kind).broken


def test_errors() -> None:
    facts = read(lines(line("a"), '{"error":"boom"}', line("b"), END))
    assert facts.error is not None
    assert (facts.error.message, facts.text, facts.done) == ("boom", "a", False)
    status = read('{"error":"model x not found"}', "application/json", 404)
    assert status.error is not None
    assert (status.error.status, status.text) == (404, None)
    for none in ('{"error":null}', '{"error":""}', '{"error":false}'):
        assert read(lines(none, line("a"), END)).error is None


def test_what_follows_the_end_is_in_doubt() -> None:
    facts = read(lines(line("a"), END, line("b", done=True, eval_count=99), "words"))
    assert (facts.text, facts.may_fail, facts.broken, facts.done) == (None, True, False, True)
    assert facts.usage == {"input_tokens": 3, "output_tokens": 2}
    assert read(lines(line("a"), END, "", " ")).text == "a"


def test_a_reason_without_done() -> None:
    facts = read(lines(line("a"), line(done_reason="stop")))
    assert (facts.terminal, facts.done, facts.may_fail) == ("stop", False, True)
    both = read(lines(line("a", done_reason="stop"), line(done=True, done_reason="length")))
    assert (both.terminal, both.other_terminals, both.may_fail) == ("stop", ("length",), True)


@pytest.mark.parametrize("word", ["load", "unload", "length", "odd", None])
def test_an_end_of_which_a_client_may_make_a_failure(word: str | None) -> None:
    facts = read(lines(line("a"), line(done=True, done_reason=word)))
    assert (facts.done, facts.terminal, facts.may_fail) == (True, word, True)


def test_an_answer_with_nothing_may_fail() -> None:
    assert read(lines(END)).may_fail
    assert read(lines(line("a"), line(done=True, done_reason="tool_calls"))).may_fail


def call(**function: Any) -> dict[str, Any]:
    return {"function": {"name": "f", **function}}


@pytest.mark.parametrize(
    ("entry", "arguments", "may_fail"),
    [
        (call(arguments={"a": 1}), ({"a": 1},), False),
        (call(arguments={}), ({},), False),
        (call(), ({},), True),
        (call(arguments=None), ({},), True),
        (call(arguments='{"a":1}'), ({"a": 1},), True),
        (call(arguments="city=Bern"), None, True),
        (call(arguments='{"a"'), (), True),
        (call(arguments=[1]), None, True),
    ],
)
def test_arguments(entry: Any, arguments: Any, may_fail: bool) -> None:
    facts = read(lines(line(tool_calls=[entry]), END))
    assert facts.calls == (CallFacts(name="f", arguments=arguments),)
    assert facts.may_fail is may_fail


def test_calls_are_whole_and_each_is_one() -> None:
    one, two = {"id": "x", **call(arguments={})}, {"id": "y", **call(arguments={})}
    both = read(lines(line(tool_calls=[one, two]), line(tool_calls=[call(index=0)]), END))
    assert both.calls is not None
    assert [c.id for c in both.calls] == ["x", "y", None]
    same = read(lines(line(tool_calls=[one, one]), END))
    assert same.calls is not None
    assert [c.id for c in same.calls] == [None, None]
    named = read(lines(line(tool_calls=[{"function": {"name": 7}}]), END))
    assert named.calls == (CallFacts(arguments=({},)),)
    assert named.may_fail


@pytest.mark.parametrize("value", [7, "x", {"a": 1}, [7], [{}], [{"function": "f"}]])
def test_calls_that_cannot_be_counted(value: Any) -> None:
    assert read(lines(line(tool_calls=value), END)).calls is None
    assert read(lines(line(thinking=value), END)).reasoning in (None, "x")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["message", "content", "tool_calls", "function", "arguments", "error"])
            | st.sampled_from(["done", "done_reason", "eval_count", "response", "name", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=9,
)


@given(st.lists(VALUES, max_size=3), st.booleans())
def test_any_json_is_read(values: list[Any], whole: bool) -> None:
    body = lines(*(json.dumps(value) for value in values))
    facts = read(body, "application/json" if whole else NDJSON)
    assert isinstance(facts.may_fail, bool)


@given(st.binary(max_size=60))
def test_any_bytes_are_read(data: bytes) -> None:
    assert isinstance(read(data).may_fail, bool)
