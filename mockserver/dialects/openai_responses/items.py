"""Items of a conversation as the server keeps and lists them: each with an id. Pure.

Source: https://platform.openai.com/docs/api-reference/responses/input-items, and the types
``ResponseItem`` and ``ConversationItem`` of the SDK ``openai``.
"""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.dialects.side import Side
from mockserver.dialects.writing import digest
from mockserver.vocabulary.model import Json, JsonObject

#: What ids begin with, by the type of their item.
_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "compaction": "cmp"}
_PAGE = 20


def items_of(given: Json) -> list[Json]:
    """Return an input as a list: a text is a message of the user."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return given if isinstance(given, list) else []


def kept(item: Json, *seed: object) -> JsonObject:
    """Return an item as it is kept. ``seed`` makes the id of one that has none."""
    if not isinstance(item, dict):
        item = {"type": "message", "role": "user", "content": str(item)}
    kind = item.get("type") or "message"
    id_ = item.get("id")
    if not isinstance(id_, str) or not id_:
        prefix = _PREFIXES.get(kind, "item") if isinstance(kind, str) else "item"
        id_ = f"{prefix}_{digest('item', *seed, length=48)}"
    found = {**item, "id": id_, "type": kind}
    if kind == "message":
        found["status"] = item.get("status") or "completed"
        content = item.get("content")
        if isinstance(content, str):
            found["content"] = [_text(content, made=item.get("role") == "assistant")]
    elif kind in ("function_call", "function_call_output"):
        found["status"] = item.get("status") or "completed"
    return found


def _text(text: str, *, made: bool) -> JsonObject:
    if made:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "input_text", "text": text}


def page(side: Side, items: Sequence[JsonObject]) -> JsonObject:
    """Return a page of items, the newest first unless the query says otherwise."""
    ordered = list(items) if side.query.get("order") == "asc" else list(reversed(items))
    ids = [item["id"] for item in ordered]
    after = side.query.get("after")
    start = ids.index(after) + 1 if after in ids else 0
    found = ordered[start : start + max(side.number("limit", _PAGE), 1)]
    return {
        "object": "list",
        "data": found,
        "first_id": found[0]["id"] if found else None,
        "last_id": found[-1]["id"] if found else None,
        "has_more": start + len(found) < len(ordered),
    }
