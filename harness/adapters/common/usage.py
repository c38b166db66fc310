"""Token counts, from every provider's field names to one vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from mockserver.vocabulary import Json, JsonObject, Usage

_PATHS: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("input_tokens", "prompt_tokens", "prompt_eval_count"),
    "output_tokens": ("output_tokens", "completion_tokens", "eval_count"),
    "total_tokens": ("total_tokens",),
    "cache_read_input_tokens": (
        "cache_read_input_tokens",
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "prompt_cache_hit_tokens",
        "cached_tokens",
    ),
    "cache_creation_input_tokens": (
        "cache_creation_input_tokens",
        "prompt_tokens_details.cache_write_tokens",
        "input_tokens_details.cache_write_tokens",
    ),
    "reasoning_tokens": (
        "reasoning_tokens",
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "output_tokens_details.thinking_tokens",
    ),
}
#: Some gateways write a count as text.
_DIGITS = re.compile("[0-9]{1,18}")
_TOO_MANY = 10**18
_ANTHROPIC_CACHE = ("cache_read_input_tokens", "cache_creation_input_tokens")


def read_usage(data: Json) -> Usage:
    """Read one usage object. A field that is absent, ``null`` or not a count is ``None``.

    Gateways write a count under the names of both OpenAI APIs and may fill only one of them
    (``Usage`` of QuantumNous/new-api, liaohch3/claude-tap#257), so a zero counts only if no
    other name has a count.
    """
    counts: JsonObject = {name: _count_under(data, paths) for name, paths in _PATHS.items()}
    return Usage(**counts)


class UsageMeter:
    """Merges the usage objects of one stream: the last value of each field wins.

    Providers repeat running totals (Gemini, vLLM) or split the counts over several objects
    (Anthropic); adding up would count twice in both cases. An object of zeros after counts is a
    placeholder (Gitlawb/openclaude#1444): tokens once used stay used.
    """

    def __init__(self) -> None:
        self._usage = Usage()
        self._cache_is_extra = False

    def add(self, data: Json) -> None:
        """Take one usage object; anything else is ignored."""
        if isinstance(data, Mapping):
            usage = read_usage(data)
            if _has_count(self._usage) and not _has_count(usage):
                return
            self._usage = self._usage.merged(usage)
            self._cache_is_extra |= "prompt_tokens" not in data and any(
                count(data.get(key)) is not None for key in _ANTHROPIC_CACHE
            )

    def total(self) -> Usage | None:
        """Return all that is known, or ``None`` if the provider sent no count.

        A missing total is the sum of input and output if both are known. Anthropic does not
        count cached input in ``input_tokens``, so there it is added too.
        """
        usage = self._usage
        if usage == Usage():
            return None
        if usage.total_tokens is not None or None in (usage.input_tokens, usage.output_tokens):
            return usage
        counts = [usage.input_tokens, usage.output_tokens]
        if self._cache_is_extra:
            counts += [usage.cache_read_input_tokens, usage.cache_creation_input_tokens]
        return replace(usage, total_tokens=sum(one or 0 for one in counts))


def _has_count(usage: Usage) -> bool:
    return any(getattr(usage, name) for name in _PATHS)


def _count_under(data: Json, paths: tuple[str, ...]) -> int | None:
    known = [one for path in paths if (one := count(_at(data, path))) is not None]
    return next(filter(None, known), 0 if known else None)


def _at(data: Json, path: str) -> Json:
    for key in path.split("."):
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def count(value: Json) -> int | None:
    """Return a count: a whole number that is not negative, or its digits; ``None`` for others."""
    match value:
        case str() if _DIGITS.fullmatch(value):
            return int(value)
        case bool():
            return None
        case int() | float() if 0 <= value < _TOO_MANY:
            return int(value) if value == int(value) else None
    return None
