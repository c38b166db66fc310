import pytest

from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    ErrorClass,
    FinishReason,
    MessageStop,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageEvent,
    WarningEvent,
)
from tests.harness.adapters.responses_events import (
    CALLED,
    START,
    added,
    args,
    call,
    completed,
    error_of,
    event,
    finished,
    read,
    text,
)


def test_calls_by_call_id_in_order():
    events = read(
        added(0, **call(id="fc_1")),
        args('{"x":'),
        added(1, **call(call_id="c2", name="g", id="fc_2")),
        args("{}", 1),
        args("1}"),
        event("function_call_arguments.done", output_index=0, arguments='{"x":1}'),
        finished(1, **call("{}", call_id="c2", name="g")),
        finished(0, **call('{"x":1}')),
        completed(),
    )
    assert events == [
        START,
        ToolCallStart(tool_call_index=0, tool_call_id="c1", tool_name="f"),
        ToolCallDelta(tool_call_index=0, arguments_delta='{"x":'),
        ToolCallStart(tool_call_index=1, tool_call_id="c2", tool_name="g"),
        ToolCallDelta(tool_call_index=1, arguments_delta="{}"),
        ToolCallDelta(tool_call_index=0, arguments_delta="1}"),
        ToolCallEnd(tool_call_index=1, arguments={}, arguments_raw="{}"),
        ToolCallEnd(tool_call_index=0, arguments={"x": 1}, arguments_raw='{"x":1}'),
        CALLED,
    ]


@pytest.mark.parametrize(
    ("values", "raw", "arguments"),
    [
        ([added(0, **call()), finished(0, **call('{"x":1}'))], '{"x":1}', {"x": 1}),
        ([finished(0, **call({"x": 1}))], '{"x":1}', {"x": 1}),
        ([added(0, **call()), args('{"x":1}')], '{"x":1}', {"x": 1}),
        ([added(0, **call()), args('{"x":1}'), finished(0, **call())], '{"x":1}', {"x": 1}),
        ([added(0, **call()), args('{"x": 1}'), finished(0, **call('{"x":1}'))], '{"x": 1}', None),
        ([finished(0, **call(""))], "{}", {}),
        ([added(0, **call())], "{}", {}),
        ([finished(0, **call("null"))], "{}", {}),
    ],
    ids=["done-only", "object", "never-done", "empty-done", "spacing", "empty", "bare", "null"],
)
def test_the_arguments_of_one_call(values, raw, arguments):
    events = read(*values, completed())
    assert events[-1] == CALLED
    assert not any(isinstance(e, WarningEvent) for e in events)
    assert fold(events).tool_calls[0].arguments_raw == raw
    assert fold(events).tool_calls[0].arguments == (arguments or {"x": 1} if raw != "{}" else {})


def test_calls_left_open_are_settled_in_the_order_of_the_output():
    events = read(added(1, **call(call_id="b")), added(0, **call(call_id="a")), completed())
    ends = [e.tool_call_index for e in events if isinstance(e, ToolCallEnd)]
    starts = {e.tool_call_id: e.tool_call_index for e in events if isinstance(e, ToolCallStart)}
    assert ends == [starts["a"], starts["b"]] == [1, 0]


def test_complete_arguments_that_contradict_the_deltas_give_a_warning():
    events = read(added(0, **call()), args('{"x":1}'), finished(0, **call('{"x":2}')), completed())
    assert [e.code for e in events if isinstance(e, WarningEvent)] == ["arguments_differ"]
    assert fold(events).tool_calls[0].arguments == {"x": 1}


def test_ids_and_names_that_come_late_or_never():
    events = read(
        added(0, type="function_call", id="fc_1", name="f"),
        args("{"),
        finished(0, **call("{}", call_id="late")),
        finished(1, type="function_call", id="fc_2", name="g", arguments="{}"),
        finished(2, type="function_call", name="h", arguments="{}"),
        finished(3, **call("{}", call_id="late")),
        completed(),
        taken_ids={"call_2"},
    )
    starts = [e for e in events if isinstance(e, ToolCallStart)]
    assert [(s.tool_call_id, s.id_synthesized) for s in starts] == [
        ("late", False),
        ("call_1", True),
        ("call_3", True),
        ("call_4", True),
    ]


def test_bad_arguments_fail_the_turn_after_the_good_calls():
    events, error = error_of(
        finished(0, **call('{"x":')),
        finished(1, **call("{}", call_id="c2")),
        completed(usage={"output_tokens": 7}),
    )
    assert (error.error_class, error.retryable) == (ErrorClass.INVALID_TOOL_ARGUMENTS, False)
    assert '{"x":' in error.message
    assert isinstance(events[-2], ToolCallEnd)
    assert events[-1] == UsageEvent(usage=Usage(output_tokens=7))
    _, error = error_of(finished(0, **call("{}", name="")), completed())
    assert error.error_class is ErrorClass.PROTOCOL


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("max_output_tokens", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("new_reason", FinishReason.LENGTH),
    ],
)
def test_incomplete_is_not_an_error(reason, finish):
    events = read(
        text("a"),
        added(1, **call()),
        args('{"x":', 1),
        finished(1, **call('{"x":', status="incomplete")),
        event("incomplete", response={"incomplete_details": {"reason": reason}}),
    )
    assert events[-1] == MessageStop(finish_reason=finish, raw_finish_reason=reason)
    assert fold(events).tool_calls[0].arguments is None


def test_a_custom_tool_takes_free_text():
    item = {"type": "custom_tool_call", "call_id": "c1", "name": "patch"}
    events = read(
        added(0, **item, input=""),
        event("custom_tool_call_input.delta", output_index=0, delta='emit "hi'),
        event("custom_tool_call_input.delta", output_index=0, delta='"\n'),
        event("custom_tool_call_input.done", output_index=0, input='emit "hi"\n'),
        finished(0, **item, input='emit "hi"\n'),
        finished(1, **{**item, "call_id": "c2"}, input=""),
        completed(),
    )
    turn = fold(events)
    assert [c.arguments for c in turn.tool_calls] == [{"input": 'emit "hi"\n'}, {"input": ""}]
    joined = "".join(e.arguments_delta for e in events if isinstance(e, ToolCallDelta))
    assert joined == "".join(c.arguments_raw for c in turn.tool_calls)
    cut = read(added(0, **item), event("incomplete", response={}))
    assert fold(cut).tool_calls[0].arguments is None


@pytest.mark.parametrize(
    "pieces",
    [
        ['{"x', '{"x":', '{"x":1}'],
        ['{"x":1}', '{"x":1}'],
        ['{"x":', '{"x":1}'],
    ],
)
@pytest.mark.parametrize("last", [None, '{"x":1}'])
def test_pieces_that_repeat_the_arguments(pieces, last):
    item = call(last) if last else call()
    turn = fold(read(added(0, **call()), *map(args, pieces), finished(0, **item), completed()))
    assert [(c.arguments_raw, c.arguments) for c in turn.tool_calls] == [('{"x":1}', {"x": 1})]
