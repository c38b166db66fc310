from __future__ import annotations

from typing import Any

import pytest

from harness.reports.wirebytes import Excerpt, excerpt_lines, find_excerpt
from mockserver.cassettes.cassette import Response
from mockserver.wire.axes import apply, point
from mockserver.wire.schedule import Schedule, from_response

BODY = (
    'data: {"id":"r1"}\n\ndata: {"c":"Hi"}\n\ndata: {"c":"Hi"}\n\n'
    'data: {"c":"gr\\u00fcn"}\n\ndata: {"f":"stop"}\n\ndata: [DONE]\n\n'
)
EXPECTED: list[dict[str, Any]] = [
    {"type": "message_start", "response_id": "r1"},
    {"type": "content_delta", "delta": "Hi"},
    {"type": "content_delta", "delta": "grün"},
    {"type": "message_stop", "raw_finish_reason": "stop"},
]


def sent(body: bytes, kind: str = "text/event-stream") -> Schedule:
    return from_response(
        Response(status=200, reason="", headers=(("content-type", kind),), body=body)
    )


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (0, b'data: {"id":"r1"}\n\n'),
        (1, b'data: {"c":"Hi"}\n\n'),
        (2, b'data: {"c":"gr\\u00fcn"}\n\n'),
        (3, b'data: {"f":"stop"}\n\n'),
    ],
)
def test_the_wire_event_behind_an_event(event: int, data: bytes) -> None:
    excerpt = find_excerpt(sent(BODY.encode()), EXPECTED, event)
    assert excerpt is not None
    assert excerpt.data == data
    assert excerpt.start == BODY.encode().index(data)


def test_it_is_found_under_every_axis() -> None:
    varied = apply(
        sent(BODY.encode()), point({"eol": "crlf", "gzip": "yes", "framing": "one-byte"})
    )
    excerpt = find_excerpt(varied, EXPECTED, 2)
    assert excerpt is not None
    assert excerpt.data == b'data: {"c":"gr\\u00fcn"}\r\n\r\n'


def test_chunk_boundaries_are_shown() -> None:
    varied = apply(sent(b'data: {"c":"gr\xc3\xbcn"}\n\n'), point({"framing": "utf8"}))
    excerpt = find_excerpt(varied, [{"type": "content_delta", "delta": "grün"}], 0)
    assert excerpt == Excerpt(1, 0, b'data: {"c":"gr\xc3\xbcn"}\n\n', (15,))
    assert list(excerpt_lines(excerpt, 80)) == [
        "wire event 1, bytes 0-21, in 2 chunks",
        '  data: {"c":"gr\\xc3┊\\xbcn"}\\n\\n',
    ]


def test_bytes_that_text_cannot_show_are_dumped() -> None:
    excerpt = Excerpt(3, 32, 'data: "a\u2028b"\n\n'.encode(), ())
    assert list(excerpt_lines(excerpt, 80)) == [
        "wire event 3, bytes 32-47",
        '  data: "a\\u2028b"\\n\\n',
        '  000020  64 61 74 61 3a 20 22 61 e2 80 a8 62 22 0a 0a     data: "a...b"..',
    ]


def test_long_events_are_clipped_and_wrapped() -> None:
    lines = list(excerpt_lines(Excerpt(1, 0, b"x" * 5000, ()), 80))
    assert len(lines) == 8
    assert all(len(line) <= 80 for line in lines)
    assert lines[-1].endswith("…")


def test_a_body_that_is_no_stream_has_no_event_behind() -> None:
    assert find_excerpt(sent(b"{}", "application/json"), EXPECTED, 0) is None
