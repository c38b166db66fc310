"""What the schemas demand of a value besides its type, as annotations in the model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds of a number or of the length of a text; the words or the pattern of a text."""

    least: float = 0
    most: float | None = None
    words: tuple[str, ...] | None = None
    pattern: str | None = None

    def problem(self, value: Any) -> str | None:
        """Return how ``value``, of the right type, breaks the limit; ``None`` if it does not.

        ``nan`` breaks every bound.
        """
        size = len(value) if isinstance(value, str) else value
        if not size >= self.least:
            return f"{value!r:.60} is below {self.least}"
        if self.most is not None and not size <= self.most:
            return f"{value!r:.60} is above {self.most}"
        if self.words is not None and value not in self.words:
            return f"{value!r:.60} is not one of {', '.join(self.words)}"
        if self.pattern is not None and not re.search(self.pattern, value):
            return f"{value!r:.60} does not match {self.pattern}"
        return None


#: A text that is absent rather than empty.
Text = Annotated[str, Limit(least=1)]
#: A number of something, or an index.
Count = Annotated[int, Limit()]
