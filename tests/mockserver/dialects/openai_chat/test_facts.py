from __future__ import annotations

from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
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
        (data(delta('"content":[{"type":"text"}]')), {"text": None}),
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
    facts = facts_of("openai-chat", schedule)
    assert facts is not None
    assert {name: getattr(facts, name) for name in expected} == expected


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
    assert facts.calls == calls


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
    assert (facts.text, facts.calls, facts.terminal) == (text, calls, "stop")


def test_in_a_whole_answer_every_entry_is_a_call() -> None:
    body = '{"choices":[{"index":0,"message":{"tool_calls":[{"id":"a"},{"id":"a"}]}}]}'
    facts = facts_of("openai-chat", sent(body, kind="application/json"))
    assert facts is not None
    assert (facts.calls, facts.terminal_seen) == (2, True)


@pytest.mark.parametrize("index", ["", '"index":0,', '"index":null,'])
def test_a_whole_answer_may_be_split_over_choices(index: str) -> None:
    parts = (
        '{"content":"a"}',
        '{"tool_calls":[{"id":"x"},{}]}',
        '{"tool_calls":[{"id":"y"}],"function_call":{"name":"f"}}',
        '{"function_call":{"name":"f"}}',
        '{"function_call":{"name":"f"}}',
        '{"content":"b"}',
    )
    choices = ",".join(f'{{{index}"finish_reason":"stop","message":{p}}}' for p in parts)
    facts = facts_of("openai-chat", sent(f'{{"choices":[{choices}]}}', kind="application/json"))
    assert facts is not None
    assert (facts.text, facts.calls, facts.terminal) == ("ab", 5, "stop")


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
    assert (facts.text, facts.calls, facts.terminal) == ("a", 0, "stop")


def test_a_count_may_be_text_of_digits() -> None:
    usage = '{"usage":{"prompt_tokens":"12","completion_tokens":"x","total_tokens":""}}'
    facts = facts_of("openai-chat", data(usage))
    assert facts is not None
    assert facts.usage == {"input_tokens": 12}


def test_a_dialect_without_a_reader() -> None:
    assert facts_of("cohere", data("{}")) is None


COUNTS = '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}'
ZEROS = '{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}'


def test_zeros_after_counts_may_be_read_either_way() -> None:
    facts = facts_of("openai-chat", data(COUNTS, ZEROS, FINISH))
    assert facts is not None
    assert facts.usage is None
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
    assert (facts.text, facts.calls, facts.usage, facts.terminal) == (None, None, None, "stop")
    for same in (chunk("c1", '"role":"assistant","content":"b"'), chunk("c2", '"content":"b"')):
        facts = facts_of("openai-chat", data(first, same, FINISH))
        assert facts is not None
        assert facts.text == "ab"
