"""Values that a schema may allow, the most plausible first. Pure.

Each is a guess that is checked where it is used. Parts with conditions are checked on the way, so
that a wrong one does not spoil the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from mockserver.backend.schemas import numbers, strings
from mockserver.backend.schemas.merging import merged
from mockserver.backend.schemas.objects import Plan, plans
from mockserver.backend.schemas.references import References
from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.vocabulary.model import Json, JsonObject

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

#: How many schemas are looked at for one value, and how deep in one another.
_STEPS, _DEPTH = 5000, 48
#: Below this, what an object or a list need not have is left out.
_PLENTY = 8
#: The longest list that is made.
_ITEMS = 1000
#: Words after which a value is checked before it becomes a part of another.
_CHECKED = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "contains", "pattern", "format", "multipleOf"}
    | {"dependentSchemas", "dependentRequired", "propertyNames", "uniqueItems", "enum", "const"}
    | {"default", "examples", "$ref", "$dynamicRef", "unevaluatedProperties", "unevaluatedItems"}
)
_KINDS: Sequence[tuple[str, frozenset[str]]] = (
    (
        "object",
        frozenset(
            {"properties", "required", "additionalProperties", "patternProperties"}
            | {"propertyNames", "minProperties", "maxProperties", "dependentRequired"}
        ),
    ),
    ("array", frozenset({"items", "prefixItems", "minItems", "maxItems", "contains"})),
    ("string", frozenset({"pattern", "format", "minLength", "maxLength"})),
    (
        "number",
        frozenset({"minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"}),
    ),
)
#: Stands for no value, where ``None`` is one.
_NONE: Json = object()
_ALL_KINDS = ("string", "object", "integer", "array", "boolean", "null")


@dataclass(frozen=True, slots=True)
class _At:
    """Where a schema stands: how deep, behind which references, and whether behind one twice."""

    depth: int = 0
    passed: frozenset[str] = frozenset()
    again: bool = False

    def behind(self, references: frozenset[str]) -> _At:
        again = self.again or not self.passed.isdisjoint(references)
        return _At(self.depth, self.passed | references, again)

    @property
    def inside(self) -> _At:
        return _At(self.depth + 1, self.passed, self.again)


_TOP = _At()


class Candidates:
    """The guesses for one schema."""

    def __init__(self, root: Json, validator: Validator, mark: str) -> None:
        self._references = References(root)
        self._validator = validator
        self._mark = mark
        self._left = _STEPS

    def values(self, schema: Json, at: _At = _TOP) -> Iterator[Json]:
        """Yield different values. Raises :class:`UnmetSchemaError` if there is none."""
        self._left -= 1
        if self._left < 0 or at.depth > _DEPTH:
            raise UnmetSchemaError("$ref" if at.depth > _DEPTH else "allOf", "it takes too long")
        if schema is False:
            raise UnmetSchemaError("false", "nothing is allowed")
        if self._references.height(schema) > _DEPTH:
            raise UnmetSchemaError("$ref", "what is required has itself inside, without an end")
        resolved, passed = self._references.resolved(schema)
        if not isinstance(resolved, dict):
            resolved = {}
        guesses = self._branches(resolved, at.behind(passed))
        if at.depth and isinstance(schema, dict) and not _CHECKED.isdisjoint(schema | resolved):
            guesses = self._valid(schema, guesses)
        yield from guesses

    def _valid(self, schema: JsonObject, guesses: Iterator[Json]) -> Iterator[Json]:
        validator = self._validator.evolve(schema=schema)
        found, wrong = False, None
        for value in islice(guesses, 64):
            error = next(validator.iter_errors(value), None)
            if error is None:
                found = True
                yield value
            wrong = wrong or error
        if not found:
            word, why = (wrong.validator, wrong.message) if wrong else ("not", "no value found")
            raise UnmetSchemaError(str(word), f"{why:.200}")

    def _branches(self, schema: JsonObject, at: _At) -> Iterator[Json]:
        """Yield the guesses for each way through the schema's alternatives."""
        alternatives = list(self._alternatives(schema, at))
        if not alternatives:
            yield from self._plain(schema, at)
            return
        yield from _in_turn([self.values(schema, where) for schema, where in alternatives])

    def _alternatives(self, schema: JsonObject, at: _At) -> Iterator[tuple[Json, _At]]:
        """Yield schemas with one word less, each of which is a way to meet this one.

        ``allOf`` comes behind the choices: joined with what is beside it, it may bring others.
        """
        for word in ("anyOf", "oneOf"):
            if branches := schema.get(word):
                if at.again:
                    branches = sorted(branches, key=self._references.height)
                rest = _without(schema, word)
                yield from (self._all(rest, [branch], at) for branch in branches)
                return
        if "if" in schema:
            rest = _without(schema, "if", "then", "else")
            yield self._all(rest, [schema["if"], schema.get("then", True)], at)
            yield self._all(rest, [schema.get("else", True)], at)
            return
        if parts := schema.get("allOf"):
            yield self._all(_without(schema, "allOf"), parts, at)
            return
        if needed := schema.get("dependentSchemas"):
            rest = _without(schema, "dependentSchemas")
            yield self._all(rest, needed.values(), at)
            yield rest, at

    def _all(self, schema: Json, parts: Iterable[Json], at: _At) -> tuple[Json, _At]:
        """Return a schema that says all of these."""
        for part in parts:
            resolved, passed = self._references.resolved(part)
            schema, at = merged(schema, resolved), at.behind(passed)
        return schema, at

    def _plain(self, schema: JsonObject, at: _At) -> Iterator[Json]:
        """Yield the guesses for a schema without alternatives."""
        if "const" in schema:
            yield schema["const"]
            return
        kinds = _kinds(schema)
        given = [v for v in schema.get("examples", ()) if v is not None]
        if schema.get("default") is not None:
            given.append(schema["default"])
        if "enum" in schema:
            yield from (value for value in given if value in schema["enum"])
            # What is no null is more plausible, wherever it stands.
            yield from sorted(schema["enum"], key=lambda value: value is None)
            return
        yield from (value for value in given if _is_one_of(value, kinds))
        yield from _in_turn([self._of_kind(kind, schema, at) for kind in kinds])

    def _of_kind(self, kind: str, schema: JsonObject, at: _At) -> Iterator[Json]:
        match kind:
            case "string":
                yield from strings.texts(schema, self._mark)
            case "integer" | "number":
                yield from numbers.numbers(schema, whole=kind == "integer")
            case "boolean":
                yield from (True, False)
            case "null":
                yield None
            case "array":
                yield from self._lists(schema, at)
            case "object":
                yield from self._objects(schema, at)

    def _objects(self, schema: JsonObject, at: _At) -> Iterator[Json]:
        names = self._names(schema, at)
        plenty = self._is_plenty(at)
        for plan in plans(schema, names, plenty=plenty):
            yield from self._planned(plan, at)

    def _is_plenty(self, at: _At) -> bool:
        """Return whether there is room for what an object or a list need not have."""
        return not at.again and at.depth <= _PLENTY and self._left > _STEPS // 2

    def _names(self, schema: JsonObject, at: _At) -> Iterator[str]:
        """Yield names for properties that have none in the schema."""
        rule = schema.get("propertyNames")
        if isinstance(rule, dict):
            allowed = self.values(merged({"type": "string"}, rule), at.inside)
            yield from (name for name in allowed if isinstance(name, str))
        else:
            yield from (f"key{number}" for number in range(1, _ITEMS + 1))

    def _planned(self, plan: Plan, at: _At) -> Iterator[Json]:
        """Yield objects of a plan, that differ in one property after another."""
        first: JsonObject = {}
        for name, schema in plan.schemas.items():
            try:
                first[name] = next(self.values(schema, at.inside))
            except StopIteration:
                raise UnmetSchemaError("properties", f"no value for {name!r:.80}") from None
            except UnmetSchemaError:
                if name in plan.required:
                    raise
        yield first
        for name in first:
            others = islice(self.values(plan.schemas[name], at.inside), 1, 16)
            yield from ({**first, name: value} for value in others)

    def _lists(self, schema: JsonObject, at: _At) -> Iterator[Json]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", _ITEMS)
        prefix, items = schema.get("prefixItems", []), schema.get("items", True)
        wanted = schema.get("contains")
        contained = 0 if wanted is None else schema.get("minContains", 1)
        if max(least, contained) > _ITEMS:
            word = "minItems" if least > contained else "minContains"
            raise UnmetSchemaError(word, f"lists have at most {_ITEMS} items here")
        few = 1 if self._is_plenty(at) and items is not False else 0
        length = int(min(max(least, len(prefix) or few, contained), most))
        places = [prefix[n] if n < len(prefix) else items for n in range(length)]
        if wanted is not None:
            places = [merged(p, wanted) if n < contained else p for n, p in enumerate(places)]
        try:
            yield self._filled(places, schema.get("uniqueItems") is True, at)
        except UnmetSchemaError:
            if least or contained:
                raise
        if not least and not contained:
            yield []
        yield from islice(self._variants(places, at), 16)

    def _filled(self, places: Sequence[Json], unique: bool, at: _At) -> list[Json]:
        """Return a list of one value for each place, all different if they must be."""
        found: list[Json] = []
        running: dict[int, Iterator[Json]] = {}
        for place in places:
            values = (
                running.setdefault(id(place), self.values(place, at.inside))
                if unique
                else (self.values(place, at.inside))
            )
            new = (value for value in values if not (unique and _is_in(value, found)))
            value = next(new, _NONE)
            if value is _NONE:
                raise UnmetSchemaError("uniqueItems", f"only {len(found)} values are different")
            found.append(value)
        return found

    def _variants(self, places: Sequence[Json], at: _At) -> Iterator[Json]:
        if not places:
            return
        rest = [next(self.values(place, at.inside)) for place in places[1:]]
        for value in islice(self.values(places[0], at.inside), 1, None):
            yield [value, *rest]


def _in_turn(running: list[Iterator[Json]]) -> Iterator[Json]:
    """Yield one value of each in turn. Raises what the first raised if none has a value."""
    failed: UnmetSchemaError | None = None
    found = False
    while running:
        for values in tuple(running):
            try:
                value = next(values, _NONE)
            except UnmetSchemaError as exc:
                failed, value = failed or exc, _NONE
            if value is _NONE:
                running.remove(values)
                continue
            found = True
            yield value
    if failed is not None and not found:
        raise failed


def _without(schema: JsonObject, *words: str) -> JsonObject:
    return {name: value for name, value in schema.items() if name not in words}


def _kinds(schema: JsonObject) -> Sequence[str]:
    """Return the types to try, null last."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return (kind,)
    if isinstance(kind, list):
        return sorted(kind, key=lambda k: k == "null")
    likely = [k for k, words in _KINDS if not words.isdisjoint(schema)]
    return tuple(dict.fromkeys(chain(likely, _ALL_KINDS)))


def _is_one_of(value: Json, kinds: Sequence[str]) -> bool:
    """Return whether a value has one of the types: those that a schema prefers may have another."""
    match value:
        case bool():
            return "boolean" in kinds
        case str():
            return "string" in kinds
        case int() | float():
            return "number" in kinds or "integer" in kinds
    return ("object" if isinstance(value, dict) else "array") in kinds


def _is_in(value: Json, others: Sequence[Json]) -> bool:
    """Return whether a list has a value; a boolean is no number."""
    return any(value == other and type(value) is type(other) for other in others)
