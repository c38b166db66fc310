"""Reads the tool calls of a Chat Completions wire. Pure.

A delta belongs to the call of its index, unless it has another id, which opens another call; with
neither, to the last call. Where even careful clients may count otherwise, nothing is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.dialects.arguments import is_one_object, readings
from mockserver.dialects.facts import CallFacts, only, repaired
from mockserver.vocabulary.model import Json, JsonObject


@dataclass(slots=True)
class _Call:
    index: Json
    id: str | None
    has_late_id: bool = False
    names: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    has_text: bool = True
    signatures: set[str] = field(default_factory=set)

    def take(self, function: Json, entry: Mapping[str, Json]) -> None:
        self.signatures |= set(signatures_in(entry))
        if not isinstance(function, dict):
            return
        if isinstance(name := function.get("name"), str) and name:
            self.names.append(name)
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            self.pieces.append(arguments)
        elif arguments is not None:
            self.has_text = False
            self.pieces.append(json.dumps(arguments, ensure_ascii=False))

    def facts(self, number_of_same_id: int, *, complete: bool) -> CallFacts:
        # Names may come in pieces or be repeated.
        text = repaired("".join(self.pieces))
        unique = self.id is not None and number_of_same_id == 1 and not self.has_late_id
        return CallFacts(
            name=only(self.names),
            id=self.id if unique else None,
            arguments=readings(self.pieces, complete=complete),
            raw=text if self.has_text and is_one_object(text) else None,
            signature=only(self.signatures),
        )


class CallReader:
    """Collects the calls of one answer."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._in_doubt = False

    def delta(self, entry: JsonObject) -> None:
        """Take an entry of a delta's ``tool_calls``."""
        index, call_id, function = entry.get("index"), _id(entry.get("id")), entry.get("function")
        if _is_no_function(entry):
            return
        if index is not None and (isinstance(index, bool) or not isinstance(index, int | str)):
            self._in_doubt = True
            return
        call = self._find(index, call_id, has_name=_has_name(function))
        if call is None:
            call = _Call(index, call_id)
            self._calls.append(call)
        call.take(function, entry)

    def whole(self, entry: JsonObject) -> None:
        """Take an entry of a whole message: each is a call, with any id and in any choice."""
        if _is_no_function(entry):
            return
        call = _Call(len(self._calls), _id(entry.get("id")))
        call.take(entry.get("function"), entry)
        self._calls.append(call)

    def legacy(self, function: Json, *, in_message: bool) -> None:
        """Take a ``function_call`` of the older API: one call without an id."""
        if not isinstance(function, dict):
            return
        found = next((c for c in self._calls if c.index == "function_call"), None)
        if found is None or in_message:
            if not _has_name(function):
                return
            found = _Call("function_call", None)
            self._calls.append(found)
        found.take(function, {})

    def facts(self, *, complete: bool) -> tuple[CallFacts, ...] | None:
        """Return the calls; ``None`` if their number is in doubt.

        ``complete``: the model was not stopped, so a call without arguments has none.
        """
        if self._in_doubt:
            return None
        ids = [call.id for call in self._calls]
        return tuple(call.facts(ids.count(call.id), complete=complete) for call in self._calls)

    def _find(self, index: Json, call_id: str | None, *, has_name: bool) -> _Call | None:
        at_index = [c for c in self._calls if c.index == index]
        if call_id is not None:
            same = next((c for c in at_index if c.id == call_id), None)
            if same is not None:
                return same
            if index is None and any(c.id == call_id for c in self._calls):
                self._in_doubt = True
            without_id = next((c for c in at_index if c.id is None), None)
            if without_id is not None:
                # Its id came late, or another call begins.
                self._in_doubt |= has_name and bool(without_id.names)
                without_id.id, without_id.has_late_id = call_id, True
            return without_id
        if index is not None:
            return at_index[-1] if at_index else None
        self._in_doubt |= has_name and bool(self._calls)
        return self._calls[-1] if self._calls else None


def signatures_in(data: Mapping[str, Json]) -> list[str]:
    """Return the thought signatures of a call or a text, bare or in any provider's envelope."""
    extra, specific = data.get("extra_content"), data.get("provider_specific_fields")
    found: list[Json] = []
    for envelope in (data, specific, *(extra.values() if isinstance(extra, dict) else ())):
        if isinstance(envelope, dict):
            found += [envelope.get("thought_signature"), envelope.get("thoughtSignature")]
            several = envelope.get("thought_signatures")
            found += several if isinstance(several, list) else []
    return [one for one in found if isinstance(one, str) and one]


def _is_no_function(entry: JsonObject) -> bool:
    """Return whether it is a tool without JSON arguments, which a turn cannot express."""
    kind = entry.get("type")
    return not entry.get("function") and (
        "custom" in entry or kind not in (None, "", "function") or not _has_content(entry)
    )


def _has_content(entry: JsonObject) -> bool:
    return entry.get("index") is not None or _id(entry.get("id")) is not None


def _has_name(function: Any) -> bool:
    return isinstance(function, dict) and bool(function.get("name"))


def _id(value: Any) -> str | None:
    """Return a call's id: a number is text, and a blank id is none."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number or (isinstance(value, str) and value.strip()) else None
