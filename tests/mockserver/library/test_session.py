from __future__ import annotations

from dataclasses import replace

import pytest

from mockserver.errors import SessionError
from mockserver.library.session import Rotation, Session, exchanges
from mockserver.wire import axes, faults
from mockserver.wire.schedule import Ending
from tests.mockserver.rawhttp import cassette, exchange, interaction

SSE = "text/event-stream"
STREAM = b"data: a\n\ndata: b\n\n"


def test_a_point_applies_to_every_exchange() -> None:
    tape = cassette(interaction(STREAM, content_type=SSE), interaction(STREAM, content_type=SSE))
    played = exchanges(tape, point=axes.point({"eol": "crlf"}))
    assert [e.schedule.body for e in played] == [STREAM.replace(b"\n", b"\r\n")] * 2
    assert [e.schedule.body for e in exchanges(tape)] == [STREAM] * 2


def test_a_fault_interrupts_the_last_stream_only() -> None:
    tape = cassette(
        interaction(STREAM, content_type=SSE),
        interaction(STREAM, content_type=SSE),
        interaction(b"{}"),
    )
    played = exchanges(tape, fault=faults.parse("reset@9"))
    assert [e.schedule.body for e in played] == [STREAM, b"data: a\n\n", b"{}"]
    assert [e.schedule.ending for e in played] == [Ending.FINISH, Ending.RESET, Ending.FINISH]


@pytest.mark.parametrize(
    ("tape", "fault", "message"),
    [
        (cassette(interaction(b"{}")), "cut@0", "memory.yaml: no stream"),
        (
            cassette(interaction(STREAM, content_type=SSE)),
            "cut@99",
            "byte 99 is outside",
        ),
    ],
)
def test_a_fault_needs_a_stream_and_a_place_in_it(tape, fault: str, message: str) -> None:
    with pytest.raises(SessionError, match=message):
        exchanges(tape, fault=faults.parse(fault))


def test_exchanges_play_once_in_recorded_order_within_method_and_path() -> None:
    session = Session(
        "s",
        [
            exchange(path="/a", method="POST"),
            exchange(path="/b", method="GET"),
            exchange(path="/a", method="POST"),
            exchange(path="/a", method="GET"),
        ],
    )
    assert session.take("GET", "/a") == 3
    assert session.take("POST", "/a") == 0
    assert session.take("DELETE", "/a") is None
    assert session.take("POST", "/c") is None
    assert session.unplayed == (session.exchanges[1], session.exchanges[2])
    assert session.take("post", "/a") == 2
    assert session.take("POST", "/a") is None
    assert session.unplayed == (session.exchanges[1],)


def test_percent_encoding_does_not_matter() -> None:
    session = Session("s", [exchange(path="/m/a%3A0/go")])
    assert session.take("GET", "/m/a:0/go") == 0


def test_a_rotation_starts_over_unless_once() -> None:
    around, once = Rotation(), Rotation(once=True)
    route = "POST", "/jobs"
    assert [around.take("k", [4, 7], route) for _ in range(5)] == [4, 7, 4, 7, 4]
    assert [once.take("k", [4, 7], route) for _ in range(4)] == [4, 7, None, None]
    assert once.take("other", [4, 7], route) == 4
    once.clear()
    assert once.take("k", [4, 7], route) == 4


def test_a_poll_repeats_its_last_answer() -> None:
    polls, off = Rotation(), Rotation(repeat=False)
    once = Rotation(once=True)
    job = "GET", "/v1/jobs/1"
    assert [polls.take("k", [4, 7], job) for _ in range(4)] == [4, 7, 7, 7]
    assert [off.take("k", [4, 7], job) for _ in range(4)] == [4, 7, 4, 7]
    assert [once.take("k", [4, 7], job) for _ in range(3)] == [4, 7, None]
    polls.clear()
    assert polls.take("k", [4, 7], job) == 4


@pytest.mark.parametrize(
    ("path", "job", "again"),
    [
        ("/v1/jobs", "/v1/jobs/1", True),
        ("/v1/models/veo:predict", "/v1/models/veo/operations/1", True),
        ("/v1/chat", "/v1/jobs/1", False),
        ("/v1/job", "/v1/jobs/1", False),
    ],
)
def test_a_job_starts_again_only_when_it_is_made_again(path: str, job: str, again: bool) -> None:
    rotation = Rotation()
    for made in range(3):
        assert rotation.take("make", [1], ("POST", path), "tape") == 1
        states = [rotation.take("job", [2, 3], ("GET", job), "tape") for _ in range(3)]
        assert states == ([2, 3, 3] if again or not made else [3, 3, 3])
        assert rotation.take("other", [1], ("POST", path), "other tape") == 1
        assert rotation.take("job", [2, 3], ("GET", job), "tape") == 3


def test_a_session_repeats_polls_if_it_shall() -> None:
    jobs = [exchange(path="/a"), exchange(path="/a"), exchange(path="/a", method="POST")]
    session = Session("s", jobs, repeat_polls=True)
    assert [session.take("GET", "/a") for _ in range(15)] == [0, *[1] * 14]
    assert [session.take("POST", "/a") for _ in range(2)] == [2, None]
    assert Session("s", jobs, repeat_polls=True).take("GET", "/b") is None


def test_a_session_may_answer_again_what_nobody_expected() -> None:
    session = Session(
        "s",
        [exchange(path="/a", method="POST"), exchange(path="/b", method="POST")],
        repeat_last=True,
    )
    assert [session.take("POST", "/a") for _ in range(3)] == [0, 0, 0]
    assert session.take("POST", "/b") == 1
    assert session.take("GET", "/a") is None
    assert session.take("POST", "/c") is None
    # A client that never stops asking gets an end.
    assert [session.take("POST", "/b") for _ in range(9)] == [1] * 8 + [None]


def test_an_exchange_answers_at_its_other_path_too() -> None:
    one = replace(exchange(path="/a/ask", method="POST"), other_path="/a/v1/ask")
    for path in ("/a/ask", "/a/v1/ask"):
        assert Session("s", [one.with_header("x", "y")]).take("POST", path) == 0
    assert Session("s", [one]).take("GET", "/a/v1/ask") is None
    assert Session("s", [one]).take("POST", "/v1/ask") is None
