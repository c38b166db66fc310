"""When a waiting answer may go on: the client has handed on what came so far."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.terms import Terms
from harness.judge.transcript import Emitted
from mockserver.vocabulary import Event, JsonObject

_TEXTS = {"content_delta": "delta", "refusal_delta": "delta"}


class HandedOn:
    """Compares what a client emitted with the first events that a scenario expects.

    For a client that declares to be exact their number counts. Others may leave events out, or
    cut texts otherwise: then the characters count, as far as the client exposes them.
    """

    def __init__(self, expected: Sequence[JsonObject], seen: int, terms: Terms) -> None:
        self._texts = dict(_TEXTS)
        if terms.misses("reasoning"):
            self._texts["reasoning_delta"] = "delta"
        if terms.misses("tool_deltas"):
            self._texts["tool_call_delta"] = "arguments_delta"
        self._is_exact = terms.granularity == "exact"
        self._missing = seen if self._is_exact else sum(map(self._characters, expected[:seen]))

    @property
    def is_enough(self) -> bool:
        """Whether all is handed on. If it is so from the start, there is nothing to prove."""
        return self._missing <= 0

    def add(self, event: Emitted[Event]) -> None:
        """Take an event of the client."""
        self._missing -= 1 if self._is_exact else self._characters(event.data)

    def _characters(self, event: JsonObject) -> int:
        text = event.get(self._texts.get(str(event.get("type")), ""))
        return len(text) if isinstance(text, str) else 0
