from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.dialects.facts import Facts
from mockserver.dialects.registry import facts_of
from mockserver.wire.schedule import Schedule, from_response


def sent(body: str, *, status: int = 200, kind: str = "text/event-stream") -> Schedule:
    return from_response(
        Response(
            status=status,
            reason="",
            headers=(("content-type", kind),),
            body=body.encode(errors="surrogatepass"),
        )
    )


def plain(facts: Facts | None) -> dict[str, Any]:
    """Return facts with the number of calls, and whether there is an error."""
    assert facts is not None
    found = {f.name: getattr(facts, f.name) for f in fields(facts)}
    calls = None if facts.calls is None else len(facts.calls)
    return {
        **found,
        "calls": calls,
        "error": facts.error is not None,
        "terminal_seen": facts.terminal_seen,
    }


def data(*payloads: str) -> Schedule:
    return sent("".join(f"data: {p}\n\n" for p in payloads))


def delta(fields: str, rest: str = "") -> str:
    return '{"choices":[{"index":0,"delta":{' + fields + "}" + rest + "}]}"


FINISH = delta("", ',"finish_reason":"stop"')
CALL = '"tool_calls":[%s]'


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (data(delta('"content":"a"'), delta('"content":"b"'), FINISH), {"text": "ab"}),
        (data(FINISH, "[DONE]", delta('"content":"x"')), {"text": "", "terminal": "stop"}),
        (data("[DONE]"), {"done": True, "terminal": None, "terminal_seen": True}),
        (sent("data: [DONE]"), {"done": True}),
        (data(delta('"content":"a"')), {"terminal_seen": False}),
        (data('{"error":{"message":"x"}}'), {"error": True, "terminal_seen": True}),
        (data('{"error":null,"choices":[]}'), {"error": False, "terminal_seen": False}),
        (data('{"object":"error","message":"x"}'), {"error": True}),
        (data('{"code":"InvalidParameter","message":"x"}', "[DONE]"), {"error": True}),
        (data('{"code":1113,"message":"x","choices":[]}'), {"error": True}),
        (data('{"code":200,"message":"x"}', '{"code":"Success","message":"x"}'), {"error": False}),
        (data('{"code":"x","message":""}', '{"code":" ","message":"x"}'), {"error": False}),
        (data('{"code":"x","message":"x","choices":[{}]}'), {"error": False}),
        (data('{"choices":null,"base_resp":{"status_code":1008}}'), {"error": True}),
        (data('{"choices":[{}],"base_resp":{"status_code":1027}}'), {"error": True}),
        (data('{"choices":[],"base_resp":{"status_code":0}}'), {"error": False}),
        (sent("event: error\ndata: it broke\n\n"), {"error": True, "broken": False}),
        (sent("event: error\ndata: null\n\n"), {"error": False}),
        (data('{"choices":[],"x_groq":{"error":"x"}}'), {"error": True}),
        (sent('error: {"code":400}\n\n'), {"error": True}),
        (sent("foo: bar\n\n"), {"error": False, "terminal_seen": False}),
        (data('{"a":'), {"broken": True}),
        (sent('data: {"a":'), {"broken": False, "terminal_seen": False}),
        (data("null"), {"broken": False}),
        (data(": wait", FINISH), {"broken": False, "terminal": "stop"}),
        (sent("event: ping\ndata: 12:01\n\n"), {"broken": False, "terminal_seen": False}),
        (data("[1]"), {"broken": True}),
        (data(delta("", ',"finish_reason":""')), {"terminal": None}),
        (data(delta("", ',"finish_reason":"null"')), {"terminal": None}),
        (
            data(delta('"content":"\\ud83d"'), delta('"content":"\\ude00"'), FINISH),
            {"text": "\U0001f600"},
        ),
        (data(delta('"content":"a\\ud83d"')), {"text": "a"}),
        (data(delta('"content":"a\\ud83d"'), FINISH), {"text": "a�"}),
        (data(delta('"content":[{"type":"text"}]')), {"text": ""}),
        (data(delta('"content":["a",{"text":"b"},{"type":"text","text":"c"}]')), {"text": "abc"}),
        (data(FINISH, delta('"content":"late"')), {"text": None}),
        (data(delta('"refusal":"no"')), {"refusal": "no"}),
        (
            data('{"choices":[{"index":1,"delta":{"content":"other"}}]}', delta('"content":"a"')),
            {"text": "a"},
        ),
        (sent("", status=500), {"error": True}),
        (sent('{"error":{}}', kind="application/json"), {"error": True}),
        (sent("<html>", kind="text/html"), {"broken": True}),
    ],
)
def test_chat_facts(schedule: Schedule, expected: dict[str, Any]) -> None:
    facts = plain(facts_of("openai-chat", schedule))
    assert {name: facts[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        (['{"index":0,"id":"a"}', '{"index":0}'], 1),
        (['{"index":0,"id":"a"}', '{"index":0,"id":"b"}'], 2),
        (['{"index":0,"id":"a"}', '{"index":1,"id":"b"}', '{"index":0,"id":""}'], 2),
        (['{"index":0,"id":""}', '{"index":0}'], 1),
        (['{"index":0}', '{"index":0,"id":"a"}'], 1),
        (['{"id":"a"}', '{"function":{"arguments":"1"}}', '{"id":"b"}'], 2),
        (['{"index":0,"id":"a"},{"index":1,"id":"a"}'], 2),
        (['{"index":0,"id":"a","custom":{"name":"c"}}', '{"index":0,"custom":{}}'], 0),
        (['{"index":0,"id":"a","custom":{"name":""},"function":{"name":"f"}}'], 1),
        (['{"index":0,"id":"a"}', '{"index":0,"id":" "}'], 1),
        (['{"index":0,"id":7}', '{"index":0,"id":"7"}', '{"index":0,"id":0}'], 2),
        (['{"index":true}'], None),
        (['{"index":[0]}'], None),
        (['"x"', '{"index":0,"id":"a"},null,[1]'], 1),
        (['{"id":"a"}', '{"function":"x"}'], 1),
    ],
)
def test_tool_calls_are_counted(deltas: list[str], calls: int | None) -> None:
    facts = facts_of("openai-chat", data(*(delta(CALL % d) for d in deltas), FINISH))
    assert facts is not None
    assert plain(facts)["calls"] == calls


WHOLE = (
    '{"choices":[{"index":0,%s"message":{"content":"ab","tool_calls":[{"id":"a"}]},'
    '"finish_reason":"stop"}]}'
)


@pytest.mark.parametrize(
    ("chunks", "text", "calls"),
    [
        ([delta('"content":"a"'), delta('"content":"b"'), WHOLE % ""], "ab", 1),
        ([delta('"content":"ab"'), WHOLE % '"delta":{},'], "ab", 1),
        ([delta('"content":"ab"'), FINISH, WHOLE % ""], "ab", 1),
        ([delta(CALL % '{"index":0,"id":"a"}'), WHOLE % ""], "ab", 1),
        ([delta('"content":""'), WHOLE % ""], "ab", 1),
        ([WHOLE % ""], "ab", 1),
    ],
)
def test_a_message_after_deltas_repeats_them(chunks: list[str], text: str, calls: int) -> None:
    facts = facts_of("openai-chat", data(*chunks, "[DONE]"))
    assert facts is not None
    assert (facts.text, plain(facts)["calls"], facts.terminal) == (text, calls, "stop")


def test_in_a_whole_answer_every_entry_is_a_call() -> None:
    body = '{"choices":[{"index":0,"message":{"tool_calls":[{"id":"a"},{"id":"a"}]}}]}'
    facts = facts_of("openai-chat", sent(body, kind="application/json"))
    assert facts is not None
    assert (plain(facts)["calls"], facts.terminal_seen) == (2, True)


@pytest.mark.parametrize("index", ["", '"index":0,', '"index":null,'])
def test_a_whole_answer_may_be_split_over_choices(index: str) -> None:
    parts = (
        '{"content":"a"}',
        '{"tool_calls":[{"id":"x"},{}]}',  # an entry without anything is no call
        '{"tool_calls":[{"id":"y"}],"function_call":{"name":"f"}}',
        '{"function_call":{"name":"f"}}',
        '{"function_call":{"name":"f"}}',
        '{"content":"b"}',
    )
    choices = ",".join(f'{{{index}"finish_reason":"stop","message":{p}}}' for p in parts)
    facts = facts_of("openai-chat", sent(f'{{"choices":[{choices}]}}', kind="application/json"))
    assert facts is not None
    assert (facts.text, plain(facts)["calls"], facts.terminal) == ("ab", 4, "stop")


def test_the_last_usage_of_each_field_counts() -> None:
    facts = facts_of(
        "openai-chat",
        data(
            '{"usage":{"prompt_tokens":1,"completion_tokens":2}}',
            '{"usage":null}',
            '{"usage":{"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":0}}}',
            '{"x_groq":{"usage":{"total_tokens":9}}}',
        ),
    )
    assert facts is not None
    assert facts.usage == {
        "input_tokens": 1,
        "output_tokens": 5,
        "cache_read_input_tokens": 0,
        "total_tokens": 9,
    }


@pytest.mark.parametrize(
    "odd",
    [
        '{"choices":5}',
        '{"choices":["x",null]}',
        '{"choices":[{}]}',
        '{"choices":[{"index":0,"delta":"x","message":["x"]}]}',
        delta('"tool_calls":5,"function_call":"x"'),
        delta('"tool_calls":"xy"'),
        '{"choices":[{"index":1,"delta":{"content":"other"}}]}',
    ],
)
def test_what_is_no_object_is_skipped(odd: str) -> None:
    same_index = '{"choices":[{"index":null,"delta":{"content":"a"}}]}'
    facts = facts_of("openai-chat", data(odd, same_index, FINISH))
    assert facts is not None
    assert (facts.text, facts.calls, facts.terminal) == ("a", (), "stop")


def test_a_count_may_be_text_of_digits() -> None:
    usage = '{"usage":{"prompt_tokens":"12","completion_tokens":"x","total_tokens":""}}'
    facts = facts_of("openai-chat", data(usage))
    assert facts is not None
    assert facts.usage == {"input_tokens": 12}


COUNTS = '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}'
ZEROS = '{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}'


def test_zeros_after_counts_may_be_read_either_way() -> None:
    facts = facts_of("openai-chat", data(COUNTS, ZEROS, FINISH))
    assert facts is not None
    assert facts.usage == {"input_tokens": None, "output_tokens": None}
    for payloads in ((ZEROS, COUNTS), (COUNTS, '{"choices":[],"usage":{}}')):
        facts = facts_of("openai-chat", data(*payloads, FINISH))
        assert facts is not None
        assert facts.usage == {"input_tokens": 5, "output_tokens": 7}


def chunk(chunk_id: str, fields: str, rest: str = "") -> str:
    return delta(fields, rest).replace("{", '{"id":"' + chunk_id + '",', 1)


def test_another_answer_in_the_middle_may_be_read_either_way() -> None:
    first = chunk("c1", '"role":"assistant","content":"a"')
    again = chunk("c2", '"role":"assistant","content":"a b"')
    facts = facts_of("openai-chat", data(first, again, FINISH))
    assert facts is not None
    assert (facts.text, facts.calls, facts.terminal) == (None, None, "stop")
    assert set(facts.usage.values()) == {None}
    for same in (chunk("c1", '"role":"assistant","content":"b"'), chunk("c2", '"content":"b"')):
        facts = facts_of("openai-chat", data(first, same, FINISH))
        assert facts is not None
        assert facts.text == "ab"


def of(*payloads: str) -> Facts:
    found = facts_of("openai-chat", data(*payloads, "[DONE]"))
    assert found is not None
    return found


ARGUMENTS = '"function":{"name":"f","arguments":"{\\"a\\":1}"}'


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        ([f'{{"index":0,"id":"a",{ARGUMENTS}}}'], ("f", "a", ({"a": 1},))),
        ([f'{{"index":0,"id":7,{ARGUMENTS}}}'], ("f", "7", ({"a": 1},))),
        # A repeated name is one name; what comes in pieces may be joined or not.
        ([f'{{"index":0,"id":"a",{ARGUMENTS}}}', '{"index":0,"function":{"name":"f"}}'],
         ("f", "a", ({"a": 1},))),
        (['{"index":0,"id":"a","function":{"name":"f"}}',
          '{"index":0,"function":{"name":"g"}}'], (None, "a", ({},))),
        # A late id may come too late for a client.
        ([f'{{"index":0,{ARGUMENTS}}}', '{"index":0,"id":"a"}'], ("f", None, ({"a": 1},))),
        (['{"index":0,"id":"a","function":{"name":"f","arguments":{"a":1}}}'],
         ("f", "a", ({"a": 1},))),
    ],
)  # fmt: skip
def test_a_call_has_a_name_an_id_and_arguments(deltas: list[str], expected: object) -> None:
    (call,) = of(*(delta(CALL % d) for d in deltas), FINISH).calls or ()
    assert (call.name, call.id, call.arguments) == expected


def test_the_same_id_twice_is_in_doubt() -> None:
    calls = of(delta(CALL % '{"index":0,"id":"a"},{"index":1,"id":"a"}'), FINISH).calls or ()
    assert [call.id for call in calls] == [None, None]


@pytest.mark.parametrize(
    "fields",
    [
        '"extra_content":{"google":{"thought_signature":"s"}}',
        '"extra_content":{"vertex":{"thought_signature":"s"}}',
        '"provider_specific_fields":{"thought_signature":"s"}',
        '"thought_signature":"s"',
    ],
)
def test_signatures_are_found_in_every_envelope(fields: str) -> None:
    entry = f'{{"index":0,"id":"a",{ARGUMENTS},{fields}}}'
    (call,) = of(delta(CALL % entry), FINISH).calls or ()
    assert call.signature == "s"
    assert of(delta(fields), FINISH).signatures == ("s",)


@pytest.mark.parametrize(
    ("deltas", "reasoning"),
    [
        (['"reasoning_content":"a"', '"reasoning_content":"b"'], "ab"),
        (['"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}]'], "a"),
        (['"reasoning":"a","reasoning_content":"b"'], None),
        (['"thinking_blocks":[{"thinking":"a","signature":"s"}]'], "a"),
        (['"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]'], "a"),
        # Names that some clients know, and tags that some of them remove.
        (['"thoughts":"a"'], None),
        (['"content":"<think>a</think>b"'], None),
        (['"content":"a"'], ""),
    ],
)
def test_reasoning_is_one_text_or_in_doubt(deltas: list[str], reasoning: str | None) -> None:
    assert of(*map(delta, deltas), FINISH).reasoning == reasoning


def test_citations_and_images_count_once() -> None:
    cited = '{"url_citation":{"url":"u","title":"t","start_index":0,"end_index":5}}'
    image = '{"image_url":{"url":"data:x"}}'
    payload = delta(f'"content":"a","annotations":[{cited}],"images":[{image}]')
    found = of(payload, payload, FINISH)
    assert found.citations is not None
    assert [(c.url, c.title, c.start, c.end) for c in found.citations] == [("u", "t", 0, 5)]
    assert found.images == ("data:x",)


def test_the_id_and_the_model_are_those_on_which_all_chunks_agree() -> None:
    def named(name: str) -> str:
        return f'{{"id":"{name}","model":"{name}","choices":[]}}'

    assert (of(named("a"), named("")).response_id, of(named("a")).model) == ("a", "a")
    assert of(named("a"), named("b")).response_id is None


@pytest.mark.parametrize(
    ("payloads", "may_fail"),
    [
        ([delta('"content":"a"'), FINISH], False),
        ([delta(CALL % f'{{"index":0,"id":"a",{ARGUMENTS}}}'), FINISH], False),
        ([FINISH], True),
        ([delta('"content":"a"', ',"finish_reason":"length"')], True),
        ([delta('"content":"a"', ',"finish_reason":"tool_calls"')], True),
        ([delta('"content":["a"]'), FINISH], True),
        ([delta('"content":"a"'), FINISH, delta("", ',"finish_reason":"length"')], True),
        ([delta(CALL % '{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}'), FINISH],
         True),
        ([delta(CALL % '{"index":0,"id":"a"}'), FINISH], True),
    ],
)  # fmt: skip
def test_a_client_may_fail_an_odd_answer(payloads: list[str], may_fail: bool) -> None:
    assert of(*payloads).may_fail is may_fail


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_a_stream_is_a_stream_under_any_content_type(kind: str) -> None:
    payloads = (delta('"content":"a"'), FINISH, "[DONE]")
    body = "".join(f"data: {payload}\n\n" for payload in payloads)
    found = facts_of("openai-chat", sent(body, kind=kind))
    assert found is not None
    assert (found.text, found.terminal, found.may_fail) == ("a", "stop", True)


def test_both_words_stand_where_a_second_one_came() -> None:
    found = of(delta('"content":"a"'), FINISH, delta("", ',"finish_reason":"tool_calls"'))
    assert (found.terminal, found.other_terminals) == ("stop", ("tool_calls",))


def test_counts_under_other_names_are_in_doubt() -> None:
    usage = '{"usage":{"input_tokens":5,"completion_tokens":2,"prompt_cache_hit_tokens":1}}'
    assert of(usage, FINISH).usage == {
        "input_tokens": None,
        "output_tokens": 2,
        "cache_read_input_tokens": None,
    }
