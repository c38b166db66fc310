"""Reasoning inside the text, as ``<think>...</think>``. Pure.

Models served without a reasoning parser begin their answer with it (seen on Together, Ollama
and llama.cpp). Only a tag that opens the answer counts: text about tags stays text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

_OPEN = "<think>"
_CLOSE = "</think>"

Kind = Literal["text", "reasoning"]


class ThinkTags:
    """Splits one text into reasoning and text; a tag may be split anywhere."""

    def __init__(self) -> None:
        self._state: Literal["before", "inside", "after"] = "before"
        self._pending = ""

    def feed(self, piece: str) -> Iterator[tuple[Kind, str]]:
        """Take the next piece and yield what is certain by now, as ``(kind, text)``."""
        text = self._pending + piece
        self._pending = ""
        if self._state == "before":
            opening = text.lstrip()
            if opening.startswith(_OPEN):
                self._state = "inside"
                text = opening.removeprefix(_OPEN)
            elif _OPEN.startswith(opening):
                self._pending = text
                return
            else:
                self._state = "after"
        if self._state == "inside":
            thought, closed, text = text.partition(_CLOSE)
            if closed:
                self._state = "after"
            else:
                keep = _overlap(thought, _CLOSE)
                thought, self._pending = (
                    thought[: len(thought) - keep],
                    thought[len(thought) - keep :],
                )
            if thought:
                yield "reasoning", thought
        if text:
            yield "text", text

    def close(self) -> Iterator[tuple[Kind, str]]:
        """Yield what was kept back for a tag that was never completed."""
        if self._pending:
            yield ("reasoning" if self._state == "inside" else "text"), self._pending
            self._pending = ""


def _overlap(text: str, tag: str) -> int:
    """Count the characters at the end of ``text`` that could begin ``tag``."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)
