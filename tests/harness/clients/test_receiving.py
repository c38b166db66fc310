"""What a process sends for a call, as the output of that call."""

from __future__ import annotations

import pytest

from harness.clients.interface import Call
from harness.clients.protocol import Done, Failed, Native, Raised
from harness.clients.receiving import Receiving
from harness.wrapping.sdks import ProviderSdks
from mockserver.vocabulary import Json

CALL = Call(base_url="http://127.0.0.1", api_key="k", model="m", messages=(), dialect="openai-chat")


def received(*messages: tuple[bool, Json]) -> Receiving:
    """Feed messages of a client that hands on what its SDK gives."""
    receiving = Receiving(CALL, sdks=ProviderSdks())
    for is_turn, data in messages:
        receiving.take(Native(id=1, is_turn=is_turn, data=data), 1)
    receiving.take(Done(id=1), 1)
    return receiving


def chunk(**choice: Json) -> Json:
    return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, **choice}]}


def test_chunks_have_their_ending_beside_the_answer_that_the_sdk_assembles() -> None:
    message: Json = {"role": "assistant", "content": "Hi"}
    whole: Json = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    output = received(
        (False, chunk(delta={"content": "Hi"})), (False, chunk(finish_reason="stop")), (True, whole)
    ).output
    assert [event.data["type"] for event in output.events] == [
        "message_start",
        "content_delta",
        "message_stop",
    ]
    assert output.turn is not None
    assert output.turn.value is not None
    assert output.turn.value.content == "Hi"
    assert output.turn_read


def test_an_assembled_answer_alone_has_no_events() -> None:
    message: Json = {"role": "assistant", "content": "Hi"}
    whole: Json = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    output = received((True, whole)).output
    assert output.events == []
    assert output.turn is not None


@pytest.mark.parametrize(
    ("names", "foreign"),
    [
        # What a library in JavaScript throws that has no classes of its own.
        (("Error",), False),
        (("Error", "TimeoutError"), False),
        (("ApiError", "Error"), False),
        (("TypeError", "Error"), True),
        (("ZodError", "Error"), True),
        (("Exception", "BaseException"), True),
    ],
)
def test_a_plain_error_of_javascript_is_no_foreign_exception(
    names: tuple[str, ...], foreign: bool
) -> None:
    receiving = Receiving(CALL, sdks=ProviderSdks(), failures=frozenset({"ApiError"}))
    receiving.take(Failed(id=1, error=Raised(names=names, message="no end")), 1)
    receiving.take(Done(id=1), 1)
    assert (receiving.output.raised is not None) == foreign
    assert bool(receiving.output.events) != foreign
