"""Where the references of a schema lead, and whether what is behind them ends. Pure.

References inside the schema count alone: nothing is ever fetched.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from urllib.parse import unquote

from mockserver.backend.schemas.merging import merged
from mockserver.backend.schemas.plain import inner
from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.vocabulary.model import Json, JsonObject

#: How many references may lead to one another.
_CHAIN = 32
_WORDS = ("$ref", "$dynamicRef")


class References:
    """The references of one schema, by their text."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._anchors: dict[str, Json] = {}
        self._found: dict[str, Json] = {}
        self._heights: dict[str, float] = {}
        self._collect(root)
        self._measure()

    def resolved(self, schema: Json) -> tuple[Json, frozenset[str]]:
        """Return a schema that begins with no reference, and the references on the way.

        Raises :class:`UnmetSchemaError` for a reference that leads nowhere, or in a circle.
        """
        passed: set[str] = set()
        for _ in range(_CHAIN):
            word = next((w for w in _WORDS if isinstance(schema, dict) and w in schema), None)
            if word is None:
                return schema, frozenset(passed)
            rest = {name: value for name, value in schema.items() if name != word}
            target = self._target(schema[word])
            passed.add(schema[word])
            schema = merged(rest, target) if rest else target
        raise UnmetSchemaError("$ref", "a reference leads in a circle")

    def height(self, schema: Json) -> float:
        """Return how many objects and lists are inside one another at least; ``inf`` for no end."""
        if not isinstance(schema, dict):
            return 0
        found = 0.0
        for word in _WORDS:
            if isinstance(schema.get(word), str):
                found = max(found, self._heights.get(schema[word], 0))
        for word in ("anyOf", "oneOf"):
            if isinstance(schema.get(word), list) and schema[word]:
                found = max(found, min(map(self.height, schema[word])))
        if isinstance(schema.get("allOf"), list):
            found = max([found, *map(self.height, schema["allOf"])])
        return max([found, *(1 + self.height(part) for part in self._needed(schema))])

    def _needed(self, schema: JsonObject) -> Iterable[Json]:
        """Yield the schemas of what an object or a list must have inside."""
        properties, required = schema.get("properties"), schema.get("required")
        if isinstance(properties, dict) and isinstance(required, list):
            yield from (properties[n] for n in required if isinstance(n, str) and n in properties)
        prefix, least = schema.get("prefixItems"), schema.get("minItems", 0)
        prefix = prefix if isinstance(prefix, list) else []
        if isinstance(least, int):
            yield from prefix[:least]
            if least > len(prefix):
                yield schema.get("items", True)

    def _collect(self, schema: Json) -> None:
        if not isinstance(schema, dict):
            return
        for word in ("$anchor", "$dynamicAnchor"):
            if isinstance(schema.get(word), str):
                self._anchors[schema[word]] = schema
        for word in _WORDS:
            if isinstance(schema.get(word), str):
                self._heights[schema[word]] = math.inf
        for part in inner(schema):
            self._collect(part)

    def _measure(self) -> None:
        """Find the heights: what has no end stays without one."""
        for _ in range(len(self._heights)):
            before = dict(self._heights)
            for text in before:
                self._heights[text] = self.height(self._target(text))
            if self._heights == before:
                return

    def _target(self, text: Json) -> Json:
        if not isinstance(text, str):
            raise UnmetSchemaError("$ref", f"a reference is text, not {text!r:.80}")
        if text not in self._found:
            self._found[text] = self._look_up(text)
        return self._found[text]

    def _look_up(self, text: str) -> Json:
        before, _, fragment = text.partition("#")
        fragment = unquote(fragment)
        if before:
            raise UnmetSchemaError("$ref", f"{text!r:.80} is outside of the schema")
        if fragment and not fragment.startswith("/"):
            if fragment in self._anchors:
                return self._anchors[fragment]
            raise UnmetSchemaError("$ref", f"nothing is called {text!r:.80}")
        found = self._root
        for step in fragment.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise UnmetSchemaError("$ref", f"{text!r:.80} leads nowhere")
        return found
