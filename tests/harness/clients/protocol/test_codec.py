from __future__ import annotations

import json
from typing import Any

import pytest

from harness.clients.interface import Call
from harness.clients.protocol import (
    MAX_TEXT,
    CancelCall,
    Done,
    Emitted,
    Failed,
    FromClient,
    Hello,
    MessageError,
    Native,
    NotRun,
    Raised,
    Refused,
    Start,
    StartCall,
    ToClient,
    decode_from_client,
    decode_to_client,
    encode,
)
from harness.suite.schemas import validator

CALL = Call(base_url="http://x", api_key="k", model="m", messages=({"role": "user"},), dialect="d")
RAISED = Raised(
    names=("RateLimitError", "Exception"),
    message="slow down",
    status=429,
    code="rate_limit",
    body={"error": {"message": "slow down"}},
    headers={"retry-after": "3"},
    request_id="r1",
    retry_after=3.0,
    traceback="…",
)
TO_CLIENT: list[ToClient] = [
    Start(),
    StartCall(id=1, call=CALL, arguments={"model": "m"}),
    CancelCall(id=1),
]
FROM_CLIENT: list[FromClient] = [
    Hello(declaration={"name": "x", "dialects": ["ollama"], "features": []}),
    Refused(message="no SDK", hint="install it"),
    Emitted(id=1, is_turn=False, data={"type": "content_delta", "delta": "x"}),
    Emitted(id=1, is_turn=True, data={"status": "completed"}),
    Native(id=1, is_turn=False, data={"choices": []}, form="openai-chat"),
    Native(id=1, is_turn=True, data=[None]),
    Failed(id=1, error=RAISED),
    Failed(id=1, error=Raised(names=("TypeError",), message="")),
    Done(id=1),
    NotRun(id=1, message="no disk"),
]


@pytest.mark.parametrize("message", TO_CLIENT)
def test_a_message_of_the_harness_is_read_back_and_valid(message: ToClient) -> None:
    line = encode(message)
    validator("client_message").validate(json.loads(line))
    assert decode_to_client(line) == message


@pytest.mark.parametrize("message", FROM_CLIENT)
def test_a_message_of_a_client_is_read_back_and_valid(message: FromClient) -> None:
    line = encode(message)
    validator("client_message").validate(json.loads(line))
    assert decode_from_client(line) == message


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello world", 'not a message, but "hello world"'),
        (b"[" * 100_000, "not a message, but"),
        (b"[]", "not an object"),
        (b'{"type": "greeting"}', "unknown message type 'greeting'"),
        (b'{"id": 1}', "unknown message type None"),
        (b'{"type": "event", "data": {}}', "id of a message is None"),
        (b'{"type": "event", "id": true, "data": {}}', "id of a message is True"),
        (b'{"type": "event", "id": 1}', "data of a message is None"),
        (b'{"type": "native", "id": 1}', "native message without data"),
        (b'{"type": "native", "id": 1, "data": 1, "form": 2}', "form of a message is 2"),
        (b'{"type": "failed", "id": 1}', "error of a message is None"),
        (b'{"type": "failed", "id": 1, "error": {"names": []}}', "names of an error is empty"),
        (b'{"type": "failed", "id": 1, "error": {"names": [1]}}', "names of a message is"),
        (b'{"type": "hello", "protocol": 2, "declaration": {}}', "protocol 2, not 1"),
        (b'{"type": "hello", "protocol": 1}', "declaration of a message is None"),
    ],
)
def test_a_line_that_is_no_message_is_refused(line: bytes, why: str) -> None:
    with pytest.raises(MessageError) as raised:
        decode_from_client(line)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"status": True}, {"status": None}),
        ({"status": "429"}, {"status": None}),
        ({"status": 1e3}, {"status": None}),
        ({"status": 99}, {"status": None}),
        ({"code": 7}, {"code": "7"}),
        ({"code": ""}, {"code": None}),
        ({"code": ["x"]}, {"code": None}),
        ({"headers": ["x"]}, {"headers": {}}),
        ({"headers": {"a": 1}}, {"headers": {"a": "1"}}),
        ({"retry_after": float("inf")}, {"retry_after": None}),
        ({"retry_after": 10**400}, {"retry_after": None}),
        ({"retry_after": True}, {"retry_after": None}),
        ({"message": "x" * 30_000}, {"message": "x" * MAX_TEXT}),
    ],
)
def test_odd_values_of_an_exception_say_nothing(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    data = {"type": "failed", "id": 1, "error": {"names": ["E"], "message": "", **given}}
    message = decode_from_client(json.dumps(data).encode())
    assert isinstance(message, Failed)
    assert {name: getattr(message.error, name) for name in expected} == expected


def test_half_a_character_arrives_as_it_is() -> None:
    line = b'{"type": "native", "id": 1, "data": {"text": "\\ud83d"}}'
    message = decode_from_client(line)
    assert isinstance(message, Native)
    assert message.data == {"text": "\ud83d"}
