"""Numbers that a schema of type ``number`` or ``integer`` may allow. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.vocabulary.model import Json, JsonObject

#: How many numbers are tried.
_MOST = 1100


def numbers(schema: JsonObject, *, whole: bool) -> Iterator[int | float]:
    """Yield different numbers between the limits, from the one that is nearest to 1.

    Raises :class:`UnmetSchemaError` where there is none.
    """
    low, above = _limit(schema, "minimum", "exclusiveMinimum", max)
    high, below = _limit(schema, "maximum", "exclusiveMaximum", min)
    step = _fraction(schema.get("multipleOf"))
    if step is None or step <= 0:
        step = Fraction(1) if whole else _between(low, high)
    elif whole:
        step = Fraction(step.numerator)

    def fits(value: Fraction) -> bool:
        over = low is None or value > low or (value == low and not above)
        return over and (high is None or value < high or (value == high and not below))

    at, down = math.ceil(1 / step), 1
    if not fits(at * step):
        at = math.ceil((low or 0) / step)
        if high is not None and (low is None or not fits(at * step)):
            at, down = (math.floor(high / step), -1) if low is None else (at + 1, 1)
            at -= low is None and not fits(at * step)
    found = False
    for number in range(_MOST):
        value = (at + down * number) * step
        if fits(value):
            found = True
            yield value.numerator if value.denominator == 1 else float(value)
    if not found:
        word = "multipleOf" if "multipleOf" in schema else "maximum" if high else "minimum"
        raise UnmetSchemaError(word, "no number is between the limits")


def _between(low: Fraction | None, high: Fraction | None) -> Fraction:
    """Return a step that has some numbers between the limits."""
    if low is None or high is None or high - low > 4:
        return Fraction(1, 2)
    return Fraction(1) if high <= low else (high - low) / 8


def _limit(
    schema: JsonObject,
    name: str,
    exclusive: str,
    tighter: Callable[[Fraction, Fraction], Fraction],
) -> tuple[Fraction | None, bool]:
    """Return the limit that counts, and whether it is excluded."""
    plain, strict = _fraction(schema.get(name)), _fraction(schema.get(exclusive))
    if strict is None or (plain is not None and tighter(plain, strict) != strict):
        return plain, False
    return strict, True


def _fraction(value: Json) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(str(value)) if math.isfinite(value) else None
