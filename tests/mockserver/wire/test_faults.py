from __future__ import annotations

import gzip
import json

import pytest

from mockserver.cassettes.cassette import Response, Wire
from mockserver.wire import axes, eventstream, faults
from mockserver.wire.body import Media
from mockserver.wire.eventstream import Header
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
        (FaultKind.END, Ending.TRUNCATE),
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


SSE = b'event: a\ndata: {"a": [":"]}\n\ndata: {"b\\"": {"c": 2}}\n\ndata: {"d": 3}\n\n'
NDJSON = b'{"a": 1}\n{"b": 2}\n{"d": 3}\n'
ARRAY = b'[{"a": 1}\n,\n{"b": 2}\n,\n{"d": 3}]'
FRAMES = b"".join(
    eventstream.encode([Header(":event-type", "x")], b'{"%c": 1}' % name) for name in b"abd"
)


def answer(body: bytes, kind: str) -> Schedule:
    return from_response(
        Response(status=200, reason="OK", headers=(("content-type", kind),), body=body, wire=Wire())
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (SSE, "text/event-stream"),
        (NDJSON, "application/x-ndjson"),
        (ARRAY, "application/json"),
        (FRAMES, eventstream.CONTENT_TYPE),
    ],
)
@pytest.mark.parametrize("framing", ["recorded", "one-byte"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_event_is_no_json_and_the_others_are_as_they_were(
    body: bytes, kind: str, framing: str, at: int
) -> None:
    before = axes.apply(answer(body, kind), axes.point({"framing": framing}))
    offset = (0, *before.plain.event_ends)[at]
    after = faults.apply(before, Fault(FaultKind.GARBLE, offset))
    assert after.ending is Ending.FINISH
    assert len(after.sends) >= len(before.sends) - 1
    assert [_is_json(text) for text in _events(after)] == [number != at for number in range(3)]
    kept = [
        pair
        for number, pair in enumerate(zip(_events(before), _events(after), strict=True))
        if number != at
    ]
    assert all(one == other for one, other in kept)


def _events(schedule: Schedule) -> list[bytes]:
    plain = schedule.plain
    match plain.media:
        case Media.SSE:
            return [block.data.encode() for block in plain.blocks]
        case Media.JSON_ARRAY:
            return [element.data for element in plain.elements]
        case Media.AWS_FRAMES:
            assert all(frame.problem is None for frame in plain.frames)
            return [frame.payload for frame in plain.frames]
    return plain.data.splitlines()


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_what_has_no_json_cannot_be_garbled() -> None:
    assert not faults.can_garble(stream(), 0)
    with pytest.raises(ValueError, match="no JSON to garble behind byte 9"):
        faults.apply(stream(), Fault(FaultKind.GARBLE, 9))
    broken = FRAMES[:-1] + bytes([FRAMES[-1] ^ 1])
    last = eventstream.frame_ends(FRAMES)[1]
    assert not faults.can_garble(answer(broken, eventstream.CONTENT_TYPE), last)
