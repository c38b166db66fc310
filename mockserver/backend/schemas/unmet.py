"""The one error of this folder."""

from __future__ import annotations


class UnmetSchemaError(ValueError):
    """No value was found that a schema allows. ``keyword`` is the word that stands in the way."""

    def __init__(self, keyword: str, message: str) -> None:
        self.keyword = keyword
        super().__init__(f"the schema cannot be met: {keyword}: {message}")
