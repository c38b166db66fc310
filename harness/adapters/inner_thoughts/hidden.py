"""Marks reasoning that the provider hides. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.vocabulary import (
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
    """Return whether OpenAI's model ``name`` hides its reasoning on Chat Completions.

    These are o1, o3, o4 and gpt-5 with their variants, fine-tuned (``ft:``) or behind a
    router (``openai/``); gpt-5-chat does not reason (pydantic/pydantic-ai#3332).
    """
    model = name.lower().rpartition("/")[2].removeprefix("ft:")
    return _REASONING_MODEL.match(model) is not None


class HiddenReasoning:
    """Puts ``reasoning_omitted`` before the first output of a reasoning model that shows none.

    ``model`` is the requested one; the one that answered wins. Only the name can decide: the
    count of reasoning tokens arrives after the output.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._decided = False

    def feed(self, event: Event) -> Iterator[Event]:
        """Take one event and yield its replacement."""
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
