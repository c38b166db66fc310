"""The sources of an answer: which characters of which text each one stands behind. Pure.

Google counts bytes of UTF-8 inside a part, from 0 where a start is absent (``Segment`` of
google-genai 3.6.1). In a stream, every chunk has parts of its own, and a segment may count from the
beginning of all text: the text of the segment, which is sent along, tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from harness.adapters.common.surrogates import fix_surrogates
from mockserver.vocabulary import Citation, Event, Json


@dataclass(frozen=True, slots=True)
class _Piece:
    """One wire part: its text, and the number of the text or thought that it belongs to.

    ``text`` is empty for what is no text, a thought for example. Other parts have no number.
    """

    text: str
    number: int | None
    is_text: bool


class Sources:
    """The sources of one answer. The parts of the answer are given in their order."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._metadata: list[Mapping[str, Json]] = []

    def add_part(self, text: str = "", number: int | None = None, *, is_text: bool = False) -> None:
        """Take the next part of the answer.

        ``number`` is that of the text or thought it belongs to; a thought has no ``text`` here.
        """
        self._pieces.append(_Piece(text, number, is_text))

    def add(self, candidate: Mapping[str, Json]) -> None:
        """Take what a candidate says of its sources; it may say so more than once."""
        for name in ("citationMetadata", "groundingMetadata"):
            found = candidate.get(name)
            if isinstance(found, Mapping) and found not in self._metadata:
                self._metadata.append(found)

    def citations(self) -> list[Event]:
        """Return one citation for each source and place."""
        found: list[Citation] = []
        if any(piece.is_text for piece in self._pieces):
            for metadata in self._metadata:
                found += (c for c in self._of(metadata) if c not in found)
        return list(dict.fromkeys(found))

    def _of(self, metadata: Mapping[str, Json]) -> Iterator[Citation]:
        # The Gemini API says citationSources; Vertex AI says citations, and so do the SDKs.
        for source in _objects(metadata.get("citationSources") or metadata.get("citations")):
            yield self._citation(source, source)
        chunks = [_source(chunk) for chunk in _objects(metadata.get("groundingChunks"))]
        used: set[int] = set()
        for support in _objects(metadata.get("groundingSupports")):
            segment, numbers = support.get("segment"), support.get("groundingChunkIndices")
            for number in numbers if isinstance(numbers, list) else ():
                if _is_count(number) and number < len(chunks):
                    used.add(number)
                    place = segment if isinstance(segment, Mapping) else {}
                    yield self._citation(chunks[number], place)
        for number, chunk in enumerate(chunks):
            if number not in used and chunk:
                yield self._citation(chunk, {})

    def _citation(self, source: Mapping[str, Json], place: Mapping[str, Json]) -> Citation:
        start, end, number = self._place(place) or (None, None, self._last())
        return Citation(
            url=_text(source.get("uri")),
            title=_text(source.get("title")),
            start=start,
            end=end,
            index=number,
        )

    def _last(self) -> int | None:
        return next((p.number for p in reversed(self._pieces) if p.is_text), None)

    def _place(self, segment: Mapping[str, Json]) -> tuple[int, int, int | None] | None:
        """Return start and end in characters, and the number of the text."""
        start, end = segment.get("startIndex", 0), segment.get("endIndex")
        number, said = segment.get("partIndex", 0), segment.get("text")
        if not (_is_count(start) and _is_count(end) and _is_count(number)):
            return None
        for pieces in self._readings(number):
            text = "".join(piece.text for piece in pieces)
            cut = text.encode()[start:end]
            if len(cut) != end - start or (isinstance(said, str) and cut != said.encode()):
                continue
            before = text.encode()[:start].decode(errors="replace")
            return self._inside(
                pieces[0], len(before), len(before) + len(cut.decode("utf-8", "replace"))
            )
        return None

    def _readings(self, number: int) -> Iterator[list[_Piece]]:
        """Yield what a part number may mean.

        The wire part, or the part that the chunks make together; for the first one all text.
        """
        if number < len(self._pieces):
            yield [self._pieces[number]]
        if number == 0:
            yield self._pieces
        together = [list(pieces) for _, pieces in groupby(self._pieces, key=_group)]
        if number < len(together):
            yield together[number]

    def _inside(self, first: _Piece, start: int, end: int) -> tuple[int, int, int | None] | None:
        """Return the place inside its text of a place that counts from the part ``first``."""
        offset = 0
        inside: dict[int | None, int] = {}
        begun = False
        for piece in self._pieces:
            begun = begun or piece is first
            length = len(piece.text)
            if begun and piece.is_text:
                if offset <= start < offset + length:
                    shift = inside.get(piece.number, 0) - offset
                    return start + shift, end + shift, piece.number
                offset += length
            inside[piece.number] = inside.get(piece.number, 0) + length
        return None


def _group(piece: _Piece) -> object:
    return id(piece) if piece.number is None else ("text", piece.number)


def _source(chunk: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the source itself: of the web, of a map, of the user's own documents."""
    return next((v for v in chunk.values() if isinstance(v, Mapping) and v.get("uri")), {})


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text(value: Json) -> str | None:
    return fix_surrogates(value) if isinstance(value, str) and value else None
