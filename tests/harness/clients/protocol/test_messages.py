from __future__ import annotations

import pytest

from harness.clients.interface import Call
from harness.clients.protocol import (
    Done,
    MessageError,
    StartCall,
    decode_from_client,
    decode_to_client,
    encode,
)

CALL = Call(base_url="http://x", api_key="k", model="m", messages=({"role": "user"},))


@pytest.mark.parametrize("stop_after", [None, 3])
def test_a_call_says_when_its_caller_stops_reading(stop_after: int | None) -> None:
    message = StartCall(id=1, call=CALL, stop_after=stop_after)
    assert decode_to_client(encode(message)) == message


@pytest.mark.parametrize("late", [None, 0, 2])
def test_an_end_says_what_was_late_and_where_an_exception_came_from(late: int | None) -> None:
    message = Done(id=1, late=late, raised="ValueError: odd", traceback="ValueError: odd\n  in run")
    assert decode_from_client(encode(message)) == message


@pytest.mark.parametrize("late", ["true", '"2"', "1.5"])
def test_an_end_of_another_form_is_refused(late: str) -> None:
    line = b'{"type": "done", "id": 1, "late": %s}' % late.encode()
    with pytest.raises(MessageError, match="late of a message is"):
        decode_from_client(line)
