from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest

from harness.reports import badge
from tests.harness.reports.made import Record, case, run_of

SVG = "{http://www.w3.org/2000/svg}"
GOOD = [case(f"a/s{n}/recorded@one") for n in range(3)]
BAD = case("a/b/recorded@one", "fail")
KNOWN = case("a/c/recorded@one", "known")
ERROR = case("a/d/recorded@one", "error")


@pytest.mark.parametrize(
    ("records", "says"),
    [
        (run_of(*GOOD), "3/3"),
        (run_of(*GOOD, KNOWN), "3/4, 1 known"),
        (run_of(*GOOD, BAD, KNOWN), "1 of 5 failed"),
        (run_of(*GOOD, problems=("stale",)), "3/3, 1 problem"),
        (run_of(*GOOD, ERROR), "not judged"),
    ],
)
def test_a_badge_says_what_failed(records: list[Record], says: str) -> None:
    stream = io.StringIO()
    badge.write(records, stream)
    svg = ElementTree.fromstring(stream.getvalue())
    assert [text.text for text in svg.iter(f"{SVG}text")] == ["tapecheck", says]
    assert svg.get("aria-label") == svg.findtext(f"{SVG}title") == f"tapecheck: {says}"
    # It needs no other file.
    assert "href" not in stream.getvalue()


def test_its_colours_differ() -> None:
    colours = set()
    for cases in ([*GOOD], [*GOOD, KNOWN], [*GOOD, BAD], [*GOOD, ERROR]):
        stream = io.StringIO()
        badge.write(run_of(*cases), stream)
        rects = ElementTree.fromstring(stream.getvalue()).findall(f"{SVG}g/{SVG}rect")
        colours.add(rects[1].get("fill"))
    assert len(colours) == 4
