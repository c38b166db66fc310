from __future__ import annotations

import pytest

from harness.reports.wirebytes import Excerpt, excerpt_lines, excerpt_of
from mockserver.cassettes.cassette import Response
from mockserver.wire.axes import apply, point
from mockserver.wire.schedule import Schedule, from_response

BODY = 'data: {"c":"Hi"}\n\ndata: {"c":"gr\\u00fcn"}\n\ndata: [DONE]\n\n'


def sent(body: bytes, kind: str = "text/event-stream") -> Schedule:
    return from_response(
        Response(status=200, reason="", headers=(("content-type", kind),), body=body)
    )


@pytest.mark.parametrize(
    "words",
    [{}, {"eol": "crlf", "gzip": "yes", "framing": "one-byte"}, {"bom": "yes"}],
)
def test_the_bytes_of_a_wire_event_are_those_that_were_sent(words: dict[str, str]) -> None:
    varied = apply(sent(BODY.encode()), point(words))
    found = [excerpt_of(varied, number) for number in range(3)]
    assert b"".join(e.data for e in found) == varied.plain.data
    assert [e.number for e in found] == [1, 2, 3]
    assert {e.count for e in found} == {3}
    assert found[1].start == len(found[0].data)


def test_chunk_boundaries_are_shown() -> None:
    varied = apply(sent(b'data: {"c":"gr\xc3\xbcn"}\n\n'), point({"framing": "utf8"}))
    excerpt = excerpt_of(varied, 0)
    assert excerpt == Excerpt(1, 1, 0, b'data: {"c":"gr\xc3\xbcn"}\n\n', (15,))
    assert list(excerpt_lines(excerpt, 80)) == [
        "wire event 1 of 1, bytes 0-21, in 2 chunks",
        '  data: {"c":"gr\\xc3┊\\xbcn"}\\n\\n',
    ]


def test_bytes_that_text_cannot_show_are_dumped() -> None:
    excerpt = Excerpt(3, 9, 32, 'data: "a\u2028b"\n\n'.encode())
    assert list(excerpt_lines(excerpt, 80)) == [
        "wire event 3 of 9, bytes 32-47",
        '  data: "a\\u2028b"\\n\\n',
        '  000020  64 61 74 61 3a 20 22 61 e2 80 a8 62 22 0a 0a     data: "a...b"..',
    ]


def test_long_events_are_clipped_and_wrapped() -> None:
    lines = list(excerpt_lines(Excerpt(1, 1, 0, b"x" * 5000), 80))
    assert len(lines) == 8
    assert all(len(line) <= 80 for line in lines)
    assert lines[-1].endswith("…")


def test_a_long_event_is_shown_around_what_differs() -> None:
    body = b'data: {"pad":"' + b"x" * 5000 + 'y","c":"grün\u2028"}\n\n'.encode()
    excerpt = excerpt_of(sent(body), 0, "grün\u2028")
    first, *lines = excerpt_lines(excerpt, 400)
    assert first == f"wire event 1 of 1, bytes 0-{len(body)}"
    assert lines[0].startswith("  …xxx")
    assert lines[0].endswith('xy","c":"grün\\u2028"}\\n\\n')
    assert any("e2 80 a8" in line for line in lines[1:])
    at = body.index("\u2028".encode())
    assert any(line.startswith(f"  {at - at % 16:06x}"[:6]) for line in lines[1:])


def test_a_body_that_is_no_stream_is_shown_itself() -> None:
    lines = list(excerpt_lines(excerpt_of(sent(b'{"a":1}', "application/json"), 0), 80))
    assert lines == ["body, bytes 0-7", '  {"a":1}']


def test_an_empty_body_has_no_bytes() -> None:
    assert list(excerpt_lines(excerpt_of(sent(b""), 0), 80)) == ["an empty body"]
