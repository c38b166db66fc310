"""Reasoning that happened and is not shown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.vocabulary.model import (
    ErrorEvent,
    Event,
    MessageStart,
    ReasoningDelta,
    ReasoningOmitted,
    ReasoningSignature,
    WarningEvent,
)

_REASONING_MODEL = re.compile(r"(?!gpt-5-chat(?![^-:]))(?:o[134]|gpt-5(?:\.\d+)?)(?![^-:])")


def is_reasoning_model(name: str) -> bool:
    """Whether OpenAI's ``name`` is a model that reasons in secret on Chat Completions.

    These are o1, o3, o4 and gpt-5 with their variants, fine-tuned (``ft:``) or behind a
    router (``openai/``); gpt-5-chat does not reason (pydantic/pydantic-ai#3332).
    """
    model = name.lower().rpartition("/")[2].removeprefix("ft:")
    return _REASONING_MODEL.match(model) is not None


class HiddenReasoning:
    """Puts ``reasoning_omitted`` before the first output of a reasoning model that shows none.

    ``model`` is the one asked for; the one that answered counts more. Only the name tells:
    how many tokens the reasoning took comes after the output.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._decided = False

    def feed(self, event: Event) -> Iterator[Event]:
        """Take one event and yield what it becomes."""
        match event:
            case MessageStart():
                self._model = event.model or self._model
            case ReasoningDelta() | ReasoningSignature() | ReasoningOmitted():
                self._decided = True
            case WarningEvent() | ErrorEvent():
                pass
            case _ if not self._decided:
                self._decided = True
                if is_reasoning_model(self._model):
                    yield ReasoningOmitted()
        yield event
