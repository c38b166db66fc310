"""Bodies of frames, and of anything else, become events."""

from __future__ import annotations

import json

import pytest

from harness.adapters.bedrock.frames import FrameBody
from harness.adapters.bedrock.stream import ConverseStream
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    Event,
    WarningEvent,
    fold,
)
from mockserver.wire.eventstream import CONTENT_TYPE, Header, encode

KEY = "key-that-is-secret"


def frame(kind: str, payload: bytes = b"", **headers: str) -> bytes:
    named = {":message-type": kind} | {f":{n.replace('_', '-')}": v for n, v in headers.items()}
    return encode((Header(*item) for item in named.items()), payload)


def event(name: str, payload: object) -> bytes:
    return frame("event", json.dumps(payload, ensure_ascii=False).encode(), event_type=name)


TEXT = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}})
STOP = event("messageStop", {"stopReason": "end_turn"})
WHOLE = json.dumps(
    {"output": {"message": {"content": [{"text": "Hi"}]}}, "stopReason": "end_turn"}
).encode()


def events(*pieces: bytes, kind: str | None = CONTENT_TYPE) -> list[Event]:
    body = FrameBody(ConverseStream(secrets=[KEY]), content_type=kind)
    found = [e for piece in pieces for e in body.feed(piece)]
    found += body.end()
    assert body.closed
    return found


def turn(*pieces: bytes, kind: str | None = CONTENT_TYPE) -> AssistantTurn:
    return fold(events(*pieces, kind=kind))


def error(*pieces: bytes, kind: str | None = CONTENT_TYPE) -> ErrorInfo:
    found = turn(*pieces, kind=kind).error
    assert found is not None
    return found


def test_frames_are_read_whatever_they_are_called() -> None:
    for kind in (CONTENT_TYPE, f"{CONTENT_TYPE}; a=b", "application/json", None):
        assert turn(TEXT + STOP, kind=kind).content == "Hi"
    assert turn(b"", TEXT[:1], TEXT[1:] + STOP).content == "Hi"


def test_text_is_read_whatever_it_is_called() -> None:
    for kind in (CONTENT_TYPE, "application/json", None):
        assert turn(WHOLE, kind=kind).content == "Hi"
        assert turn(b"\n", WHOLE, kind=kind).content == "Hi"
    assert error(b'{"message":"No"}').error_class is ErrorClass.INVALID_REQUEST
    assert error(b"<html>Sign in</html>").error_class is ErrorClass.PROTOCOL
    assert error(b"Sign in", kind="text/plain").error_class is ErrorClass.PROTOCOL
    assert error(WHOLE[:30]).error_class is ErrorClass.TRUNCATED_STREAM


def test_a_first_length_that_no_frame_has() -> None:
    for first in (b"\x01", b"\xff"):
        assert error(first + TEXT[1:] + STOP).error_class is ErrorClass.PROTOCOL


def test_a_broken_frame_ends_the_turn_and_keeps_the_text() -> None:
    found = turn(TEXT + STOP[:-1] + b"\x00" + TEXT)
    assert found.content == "Hi"
    assert found.error is not None
    assert (found.error.error_class, found.error.retryable) == (ErrorClass.PROTOCOL, False)


def test_the_end_inside_a_frame() -> None:
    found = error(TEXT + STOP[:-1])
    assert found.error_class is ErrorClass.TRUNCATED_STREAM
    assert "in the middle of a frame" in found.message
    behind = turn(TEXT + STOP + TEXT[:9])
    assert (behind.error, behind.content) == (None, "Hi")
    assert "without a messageStop" in error(TEXT).message
    assert error(b"").error_class is ErrorClass.EMPTY_RESPONSE


def test_a_lost_connection() -> None:
    lost = ErrorInfo(error_class=ErrorClass.CONNECTION_LOST, message="gone", retryable=True)
    for sent in (TEXT + STOP[:5], b'{"output":'):
        body = FrameBody(ConverseStream())
        found = body.feed(sent) + body.lost(lost)
        assert fold(found).error is not None
        assert body.closed
    body = FrameBody(ConverseStream())
    assert fold(body.feed(TEXT + STOP) + body.lost(lost)).error is None


def test_an_exception_has_its_name_for_a_code() -> None:
    sent = frame("exception", b'{"message":"Slow down"}', exception_type="throttlingException")
    found = error(TEXT + sent + STOP)
    assert (found.error_class, found.code) == (ErrorClass.RATE_LIMIT, "throttlingException")
    assert found.message == "Slow down"
    plain = error(frame("exception", b"oh no", exception_type="validationException"))
    assert (plain.error_class, plain.message) == (ErrorClass.INVALID_REQUEST, "oh no")
    nameless = error(frame("exception", b"{}"))
    assert nameless.error_class is ErrorClass.STREAM_ERROR


def test_an_exception_tells_what_the_model_said() -> None:
    said = b'{"message":"It failed","originalMessage":"Worker lost","originalStatusCode":500}'
    found = error(frame("exception", said, exception_type="modelStreamErrorException"))
    assert found.error_class is ErrorClass.STREAM_ERROR
    assert found.message == ("It failed (originalMessage: Worker lost, originalStatusCode: 500)")


def test_an_error_stands_in_headers() -> None:
    found = error(frame("error", error_code="Weird", error_message=f"It is {KEY}"))
    assert (found.error_class, found.code) == (ErrorClass.SERVER_ERROR, "Weird")
    assert found.message == "It is [redacted]"


def test_frames_of_unknown_types_are_skipped_with_a_warning() -> None:
    found = events(frame("news", b"{}") + TEXT + STOP)
    (warned,) = (e for e in found if isinstance(e, WarningEvent))
    assert warned.code == "unknown_frame"
    assert fold(found).content == "Hi"


@pytest.mark.parametrize("payload", [b"{", b"[]", b"3", b"[" * 100_000])
def test_a_payload_that_is_no_object_is_an_error(payload: bytes) -> None:
    sent = frame("event", payload, event_type="contentBlockDelta")
    found = turn(TEXT + sent + STOP)
    assert found.error is not None
    assert found.error.error_class is ErrorClass.PROTOCOL
    assert "'contentBlockDelta' is no JSON object" in found.error.message
    assert found.content == "Hi"


def test_a_payload_in_an_error_is_clipped_and_without_secrets() -> None:
    found = error(frame("event", f'"{KEY}{"x" * 999}"'.encode(), event_type="e" * 90))
    assert KEY not in found.message
    assert len(found.message) < 320


def test_no_payload_is_an_empty_one() -> None:
    assert turn(frame("event", event_type="messageStart") + TEXT + STOP).content == "Hi"


def test_bytes_that_are_not_utf8_are_replaced_with_a_warning() -> None:
    bad = b'{"contentBlockIndex":0,"delta":{"text":"H\xff"}}'
    found = events(frame("event", bad, event_type="contentBlockDelta") + STOP)
    assert fold(found).content == "H\ufffd"
    assert [e.code for e in found if isinstance(e, WarningEvent)] == ["invalid_utf8"]
    sent = event("contentBlockDelta", {"delta": {"text": "H\ufffd"}})
    assert not [e for e in events(sent + STOP) if isinstance(e, WarningEvent)]


def test_a_key_in_a_header_is_not_shown() -> None:
    name = "x" * 50 + KEY
    twice = (Header(name, "a"), Header(name, "b"))
    found = [
        *events(frame(KEY), STOP),
        *events(frame("x" * 30 + KEY), STOP),
        *events(frame("event", b"[]", event_type="x" * 30 + KEY)),
        *events(encode(twice, b"{}")),
    ]
    assert KEY[:8] not in str(found)
    assert str(found).count("[redacted]") >= 3
