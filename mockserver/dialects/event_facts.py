"""What the readers of facts of all event streams have in common. Pure."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod

from mockserver.dialects.facts import Facts
from mockserver.dialects.failures import read_failure
from mockserver.vocabulary.model import Json, JsonObject
from mockserver.wire import sse
from mockserver.wire.body import Body


class EventReader(ABC):
    """Reads the events of one stream into ``facts``, up to the first after which none counts."""

    def __init__(self) -> None:
        self.facts = Facts()

    @abstractmethod
    def event(self, event: JsonObject, name: str) -> bool:
        """Take one object with the name of its event; return whether more may follow."""

    def stream(self, body: Body) -> None:
        """Take the complete events of a body."""
        for block in body.blocks:
            if not self._block(block):
                return

    def end_marker(self, body: Body) -> None:
        """Count an unfinished event as the end marker only; its JSON may be cut."""
        last = body.unfinished
        if last is not None and (last.data or "").strip() == "[DONE]":
            self.facts.done = True

    def fail(self, error: Json) -> None:
        """Note the first error of the stream."""
        self.facts.error = self.facts.error or read_failure(error)

    def _block(self, block: sse.Block) -> bool:
        for line in block.ignored:
            if line.startswith(("error", "{")):
                # Not standard: llama.cpp's error field, or JSON without a field name.
                self.fail(json_or_text(line.removeprefix("error:").strip()))
                return False
        data = (block.data or "").strip()
        if not data or block.is_keepalive:
            return True
        if data == "[DONE]":
            self.facts.done = True
            return False
        if block.event == "error" and block.json is not None:
            self.fail(json_or_text(data))
            return False
        if block.json is None:
            return True
        if not isinstance(block.json, dict):
            self.facts.broken = True
            return False
        return self.event(block.json, block.event)


def json_or_text(text: str) -> Json:
    """Return the JSON value of a text, or the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
