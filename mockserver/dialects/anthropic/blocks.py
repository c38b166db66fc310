"""What content blocks that must go back unchanged are in a neutral turn, and back. Pure.

A block of one of the provider's own tools is a hosted tool whose ``native`` is that block. The
citations of a turn must go back whole, with what only the provider can read, so they are in one
part of what must be sent back, by the number of the text to which they belong.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.dialects.facts import repaired
from mockserver.vocabulary.model import (
    Citation,
    HostedToolPart,
    Json,
    JsonObject,
    SendBackPart,
)

#: The field of what must be sent back that has the citations.
CITATIONS = "citations"
#: Fields of a tool_use block that must go back: who called, and of which set the tool is.
_CALL_FIELDS = ("caller", "toolset_name")


def native_part(block: JsonObject) -> HostedToolPart:
    """Return the part of a block that goes back as it is."""
    return HostedToolPart(kind=block["type"], native=(block,))


def native_block(part: Mapping[str, Json]) -> JsonObject | None:
    """Return the block of a hosted tool, given as JSON; ``None`` if it is another API's."""
    match part:
        case {"kind": str(kind), "native": [{"type": str(block_type)} as block]}:
            return block if kind == block_type else None
    return None


def call_fields(call: Json) -> JsonObject | None:
    """Return the fields of a call that must go back; ``None`` if there are none."""
    if not isinstance(call, Mapping):
        return None
    return {n: call[n] for n in _CALL_FIELDS if call.get(n) is not None} or None


def citations_part(sources: Mapping[str, Json]) -> SendBackPart:
    """Return the part with the citations of texts, by the number of the text."""
    return SendBackPart(fields={CITATIONS: dict(sources)})


def neutral_citations(citations: Json) -> tuple[Citation, ...]:
    """Return the sources that a list of native citations names."""
    return tuple(
        found
        for citation in (citations if isinstance(citations, list) else ())
        if (found := neutral_citation(citation)) is not None
    )


def neutral_citation(citation: Json) -> Citation | None:
    """Return the source that a native citation names; ``None`` if it is not an object.

    Offsets are left out: they count in the source, not in the text.
    """
    if not isinstance(citation, Mapping):
        return None
    # A search result has its address in ``source``, a document of the request has none.
    url = _first_text(citation, "url", "source")
    return Citation(url=url, title=_first_text(citation, "title", "document_title"))


def _first_text(data: Mapping[str, Json], *names: str) -> str | None:
    values = (data.get(name) for name in names)
    return next((repaired(value) for value in values if isinstance(value, str) and value), None)
