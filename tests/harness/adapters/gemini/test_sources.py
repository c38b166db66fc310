"""Bytes inside parts become characters of texts."""

from __future__ import annotations

from typing import Any

import pytest

from harness.adapters.gemini.sources import Sources
from mockserver.vocabulary import Citation

URL = "https://a.test"
WEB = {"web": {"uri": URL, "title": "A"}}


def cited(parts: list[tuple[str, int] | None], *segments: Any, chunks: Any = (WEB,)) -> list[Any]:
    """Return the places: start, end and text; a part without a text is None."""
    sources = Sources()
    for part in parts:
        if part is None:
            sources.add_part()
        else:
            sources.add_part(*part, is_text=True)
    supports = [{"segment": s, "groundingChunkIndices": [0]} for s in segments]
    metadata = {"groundingChunks": list(chunks), "groundingSupports": supports}
    sources.add({"groundingMetadata": metadata})
    return [(c.start, c.end, c.index) for c in sources.citations() if isinstance(c, Citation)]


def place(end: Any, start: Any = 0, part: Any = 0, text: str | None = None) -> dict[str, Any]:
    segment = {"startIndex": start, "endIndex": end, "partIndex": part, "text": text}
    return {name: value for name, value in segment.items() if value}


@pytest.mark.parametrize(
    ("parts", "segment", "found"),
    [
        ([("hello", 0)], place(5), (0, 5, 0)),
        ([("åäö!", 0)], place(7, 4), (2, 4, 0)),
        ([("🎉 hej", 0)], place(8, 5, text="hej"), (2, 5, 0)),
        # The second part of one text.
        ([("åä ", 0), ("ö hej", 0)], place(6, 3, 1, "hej"), (5, 8, 0)),
        # A text of its own behind a call.
        ([("a", 0), None, ("öb", 1)], place(3, 2, 2, "b"), (1, 2, 1)),
        # In the chunks of a stream, from the beginning of all text.
        ([("he", 0), ("llo", 0)], place(5, 2, text="llo"), (2, 5, 0)),
        ([("he", 0), ("llo", 0)], place(5, 1), (1, 5, 0)),
        # The second part that the chunks make together.
        ([None, ("a", 0), ("bc", 0), None], place(3, 1, 1, "bc"), (1, 3, 0)),
        # In the second text.
        ([("ab", 0), ("cd", 1)], place(4, 3, text="d"), (1, 2, 1)),
    ],
)
def test_places(parts: Any, segment: Any, found: Any) -> None:
    assert cited(parts, segment) == [found]


@pytest.mark.parametrize(
    "segment",
    [
        {},
        place(9),
        place(3, text="xyz"),
        place(3, part=7),
        place("3"),
        {"endIndex": 3, "startIndex": -1},
        {"endIndex": 3, "partIndex": "1"},
        {"endIndex": True},
        {"startIndex": 2, "endIndex": 1},
    ],
)
def test_places_that_are_not_there(segment: Any) -> None:
    assert cited([("hello", 0)], segment) == [(None, None, 0)]


def test_sources_that_nothing_refers_to() -> None:
    other = {"maps": {"uri": "https://b.test"}}
    odd = {"web": {"title": "no address"}}
    assert cited([("hello", 0)], place(5), chunks=(WEB, other, odd, 7)) == [
        (0, 5, 0),
        (None, None, 0),
    ]


def test_without_a_text_there_is_nothing_to_cite() -> None:
    assert cited([], place(5)) == []
    assert cited([None], place(5)) == []


@pytest.mark.parametrize("name", ["citationSources", "citations"])
def test_sources_under_both_of_their_names(name: str) -> None:
    sources = Sources()
    sources.add_part("hello", 0, is_text=True)
    sources.add({"citationMetadata": {name: [{"uri": URL, "endIndex": 5}]}})
    assert sources.citations() == [Citation(url=URL, start=0, end=5, index=0)]


def test_what_is_said_twice_counts_once() -> None:
    sources = Sources()
    sources.add_part("hello", 0, is_text=True)
    one = {"citations": [{"uri": URL, "endIndex": 5}, {"uri": URL, "endIndex": 5}, 7]}
    two = {"citations": [{"uri": URL, "endIndex": 5}, {"uri": 7, "title": "", "endIndex": 2}]}
    for metadata in (one, one, two):
        sources.add({"citationMetadata": metadata})
    assert sources.citations() == [
        Citation(url=URL, start=0, end=5, index=0),
        Citation(start=0, end=2, index=0),
    ]


def test_numbers_of_sources_that_are_not_there() -> None:
    sources = Sources()
    sources.add_part("hello", 0, is_text=True)
    supports = [{"groundingChunkIndices": [4, "0", None, True]}, {"groundingChunkIndices": 0}]
    sources.add({"groundingMetadata": {"groundingChunks": [], "groundingSupports": supports}})
    assert sources.citations() == []
