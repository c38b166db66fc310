"""The bodies of frames in cassettes are what the comments above them say."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.cassettes.cassette import load
from mockserver.wire import Media, from_response
from mockserver.wire.eventstream import CHECKSUM, Kind, frames
from tests.frames import bodies, frame_of, with_bodies

CASSETTES = Path(__file__).parents[2] / "cassettes"
#: Cassettes of authors; those that programs write have no comments.
AUTHORED = sorted(p for p in (CASSETTES / "bedrock").glob("*.yaml") if p.stem != "twins")


@pytest.mark.parametrize("path", AUTHORED, ids=lambda p: p.stem)
def test_a_body_is_what_its_comment_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert with_bodies(text) == text, "run python -m tests.frames"
    answers = [from_response(i.response) for i in load(path).interactions]
    framed = [a for a in answers if a.media is Media.AWS_FRAMES and a.body]
    assert bodies(text) == len(framed)


def test_lines_become_frames() -> None:
    (event,) = frames(frame_of('event messageStop {"stopReason":"end_turn"}'))
    assert event.text(":event-type") == "messageStop"
    assert event.text(":message-type") == "event"
    assert event.payload == b'{"stopReason":"end_turn"}'
    (exception,) = frames(frame_of('exception throttlingException {"message":"No"}'))
    assert exception.text(":exception-type") == "throttlingException"
    assert exception.text(":message-type") == "exception"
    (error,) = frames(frame_of("error InternalError It went wrong"))
    assert error.text(":error-message") == "It went wrong"
    assert error.payload == b""
    (other,) = frames(frame_of('headers {"a":"b","n":3,"t":true} {"c":1}'))
    assert [(h.name, h.value, h.kind) for h in other.headers] == [
        ("a", "b", Kind.TEXT),
        ("n", 3, Kind.LONG),
        ("t", True, Kind.TRUE),
    ]
    assert other.payload == b'{"c":1}'
    assert frame_of("hex 00ff") == b"\x00\xff"


def test_lines_break_frames() -> None:
    good = frame_of('event a {"b":1}')
    assert frame_of('cut 7: event a {"b":1}') == good[:7]
    assert frame_of('cut -2: event a {"b":1}') == good[:-2]
    (bad,) = frames(frame_of('flip -6: event a {"b":1}'))
    assert bad.problem is not None
    assert len(bad.payload) == len(good) - good.index(b"{") - CHECKSUM


@pytest.mark.parametrize("line", ["", "even", "what a {}", 'headers {"a":null} {}'])
def test_a_line_that_says_no_frame_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no "):
        frame_of(line)
