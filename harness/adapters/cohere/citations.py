"""Reads Cohere's citations. Pure.

Only those of the text have a place in a turn; the plan and the thinking may be cited too. Each
source is a citation of its own, with the whole of the provider's in ``native``.
Source: https://docs.cohere.com/v2/docs/rag-citations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from harness.adapters.common.surrogates import fix_surrogates, fix_surrogates_in
from mockserver.vocabulary import Citation, Json


def read_citations(citations: Iterable[Mapping[str, Json]]) -> Iterator[Citation]:
    """Yield a citation for each source, without repetition; at least one for each."""
    for citation in citations:
        if citation.get("type") not in (None, "TEXT_CONTENT"):
            continue
        place = Citation(
            start=_count(citation.get("start")),
            end=_count(citation.get("end")),
            index=_count(citation.get("content_index")),
        )
        sources = citation.get("sources")
        found = dict.fromkeys(
            replace(place, url=_text(document.get("url")), title=_text(document.get("title")))
            for source in (sources if isinstance(sources, list) else ())
            for document in [_document(source)]
        )
        native = _native(citation)
        for one in found or [place]:
            yield replace(one, native=native)


def _native(citation: Mapping[str, Json]) -> tuple[Json, ...]:
    try:
        return (fix_surrogates_in(dict(citation)),)
    except RecursionError:
        return ()


def _document(source: Json) -> Mapping[str, Json]:
    """Return the fields of a source, which the caller named; a tool's output has none known."""
    document = source.get("document") if isinstance(source, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def _count(value: Json) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None


def _text(value: Json) -> str | None:
    return fix_surrogates(value) if isinstance(value, str) and value else None
