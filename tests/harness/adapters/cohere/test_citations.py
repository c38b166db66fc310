from __future__ import annotations

import pytest

from harness.adapters.cohere.citations import read_citations
from mockserver.vocabulary import Citation, Json

SEA = {"type": "document", "document": {"title": "Sea", "url": "https://sea.example"}}
MOON = {"type": "document", "document": {"title": "Moon", "snippet": "It pulls."}}
TOOL = {"type": "tool", "id": "t:0", "tool_output": {"url": "https://no.example"}}


def test_each_source_is_a_citation_with_all_of_the_providers() -> None:
    wire = {
        "start": 1,
        "end": 4,
        "text": "sea",
        "sources": [SEA, MOON, TOOL, SEA],
        "content_index": 2,
        "type": "TEXT_CONTENT",
    }
    place = {"start": 1, "end": 4, "index": 2, "native": (wire,)}
    assert list(read_citations([wire])) == [
        Citation(url="https://sea.example", title="Sea", **place),  # type: ignore[arg-type]
        Citation(title="Moon", **place),  # type: ignore[arg-type]
        Citation(**place),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize("kind", ["PLAN", "THINKING_CONTENT", "FUTURE", 3])
def test_only_those_of_the_text_are_read(kind: Json) -> None:
    assert list(read_citations([{"start": 0, "end": 1, "type": kind}])) == []


@pytest.mark.parametrize("odd", [None, "1", True, -1, 1.5])
def test_odd_values_are_left_out(odd: Json) -> None:
    wire = {"start": odd, "end": odd, "content_index": odd, "sources": odd}
    assert list(read_citations([wire])) == [Citation(native=(wire,))]
    sources: list[Json] = [{"document": {"url": 3, "title": ""}}, {"document": 3}, 3]
    assert len(list(read_citations([{"sources": sources}]))) == 1


def test_half_a_character_is_none() -> None:
    document = {"document": {"title": "a\ud83c"}}
    (found,) = read_citations([{"sources": [document]}])
    assert found.title == "a\ufffd"
    assert found.native == ({"sources": [{"document": {"title": "a\ufffd"}}]},)


def test_a_citation_that_is_too_deep_is_not_kept() -> None:
    deep: Json = []
    for _ in range(100_000):
        deep = [deep]
    (found,) = read_citations([{"start": 0, "deep": deep}])
    assert (found.start, found.native) == (0, ())
