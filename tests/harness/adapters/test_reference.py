from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import replace

import pytest

from harness.adapters import reference
from harness.adapters.reference import NoReaderError, read_turn
from mockserver.cassettes.cassette import Response
from mockserver.dialects import dialects
from mockserver.vocabulary import AssistantTurn, ErrorClass, NeutralCall, Status
from mockserver.wire.schedule import from_response

CALL = NeutralCall(model="m", messages=({"role": "user", "content": "hi"},), stream=False)
BODY = json.dumps(
    {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello."},
                "finish_reason": "stop",
            }
        ],
    }
).encode()


def answer(body: bytes = BODY, status: int = 200, **headers: str) -> Response:
    pairs = tuple({"content-type": "application/json", **headers}.items())
    return Response(status=status, reason="", headers=pairs, body=body)


def read(response: Response, call: NeutralCall = CALL, name: str = "openai-chat") -> AssistantTurn:
    return asyncio.run(read_turn(name, call, from_response(response)))


def test_there_is_a_client_for_every_dialect_that_can_be_written() -> None:
    assert {name for name, d in dialects().items() if d.capacity} <= set(reference._CLIENTS)


def test_a_whole_answer_is_read() -> None:
    turn = read(answer())
    assert (turn.content, turn.status) == ("Hello.", Status.COMPLETED)


def test_a_compressed_answer_is_read() -> None:
    packed = Response(
        status=200,
        reason="",
        headers=(("content-type", "application/json"), ("content-encoding", "gzip")),
        body=gzip.compress(BODY),
    )
    assert read(packed).content == "Hello."


@pytest.mark.parametrize("stream", [True, False])
def test_an_error_is_a_failed_turn(stream: bool) -> None:
    turn = read(answer(b'{"error":{"message":"No."}}', 401), replace(CALL, stream=stream))
    assert turn.parts == ()
    assert turn.error is not None
    assert (turn.error.error_class, turn.error.status) == (ErrorClass.AUTHENTICATION, 401)
    assert turn.error.message == "No."


def test_a_failure_in_an_answer_keeps_what_came_before() -> None:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Half"}}]}
    body = f"data: {json.dumps(chunk)}\n\ndata: " + '{"error":{"message":"No."}}\n\n'
    turn = read(
        Response(
            status=200,
            reason="",
            headers=(("content-type", "text/event-stream"),),
            body=body.encode(),
        ),
        replace(CALL, stream=True),
    )
    assert (turn.content, turn.status) == ("Half", Status.FAILED)


def test_a_redirect_is_followed_to_nothing() -> None:
    turn = read(answer(b"", 307, location="http://elsewhere.invalid/v1"))
    assert turn.error is not None
    assert turn.error.error_class is ErrorClass.CONNECTION_LOST


def test_a_dialect_without_a_client() -> None:
    with pytest.raises(NoReaderError, match="no bundled client reads answers of toy"):
        read(answer(), name="toy")


def test_a_call_that_the_client_cannot_make() -> None:
    odd = replace(CALL, messages=({"role": "narrator", "content": "hi"},))
    with pytest.raises(ValueError, match="unknown message role"):
        read(answer(), odd, name="openai-responses")
