import pytest

from harness.adapters.chat.arguments import read_arguments
from harness.adapters.chat.tool_calls import ToolCalls
from mockserver.vocabulary.model import ErrorClass, ToolCallDelta, ToolCallEnd, ToolCallStart


def start(n, call_id, name, made=False):
    return ToolCallStart(
        tool_call_index=n, tool_call_id=call_id, tool_name=name, id_synthesized=made
    )


def piece(n, text):
    return ToolCallDelta(tool_call_index=n, arguments_delta=text)


def end(n, arguments, raw, signature=None, send_back=None):
    return ToolCallEnd(
        tool_call_index=n,
        arguments=arguments,
        arguments_raw=raw,
        thought_signature=signature,
        send_back=send_back,
    )


def call(index=None, call_id=None, name=None, args=None, **more):
    """A delta with only the given keys; ``index`` in particular may be absent."""
    function = {k: v for k, v in {"name": name, "arguments": args}.items() if v is not None}
    outer = {"index": index, "id": call_id, "function": function or None, **more}
    return {k: v for k, v in outer.items() if v is not None}


def play(*deltas, known=(), taken=(), incomplete=False):
    calls = ToolCalls(known, taken)
    events = [event for delta in deltas for event in calls.add(delta)]
    last, error = calls.close(incomplete=incomplete)
    return events + last, error


VERTEX = {"thought_signature": "s"}
A, B = '{"a":1}', '{"b":2}'
ONE = [start(0, "x", "f"), piece(0, A), end(0, {"a": 1}, A)]
TWO = [
    start(0, "x", "f"),
    piece(0, A),
    start(1, "y", "g"),
    piece(1, B),
    end(0, {"a": 1}, A),
    end(1, {"b": 2}, B),
]

# name: (deltas, names of the tools, events)
LAWFUL = {
    "one": ([call(0, "x", "f", ""), call(0, args=A)], (), ONE),
    "one, known": ([call(0, "x", "f", ""), call(0, args=A)], ("f",), ONE),
    "interleaved": (
        [
            call(0, "x", "f"),
            call(1, "y", "g"),
            call(0, args='{"a"'),
            call(1, args='{"b"'),
            call(0, args=":1}"),
            call(1, args=":2}"),
        ],
        ("f", "g"),
        [
            start(0, "x", "f"),
            start(1, "y", "g"),
            piece(0, '{"a"'),
            piece(1, '{"b"'),
            piece(0, ":1}"),
            piece(1, ":2}"),
            end(0, {"a": 1}, A),
            end(1, {"b": 2}, B),
        ],
    ),
    "new id on index 0": ([call(0, "x", "f", A), call(0, "y", "g", B)], (), TWO),
    "no index, ids": ([call(None, "x", "f", A), call(None, "y", "g", B)], (), TWO),
    "no index, continued": (
        [call(None, "x", "f", '{"a"'), call(args=":1}"), call(None, "y", "g", B)],
        (),
        [
            start(0, "x", "f"),
            piece(0, '{"a"'),
            piece(0, ":1}"),
            start(1, "y", "g"),
            piece(1, B),
            end(0, {"a": 1}, A),
            end(1, {"b": 2}, B),
        ],
    ),
    "index from 1": ([call(1, "x", "f", A)], (), ONE),
    "indexes with holes": ([call(3, "x", "f", A), call(9, "y", "g", B)], (), TWO),
    "index is true": ([call(True, "x", "f", A), call(True, "y", "g", B)], (), TWO),
    "index is true, no id": (
        [call(True, name="f", args=A), call(True, name="f", args=B)],
        (),
        [
            start(0, "call_0", "f", True),
            piece(0, A),
            start(1, "call_1", "f", True),
            piece(1, B),
            end(0, {"a": 1}, A),
            end(1, {"b": 2}, B),
        ],
    ),
    "no index, no id, two whole": (
        [call(name="f", args=A), call(name="f", args=B)],
        ("f",),
        [
            start(0, "call_0", "f", True),
            piece(0, A),
            start(1, "call_1", "f", True),
            piece(1, B),
            end(0, {"a": 1}, A),
            end(1, {"b": 2}, B),
        ],
    ),
    "name repeated": (
        [call(0, "x", "f", ""), call(0, "x", "f", '{"a"'), call(0, "x", "f", ":1}")],
        (),
        [start(0, "x", "f"), piece(0, '{"a"'), piece(0, ":1}"), end(0, {"a": 1}, A)],
    ),
    "name split": (
        [call(0, "x", "get_"), call(0, name="f"), call(0, args=A)],
        ("get_f",),
        [start(0, "x", "get_f"), piece(0, A), end(0, {"a": 1}, A)],
    ),
    "name split, tools unknown": (
        [call(0, "x", "get_"), call(0, name="f"), call(0, name="get_f", args=A)],
        (),
        [start(0, "x", "get_f"), piece(0, A), end(0, {"a": 1}, A)],
    ),
    "name late": ([call(0, "x", args='{"a"'), call(0, name="f", args=":1}")], ("f",), None),
    "name at the very end": ([call(0, "x", args=A), call(0, name="f")], (), ONE),
    "empty means absent": ([call(0, "x", "f", '{"a":'), call(0, "", "", "1}")], (), None),
    "blank means absent": ([call(0, "x", "f", '{"a":'), call(0, " \t", args="1}")], (), None),
    "a number is an id": (
        [call(0, 7, "f", A), call(0, "7", args=""), call(0, 0, "g", B)],
        (),
        [
            start(0, "7", "f"),
            piece(0, A),
            start(1, "0", "g"),
            piece(1, B),
            end(0, {"a": 1}, A),
            end(1, {"b": 2}, B),
        ],
    ),
    "true is no id": (
        [call(0, True, "f", A)],
        (),
        [start(0, "call_0", "f", True), piece(0, A), end(0, {"a": 1}, A)],
    ),
    "fragment after the end": ([call(0, "x", "f", A), call(0, "", "", "")], (), ONE),
    "same index twice in one chunk": ([call(0, "x", "f"), call(0, args=A)], (), ONE),
    "late id": ([call(0, name="f"), call(0, "x", args=A)], (), ONE),
    "late id, no index": ([call(None, name="f"), call(None, "x", args=A)], (), ONE),
    "id twice": (
        [call(0, "x", "f", A), call(1, "x", "g", B)],
        (),
        [
            start(0, "x", "f"),
            piece(0, A),
            start(1, "call_1", "g", True),
            piece(1, B),
            end(0, {"a": 1}, A),
            end(1, {"b": 2}, B),
        ],
    ),
    "no arguments": ([call(0, "x", "f", "")], (), [start(0, "x", "f"), end(0, {}, "{}")]),
    "null arguments": (
        [call(0, "x", "f", "null")],
        (),
        [start(0, "x", "f"), piece(0, "null"), end(0, {}, "{}")],
    ),
    "object arguments": (
        [call(0, "x", "f", {"a": "é"})],
        (),
        [start(0, "x", "f"), piece(0, '{"a":"é"}'), end(0, {"a": "é"}, '{"a":"é"}')],
    ),
    "signature": (
        [call(None, "x", "f", A, extra_content={"google": {"thought_signature": "s"}})],
        (),
        [start(0, "x", "f"), piece(0, A), end(0, {"a": 1}, A, "s")],
    ),
    "signature alone": (
        [call(None, "x", "f", A), {"extra_content": {"google": {"thought_signature": "s"}}}],
        (),
        [start(0, "x", "f"), piece(0, A), end(0, {"a": 1}, A, "s")],
    ),
    "signature by LiteLLM": (
        [call(0, "x", "f", A, provider_specific_fields={"thought_signature": "s", "more": 1})],
        (),
        [
            start(0, "x", "f"),
            piece(0, A),
            end(0, {"a": 1}, A, "s", {"provider_specific_fields": {"thought_signature": "s"}}),
        ],
    ),
    "signature of another vendor, in two deltas": (
        [
            call(0, "x", "f", A, extra_content={"vertex": {"thought_signature": "s"}}),
            call(0, extra_content={"vertex": {"more": 1}}),
        ],
        (),
        [
            start(0, "x", "f"),
            piece(0, A),
            end(0, {"a": 1}, A, "s", {"extra_content": {"vertex": {**VERTEX, "more": 1}}}),
        ],
    ),
    "signature in the function": (
        [{"id": "x", "function": {"name": "f", "arguments": A, "thoughtSignature": "s"}}],
        (),
        [
            start(0, "x", "f"),
            piece(0, A),
            end(0, {"a": 1}, A, "s", {"function": {"thoughtSignature": "s"}}),
        ],
    ),
    "each delta repeats all arguments so far": (
        [
            call(0, "x", "f", "{"),
            call(0, "x", args='{"a"'),
            call(0, "x", args='{"a":'),
            call(0, "x", args=A),
        ],
        ("f",),
        [
            start(0, "x", "f"),
            piece(0, "{"),
            piece(0, '"a"'),
            piece(0, ":"),
            piece(0, "1}"),
            end(0, {"a": 1}, A),
        ],
    ),
    "the complete arguments twice": (
        [call(0, "x", "f", A), call(0, args=A), call(0, args=' { "a": 1 }')],
        ("f",),
        ONE,
    ),
    "the complete arguments after their pieces": (
        [call(0, "x", "f", '{"a"'), call(0, args=":1}"), call(0, args=A)],
        ("f",),
        [start(0, "x", "f"), piece(0, '{"a"'), piece(0, ":1}"), end(0, {"a": 1}, A)],
    ),
    "repetition that is seen at the end only": (
        [call(0, "x", "f", '{"a":'), call(0, args=A)],
        ("f",),
        [start(0, "x", "f"), piece(0, '{"a":'), piece(0, "1}"), end(0, {"a": 1}, A)],
    ),
    "repetition that is seen by what follows": (
        [call(0, "x", "f", '{"a":'), call(0, args='{"a":1,'), call(0, args='{"a":1,"b":2}')],
        ("f",),
        [
            start(0, "x", "f"),
            piece(0, '{"a":'),
            piece(0, '1,"b":2}'),
            end(0, {"a": 1, "b": 2}, '{"a":1,"b":2}'),
        ],
    ),
    "arguments that contain their beginning": (
        [call(0, "x", "f", '{"a":'), call(0, args='{"a":1}'), call(0, args="}")],
        ("f",),
        [
            start(0, "x", "f"),
            piece(0, '{"a":'),
            piece(0, A + "}"),
            end(0, {"a": {"a": 1}}, '{"a":{"a":1}}'),
        ],
    ),
    "arguments that quote themselves": (
        [call(0, "x", "f", '{"'), call(0, args='{":1}')],
        ("f",),
        [start(0, "x", "f"), piece(0, '{"'), piece(0, '{":1}'), end(0, {"{": 1}, '{"{":1}')],
    ),
    "nothing at all": (
        [{}, {"index": 0}, {"function": None}, {"type": "custom", "id": "c"}],
        (),
        [],
    ),
    "surrogates in the argument text": (
        [call(0, "x", "f", '{"a":"\ud83d'), call(0, args='\ude00"}')],
        (),
        [
            start(0, "x", "f"),
            piece(0, '{"a":"'),
            piece(0, '😀"}'),
            end(0, {"a": "😀"}, '{"a":"😀"}'),
        ],
    ),
}


@pytest.mark.parametrize(("deltas", "known", "expected"), LAWFUL.values(), ids=LAWFUL)
def test_valid_calls(deltas, known, expected):
    events, error = play(*deltas, known=known)
    assert error is None
    if expected is None:
        assert [type(e) for e in events] == [
            ToolCallStart,
            ToolCallDelta,
            ToolCallDelta,
            ToolCallEnd,
        ]
        assert events[-1] == end(0, {"a": 1}, A)
    else:
        assert events == expected


def test_known_name_starts_the_call_at_once():
    assert list(ToolCalls(["f"]).add(call(0, "x", "f"))) == [start(0, "x", "f")]
    assert list(ToolCalls([]).add(call(0, "x", "f"))) == []


def test_generated_ids_avoid_those_of_earlier_turns_and_of_this_one():
    events, _ = play(call(0, "call_1", "f"), call(1, name="g"), taken={"call_2"}, known=("f", "g"))
    assert [e.tool_call_id for e in events if isinstance(e, ToolCallStart)] == ["call_1", "call_3"]


def test_legacy_function_call():
    calls = ToolCalls()
    events = [e for d in ({"name": "f"}, {"arguments": A}) for e in calls.add_legacy(d)]
    assert events == [start(0, "call_0", "f", True), piece(0, A)]
    assert calls.close(incomplete=False) == ([end(0, {"a": 1}, A)], None)


@pytest.mark.parametrize(
    "raw", ['{"q":"A"}{"q":"B"}', '{"a":', "[1]", '"x"', "1", "{'a':1}", '{"a":NaN}', "[" * 9999]
)
def test_arguments_that_are_not_one_object(raw):
    events, error = play(call(0, "x", "f", A), call(1, "y", "g", raw), call(2, "z", "h", ""))
    assert error is not None
    assert error.error_class is ErrorClass.INVALID_TOOL_ARGUMENTS
    assert raw[:100] in error.message
    ends = [e.tool_call_index for e in events if isinstance(e, ToolCallEnd)]
    assert ends == [0, 2]


def test_a_call_without_a_name_is_an_error_and_keeps_the_others():
    events, error = play(call(0, "x", args=A), call(1, "y", "g", B))
    assert error is not None
    assert error.error_class is ErrorClass.PROTOCOL
    assert events == [start(0, "y", "g"), piece(0, B), end(0, {"b": 2}, B)]


def test_an_incomplete_turn_ends_only_complete_calls():
    events, error = play(
        call(0, "x", "f", A), call(1, "y", "g", '{"b'), call(2, "z", "h"), incomplete=True
    )
    assert error is None
    assert [e.tool_call_index for e in events if isinstance(e, ToolCallStart)] == [0, 1, 2]
    assert [e.tool_call_index for e in events if isinstance(e, ToolCallEnd)] == [0]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("", {}),
        (" null ", {}),
        ('{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
        ('{"a":"\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a":"\\ud83d"}', {"a": "\ufffd"}),
        ('{"a":"\\\\ud83d"}', {"a": "\\ud83d"}),
        ("{}x", None),
    ],
)
def test_read_arguments(raw, value):
    assert read_arguments(raw) == value
