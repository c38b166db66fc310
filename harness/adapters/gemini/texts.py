"""Numbers the texts of one answer, and keeps each signature with its own text. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates
from mockserver.vocabulary import ContentDelta, Event, ReasoningDelta, ReasoningSignature


class Texts:
    """The texts and thoughts of one answer. ``number`` is that of the last part."""

    def __init__(self) -> None:
        self.number = -1
        #: Whether the part that grows is a thought; ``None`` if none grows.
        self._open: bool | None = None
        self._joiner = SurrogateJoiner()

    def add(self, text: str, signature: str | None, *, thought: bool) -> Iterator[Event]:
        """Take the text of one part and yield its events.

        An empty text with a signature is a part without a text, and that of a thought signs the
        thought before it.
        """
        if not text and signature is None:
            return
        if signature is None:
            if self._open is not thought:
                yield from self._begin()
                self._open = thought
            yield from self._deltas(self._joiner.feed(text), thought)
            return
        if not text and thought and self._open is True:
            yield from self.close()
        else:
            yield from self._begin()
        if text and not thought:
            delta = fix_surrogates(text)
            yield ContentDelta(delta=delta, index=self.number, thought_signature=signature)
            return
        if text:
            yield ReasoningDelta(delta=fix_surrogates(text), channel="text", index=self.number)
        yield ReasoningSignature(signature=signature, index=self.number)

    def close(self) -> list[Event]:
        """End the part that grows, and return what is left of it."""
        is_thought, self._open = self._open, None
        return [] if is_thought is None else list(self._deltas(self._joiner.close(), is_thought))

    def _begin(self) -> Iterator[Event]:
        yield from self.close()
        self.number += 1

    def _deltas(self, text: str, thought: bool) -> Iterator[Event]:
        if text and thought:
            yield ReasoningDelta(delta=text, channel="text", index=self.number)
        elif text:
            yield ContentDelta(delta=text, index=self.number)
