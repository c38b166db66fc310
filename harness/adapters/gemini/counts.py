"""Gemini's token counts as those of the other APIs. Pure.

Input is the prompt and what tools added to it, output is the candidates and the thoughts, as the
total is the sum of the four (``GenerateContentResponseUsageMetadata`` of google-genai 3.6.1).
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.adapters.common.usage import count
from mockserver.vocabulary import Json, JsonObject

_INPUT = ("promptTokenCount", "toolUsePromptTokenCount")
_OUTPUT = ("candidatesTokenCount", "thoughtsTokenCount")
_COUNTS = (*_INPUT, *_OUTPUT, "cachedContentTokenCount", "totalTokenCount")


class Counts:
    """The counts of one answer: of each field the last value, since all are running totals."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def add(self, usage: Json) -> JsonObject | None:
        """Take one usage object and return all counts so far, in the words of OpenAI.

        An object of zeros after counts is a placeholder. One that adds up to a total which has not
        fallen says it all: what is absent there is 0 now, whatever it was before.
        """
        if not isinstance(usage, Mapping):
            return None
        found = {name: known for name in _COUNTS if (known := count(usage.get(name))) is not None}
        if not any(found.values()) and any(self._known.values()):
            return None
        total = found.get("totalTokenCount", -1)
        if (
            self._known.get("totalTokenCount", 0)
            <= total
            == sum(found.get(name, 0) for name in (*_INPUT, *_OUTPUT))
        ):
            self._known = found
        else:
            self._known |= found
        return {
            "prompt_tokens": self._sum(_INPUT),
            "completion_tokens": self._sum(_OUTPUT),
            "total_tokens": self._known.get("totalTokenCount"),
            "prompt_tokens_details": {"cached_tokens": self._known.get("cachedContentTokenCount")},
            "completion_tokens_details": {
                "reasoning_tokens": self._known.get("thoughtsTokenCount")
            },
        }

    def _sum(self, names: tuple[str, ...]) -> int | None:
        known = [self._known[name] for name in names if name in self._known]
        return sum(known) if known else None
