"""Reads the sources that an answer of plain ASCII text names. Pure.

The offsets of a segment are bytes inside its part; an absent one is 0. Source: ``Segment`` and
``GroundingSupport`` of google-genai 3.6.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.vocabulary.model import Citation, Json, JsonObject


def sources_of(metadata: JsonObject) -> tuple[Citation, ...] | None:
    """Return the citations of one metadata object; ``None`` where clients may differ.

    That is the case for sources which no place of the text refers to, and for other parts than
    the first.
    """
    cited = metadata.get("citationMetadata")
    if isinstance(cited, dict):
        return tuple(_citations(cited))
    grounding = metadata.get("groundingMetadata")
    grounding = grounding if isinstance(grounding, dict) else {}
    chunks = [chunk.get("web") for chunk in _objects(grounding.get("groundingChunks"))]
    found: list[Citation] = []
    used: set[int] = set()
    for support in _objects(grounding.get("groundingSupports")):
        segment = support.get("segment")
        segment = segment if isinstance(segment, dict) else {}
        if segment.get("partIndex"):
            return None
        numbers = support.get("groundingChunkIndices")
        for number in numbers if isinstance(numbers, list) else ():
            if not _is_count(number) or not 0 <= number < len(chunks):
                return None
            used.add(number)
            found.append(_citation(chunks[number], segment))
    return tuple(found) if len(used) == len(chunks) else None


def _citations(cited: JsonObject) -> Iterator[Citation]:
    for source in _objects(cited.get("citations") or cited.get("citationSources")):
        yield _citation(source, source)


def _citation(source: Json, place: JsonObject) -> Citation:
    source = source if isinstance(source, dict) else {}
    url, title = source.get("uri"), source.get("title")
    start, end = place.get("startIndex", 0), place.get("endIndex")
    return Citation(
        url=url if isinstance(url, str) and url else None,
        title=title if isinstance(title, str) and title else None,
        start=start if _is_count(start) and _is_count(end) else None,
        end=end if _is_count(end) else None,
    )


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _objects(value: Json) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
