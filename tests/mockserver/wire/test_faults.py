from __future__ import annotations

import gzip

import pytest

from mockserver.cassettes.cassette import Response, Wire
from mockserver.wire import faults
from mockserver.wire.faults import Fault, FaultKind
from mockserver.wire.schedule import Coding, Ending, Schedule, from_response

BODY = b"data: a\n\ndata: b\n\n"


def stream(body: bytes = BODY, *headers: tuple[str, str]) -> Schedule:
    kind = ("content-type", "text/event-stream")
    return from_response(
        Response(status=200, reason="OK", headers=(kind, *headers), body=body, wire=Wire())
    )


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        (FaultKind.CUT, Ending.FINISH),
        (FaultKind.RESET, Ending.RESET),
        (FaultKind.STALL, Ending.STALL),
    ],
)
@pytest.mark.parametrize("offset", range(len(BODY) + 1))
def test_exactly_the_bytes_before_the_fault_are_sent(
    kind: FaultKind, ending: Ending, offset: int
) -> None:
    broken = faults.apply(stream(), Fault(kind, offset))
    assert broken.body == BODY[:offset]
    assert broken.ending is ending
    assert all(s.data for s in broken.sends)


def test_a_compressed_body_breaks_in_its_plain_text() -> None:
    packed = stream(gzip.compress(BODY), ("content-encoding", "gzip"))
    broken = faults.apply(packed, Fault(FaultKind.CUT, 9))
    assert broken.body == BODY[:9]
    assert broken.header("content-encoding") is None


def test_an_announced_length_does_not_reveal_the_cut() -> None:
    json = from_response(
        Response(
            status=200,
            reason="OK",
            headers=(("content-type", "application/json"),),
            body=b"{}",
        )
    )
    assert json.coding is Coding.LENGTH
    assert faults.apply(json, Fault(FaultKind.CUT, 1)).coding is Coding.CHUNKED


def test_an_offset_outside_the_body() -> None:
    with pytest.raises(ValueError, match="fault at byte 19 is outside the body of 18 bytes"):
        faults.apply(stream(), Fault(FaultKind.CUT, 19))


def test_fault_names() -> None:
    fault = faults.parse("reset@12")
    assert fault == Fault(FaultKind.RESET, 12)
    assert faults.parse(str(fault)) == fault
    for wrong in ("reset", "reset@x", "smash@3", "@3"):
        with pytest.raises(ValueError, match="no fault"):
            faults.parse(wrong)
