"""Events of the Responses API for tests, and what a reader makes of them."""

import json
from dataclasses import replace

from harness.adapters.common.surrogates import fix_surrogates
from harness.adapters.responses.stream import ResponsesStream
from mockserver.vocabulary.model import ErrorEvent, FinishReason, MessageStart, MessageStop

START = MessageStart(response_id="r1", model="m1")
STOP = MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="completed")
CALLED = MessageStop(finish_reason=FinishReason.TOOL_CALLS, raw_finish_reason="completed")
CREATED = {"type": "response.created", "response": {"id": "r1", "model": "m1"}}


def event(name, **fields):
    return {"type": f"response.{name}", **fields}


def added(index, **item):
    return event("output_item.added", output_index=index, item=item)


def finished(index, **item):
    return event("output_item.done", output_index=index, item=item)


def text(delta, index=0, part=0, **more):
    fields = {"output_index": index, "content_index": part, "delta": delta, **more}
    return event("output_text.delta", **fields)


def args(delta, index=0):
    return event("function_call_arguments.delta", output_index=index, delta=delta)


def completed(output=(), **response):
    return event("completed", response={"id": "r1", "output": list(output), **response})


def message(*texts):
    content = [{"type": "output_text", "text": t, "annotations": []} for t in texts]
    return {"type": "message", "role": "assistant", "content": content}


def call(arguments="", call_id="c1", name="f", **more):
    fields = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    return {**fields, **more}


def read(*values, created=True, **options):
    """Feed JSON values and end; the events without native, which must be all that was fed."""
    stream = ResponsesStream(**options)
    values = [CREATED, *values] if created else values
    events, fed = [], []
    for value in values:
        if not stream.closed and isinstance(value, dict) and "type" in value:
            fed.append(json.loads(fix_surrogates(json.dumps(value, ensure_ascii=False))))
        events += stream.chunk(value)
    events += stream.ended()
    assert stream.closed
    assert stream.chunk(text("late")) == []
    assert [n for e in events for n in e.native] == fed
    return [bare(e) for e in events]


def bare(event):
    return replace(event, native=())


def error_of(*values, **options):
    *before, last = read(*values, **options)
    assert isinstance(last, ErrorEvent)
    return before, last.error
