"""Cohere's citations, and those of the neutral form. Pure.

A citation marks a piece of the text, of the plan or of the thinking, and has the documents or tool
results that it comes from. A neutral citation has one source. Fields of a document are the
caller's own; a title and an address are read by the names that Cohere's guides use.
Source: https://docs.cohere.com/v2/docs/rag-citations.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.vocabulary.model import Citation, Json, JsonObject

_OF_TEXT = "TEXT_CONTENT"


def cites_text(citation: JsonObject) -> bool:
    """Return whether a citation is one of the text: older answers do not say of what."""
    return citation.get("type") in (None, _OF_TEXT)


def sources_of(citation: JsonObject) -> list[Citation]:
    """Return a neutral citation for each source, without repetition; at least one."""
    start, end = _offset(citation.get("start")), _offset(citation.get("end"))
    found: list[Citation] = []
    sources = citation.get("sources")
    for source in sources if isinstance(sources, list) else ():
        document = source.get("document") if isinstance(source, Mapping) else None
        fields = document if isinstance(document, Mapping) else {}
        one = Citation(
            url=_text(fields.get("url")), title=_text(fields.get("title")), start=start, end=end
        )
        if one not in found:
            found.append(one)
    return found or [Citation(start=start, end=end)]


def written(citation: Citation, text: str, number: int, index: int) -> JsonObject:
    """Return the citation of a text whose content block has that index."""
    document = {"id": f"doc:{number}", "title": citation.title, "url": citation.url}
    known = {name: value for name, value in document.items() if value is not None}
    places = {"start": citation.start, "end": citation.end}
    start, end = citation.start or 0, len(text) if citation.end is None else citation.end
    return {
        **{name: value for name, value in places.items() if value is not None},
        "text": text[start:end],
        "sources": [{"type": "document", "id": f"doc:{number}", "document": known}],
        "content_index": index,
        "type": _OF_TEXT,
    }


def _offset(value: Json) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
