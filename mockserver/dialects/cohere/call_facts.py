"""Reads the tool calls of Cohere's answers. Pure.

A piece belongs to the call of its index, unless it has another id, which opens another call;
without an index to the last call.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from mockserver.dialects.arguments import is_one_object, readings
from mockserver.dialects.facts import CallFacts, only, repaired
from mockserver.vocabulary.model import Json, JsonObject


@dataclass(slots=True)
class _Call:
    index: Json
    id: str | None
    names: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    is_text: bool = True


class CallReader:
    """Collects the calls of one answer."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._in_doubt = False

    def take(self, index: Json, entry: JsonObject) -> None:
        """Take a piece of the call with that index. An empty object is none."""
        if not entry:
            return
        if isinstance(index, bool) or not isinstance(index, int | str | None) or index == "":
            self._in_doubt = True
            return
        call_id = entry.get("id")
        call_id = call_id if isinstance(call_id, str) and call_id.strip() else None
        known = [c for c in self._calls if index is None or c.index == index]
        call = known[-1] if known else None
        if call is None or (call_id is not None and call.id not in (None, call_id)):
            call = _Call(index, call_id)
            self._calls.append(call)
        elif call_id is not None and call.id is None:
            # Its id came late, or another call begins.
            self._in_doubt = True
        function = entry.get("function")
        if not isinstance(function, dict):
            return
        if isinstance(name := function.get("name"), str) and name:
            call.names.append(name)
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            call.pieces.append(arguments)
        elif arguments is not None:
            call.is_text = False
            call.pieces.append(json.dumps(arguments, ensure_ascii=False))

    def facts(self, *, complete: bool) -> tuple[CallFacts, ...] | None:
        """Return the calls; ``None`` if their number is in doubt.

        ``complete``: the model was not stopped, so a call without arguments has none.
        """
        if self._in_doubt:
            return None
        ids = [call.id for call in self._calls]
        return tuple(
            _facts(call, is_unique=ids.count(call.id) == 1, complete=complete)
            for call in self._calls
        )


def _facts(call: _Call, *, is_unique: bool, complete: bool) -> CallFacts:
    text = repaired("".join(call.pieces))
    return CallFacts(
        name=only(call.names),
        id=call.id if is_unique else None,
        arguments=readings(call.pieces, complete=complete),
        raw=text if call.is_text and is_one_object(text) else None,
    )
