from __future__ import annotations

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
    assert [around.take("k", [4, 7]) for _ in range(5)] == [4, 7, 4, 7, 4]
    assert [once.take("k", [4, 7]) for _ in range(4)] == [4, 7, None, None]
    assert once.take("other", [4, 7]) == 4
    once.clear()
    assert once.take("k", [4, 7]) == 4


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
