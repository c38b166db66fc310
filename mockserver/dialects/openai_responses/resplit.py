"""The same Responses events with other deltas: the turn must stay the same."""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.vocabulary.model import JsonObject
from mockserver.vocabulary.resplit import pieces


def split(events: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the same native events with every delta in up to about ten pieces."""
    return [
        {**event, "delta": piece} if _is_delta(event) else event
        for event in events
        for piece in (pieces(event["delta"]) if _is_delta(event) else ("",))
    ]


def joined(events: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the same native events with one delta for each text, in place of its first one."""
    out: list[JsonObject] = []
    positions: dict[tuple[object, ...], int] = {}
    for event in events:
        if _is_delta(event):
            where = ("output_index", "content_index", "summary_index")
            key = (event["type"], *(repr(event.get(k)) for k in where))
            if key in positions:
                first = out[positions[key]]
                out[positions[key]] = {**first, "delta": first["delta"] + event["delta"]}
                continue
            positions[key] = len(out)
        out.append(event)
    return out


def without_deltas(events: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the same native events with their whole texts only."""
    return [event for event in events if not _is_delta(event)]


def _is_delta(event: JsonObject) -> bool:
    return str(event.get("type")).endswith(".delta") and isinstance(event.get("delta"), str)
