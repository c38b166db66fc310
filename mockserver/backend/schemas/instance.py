"""A value that a JSON schema allows. Pure.

The value is checked against the schema before it is used: what cannot be met is an error. The work
is bounded, whatever the schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from mockserver.backend.schemas import patterns
from mockserver.backend.schemas.candidates import Candidates
from mockserver.backend.schemas.plain import inner, plain
from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.vocabulary.model import Json, JsonObject

_Check = Callable[[Validator, Json, Json, JsonObject], Iterable[ValidationError] | None]
#: How many keywords are checked for one value, in all that is tried for it.
_WORK = 50_000
#: How many keywords may be checked inside one another; real tools have some tens. Python's own
#: limit must never be met here: ``referencing`` is partly in Rust, and panics there.
_NESTED = 90
#: How many values are tried against the whole schema.
_TRIES = 24


def instance(schema: Json, mark: str) -> Json:
    """Return a value that the schema allows; texts that may be anything are ``mark``.

    Raises :class:`UnmetSchemaError`.
    """
    try:
        return _first_valid(_prepared(json.dumps(schema)), mark)
    except RecursionError:
        raise UnmetSchemaError("$schema", "it is too deep") from None
    except (Unresolvable, ValueError, ArithmeticError, TypeError, KeyError) as exc:
        if isinstance(exc, UnmetSchemaError):
            raise
        raise UnmetSchemaError("$schema", f"it cannot be read: {exc!s:.200}") from None


def mismatch(schema: Json, value: Json) -> str | None:
    """Return how a value breaks a schema; ``None`` if it does not, or nobody can tell."""
    try:
        prepared = _prepared(json.dumps(schema))
        prepared.work.begin()
        error: ValidationError | None = best_match(prepared.validator.iter_errors(value))
    except (RecursionError, Unresolvable, ValueError, ArithmeticError, TypeError, KeyError):
        return None
    return None if error is None else f"{error.json_path}: {error.message:.200}"


def _first_valid(prepared: _Prepared, mark: str) -> Json:
    found: ValidationError | None = None
    prepared.work.begin()
    values = Candidates(prepared.root, prepared.validator, mark).values(prepared.root)
    for value in islice(values, _TRIES):
        error = _error(prepared, value)
        if error is None:
            # Python reads numbers that JSON does not have.
            json.dumps(value, allow_nan=False)
            return value
        found = found or error
    if found is None:
        raise UnmetSchemaError("false", "nothing is allowed")
    raise UnmetSchemaError(
        str(found.validator), f"no value found for {found.json_path}: {found.message:.200}"
    )


def _error(prepared: _Prepared, value: Json) -> ValidationError | None:
    """Return what is wrong with a value, whether or not a reader checks formats."""
    strict = prepared.validator
    plain = strict.evolve(format_checker=None)
    found: ValidationError | None = best_match(strict.iter_errors(value))
    return found if found is not None else best_match(plain.iter_errors(value))


class _Work:
    """Counts the checks of keywords: references can make them more than anybody can wait for.

    References can also nest them without an end.
    """

    left: int
    depth: int

    def begin(self) -> None:
        """Count from the start, for one value."""
        self.left, self.depth = _WORK, 0

    def counting(self, check: _Check) -> _Check:
        """Return a check that is counted. It raises :class:`UnmetSchemaError` at the end."""

        def counted(
            validator: Validator, value: Json, instance: Json, schema: JsonObject
        ) -> Iterator[ValidationError]:
            self.left -= 1
            if self.left < 0:
                raise UnmetSchemaError("$ref", "it takes too long to check")
            if self.depth >= _NESTED:
                raise UnmetSchemaError("$schema", "it is too deep")
            self.depth += 1
            try:
                yield from check(validator, value, instance, schema) or ()
            finally:
                self.depth -= 1

        return counted


@dataclass(frozen=True, slots=True)
class _Prepared:
    root: Json
    validator: Validator
    work: _Work


@lru_cache(maxsize=256)
def _prepared(text: str) -> _Prepared:
    """Return the schema in one form, with its validator. Raises :class:`UnmetSchemaError`."""
    root = plain(json.loads(text))
    if not isinstance(root, dict | bool):
        raise UnmetSchemaError("$schema", "a schema is an object")
    try:
        Draft202012Validator.check_schema(root)
    except SchemaError as exc:
        where = next((str(w) for w in reversed(exc.path) if isinstance(w, str)), "$schema")
        raise UnmetSchemaError(where, f"{exc.message:.200}") from None
    if isinstance(root, dict):
        _check_patterns(root)
    work = _Work()
    checks = {**Draft202012Validator.VALIDATORS, "pattern": _matches}
    counted = {word: work.counting(check) for word, check in checks.items()}
    counting = extend(Draft202012Validator, counted)  # type: ignore[no-untyped-call]
    # An empty registry: nothing is fetched from elsewhere.
    checker = Draft202012Validator.FORMAT_CHECKER
    return _Prepared(root, counting(root, registry=Registry(), format_checker=checker), work)


def _check_patterns(schema: JsonObject) -> None:
    """Refuse patterns that cannot be read, and names of properties that take too long to match."""
    if isinstance(schema.get("pattern"), str):
        patterns.compiled(schema["pattern"])
    for pattern in schema.get("patternProperties", {}):
        patterns.compiled(pattern)
        if patterns.is_risky(pattern):
            raise UnmetSchemaError("patternProperties", f"{pattern!r:.80} may match for ever")
    for part in inner(schema):
        if isinstance(part, dict):
            _check_patterns(part)


def _matches(
    _validator: Validator, pattern: str, value: Json, _schema: JsonObject
) -> Iterator[ValidationError]:
    if isinstance(value, str) and not patterns.matches(pattern, value):
        yield ValidationError(f"{value!r:.80} does not match {pattern!r:.80}")
