"""The citations of a text, as far as a client gives them.

A client need not give titles and offsets, nor sources without an address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mockserver.vocabulary import Citation, JsonObject

#: What many clients leave out of a citation.
_DETAILS = frozenset({"title", "start", "end"})


def same(wire: Sequence[Citation], given: Sequence[JsonObject]) -> bool:
    """Return whether each source of the wire is given, and none that is not there."""
    all_of_wire = [plain(citation) for citation in wire]
    return all(any(g.items() <= w.items() for w in all_of_wire) for g in given) and all(
        any(g.get("url") == w["url"] for g in given) for w in all_of_wire if "url" in w
    )


def plain(citation: Citation) -> JsonObject:
    """Return a citation as JSON."""
    names = ("url", "title", "start", "end")
    return {n: v for n in names if (v := getattr(citation, n)) is not None}


def as_far(wanted: Sequence[Any], seen: Sequence[Any]) -> list[Any]:
    """Return the wanted citations without the details that a client gives nowhere."""
    absent = _DETAILS.difference(*(one for one in seen if isinstance(one, Mapping)))
    return [
        {name: value for name, value in one.items() if name not in absent}
        if isinstance(one, Mapping)
        else one
        for one in wanted
    ]
