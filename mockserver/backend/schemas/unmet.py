"""The one error of this folder."""

from __future__ import annotations


class UnmetSchemaError(ValueError):
    """No value was found that a schema allows. ``keyword`` is the word that stands in the way."""

    def __init__(self, keyword: str, message: str, place: str = "the request") -> None:
        self.keyword = keyword
        self._message = message
        super().__init__(f"Invalid schema for {place}: {keyword}: {message}")

    def of(self, place: str) -> UnmetSchemaError:
        """Return the same of a schema that is in this place of a request."""
        return UnmetSchemaError(self.keyword, self._message, place)
