"""Answers that a test scripts, in the words of a script file.

Each word is a method, and each method returns the answer, so that words can follow one another:
``llm.call("get_weather", city="Paris").on("weather").cut(3)``.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from mockserver.backend.script import Rule
from mockserver.vocabulary.model import Json

#: Reads the words of an answer. ``old`` is the rule that they replace.
Said = Callable[[Mapping[str, Any], Rule | None], Rule]


class Words(ABC):
    """The verbs of a script."""

    @abstractmethod
    def _say(self, **words: Json) -> Answer:
        """Add an answer, or change this one, by the words of a script."""

    def say(self, text: str, **more: Json) -> Answer:
        """Answer with a text. ``more`` are other words of the answer, such as ``on="beta"``."""
        return self._say(say=text, **more)

    def think(self, text: str, **more: Json) -> Answer:
        """Answer with reasoning; say what follows."""
        return self._say(think=text, **more)

    def call(self, tool: Json, arguments: Json = None, /, **named: Json) -> Answer:
        """Answer with calls of tools.

        ``tool`` is a name, with its arguments as an object or by their names, or several names with
        their arguments, as in a script. Without arguments they are made up by the tool's schema.
        """
        if not isinstance(tool, str):
            return self._say(call=tool, **named)
        given = named or None if arguments is None else arguments
        return self._say(call=tool if given is None else {tool: given})

    def json(self, value: Json, **more: Json) -> Answer:
        """Answer with a text that is JSON."""
        return self._say(json=value, **more)

    def refuse(self, text: str, **more: Json) -> Answer:
        """Answer with a refusal of the model."""
        return self._say(refuse=text, **more)

    def embed(self, *vectors: Json, **more: Json) -> Answer:
        """Answer requests for embeddings, with a vector for each text."""
        return self._say(embed=list(vectors), **more)

    def fail(
        self,
        status: int | str,
        message: str | None = None,
        *,
        retry: float | str | None = None,
        code: str | None = None,
        **more: Json,
    ) -> Answer:
        """Answer with an error of the provider. ``retry`` is the wait that it asks for."""
        parts = {"status": status, "retry": retry, "message": message, "code": code}
        given = {name: part for name, part in parts.items() if part is not None}
        return self._say(fail=given if len(given) > 1 else status, **more)

    def play(self, cassette: str | Path, **more: Json) -> Answer:
        """Answer with what a cassette has recorded."""
        return self._say(play=str(cassette), **more)

    def turn(self, turn: Json, **more: Json) -> Answer:
        """Answer with a whole turn, as ``specs/schemas/assistant_turn.schema.json`` has it."""
        return self._say(turn=turn, **more)


class Answer(Words):
    """One answer of a script. Every method adds to it; :class:`ScriptError` names mistakes."""

    def __init__(self, said: Said, words: Mapping[str, Any]) -> None:
        self._said = said
        self._words = dict(words)
        self._rule = said(self._words, None)

    def _say(self, **words: Json) -> Self:
        both = {**self._words, **words}
        self._rule = self._said(both, self._rule)
        self._words = both
        return self

    def on(self, text: str | None = None, **parts: Json) -> Self:
        """Give it only where this fits: a text in the last message of the user, or other parts.

        ``parts`` are ``model``, ``system``, ``turn``, ``image``, ``re`` and ``header``.
        """
        named = {"text": text, **parts} if text is not None else parts
        return self._say(on=named)

    def after(self, tool: str) -> Self:
        """Give it only when the result of a tool has come."""
        return self._say(after=tool)

    def times(self, times: int) -> Self:
        """Give it so often."""
        return self._say(times=times)

    def usage(self, **counts: int) -> Self:
        """Send these counts: ``input``, ``output``, ``cached``, ``written``, ``reasoning``."""
        return self._say(usage=counts)

    def first(self, after: float | str) -> Self:
        """Begin so late: seconds, or ``"300ms"``."""
        return self._say(first=after)

    def pace(self, pace: float | str) -> Self:
        """Send it so fast: tokens in a second, or ``"20ms"``."""
        return self._say(pace=pace)

    def jitter(self, share: float | str) -> Self:
        """Make these waits longer or shorter by up to a share: ``0.3``, or ``"30%"``."""
        return self._say(jitter=share)

    def cut(self, events: int = 0) -> Self:
        """End the stream properly, but after so many events."""
        return self._say(cut=events)

    def end(self, events: int = 0) -> Self:
        """Close the connection after so many events."""
        return self._say(end=events)

    def reset(self, events: int = 0) -> Self:
        """Reset the connection after so many events."""
        return self._say(reset=events)

    def stall(self, events: int = 0) -> Self:
        """Fall silent after so many events."""
        return self._say(stall=events)

    def garble(self, events: int = 0) -> Self:
        """Damage the event behind so many."""
        return self._say(garble=events)


def caller() -> str:
    """Return the file and the line of the test that called, for messages and headers."""
    folder = str(Path(__file__).parent)
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(folder):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
