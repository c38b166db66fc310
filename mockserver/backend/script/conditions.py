"""Whether an answer of a script fits a request. Pure.

Only the conversation in the request counts, so that parallel clients do not disturb one another.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from mockserver.backend.asked import Asked
from mockserver.backend.script.steps import Condition
from mockserver.cassettes.cassette import header_value

#: How many characters of a text are searched for a pattern: clients may send megabytes.
SEARCHED = 10_000


def fits(condition: Condition, asked: Asked) -> bool:
    """Return whether all parts of a condition are met."""
    c = condition
    return (
        says(c, asked.question)
        and (c.model is None or fnmatchcase(asked.call.model, c.model))
        and (c.system is None or c.system.casefold() in asked.system.casefold())
        and (c.turn is None or c.turn == asked.turn)
        and (c.image is None or c.image == bool(asked.images))
        and (c.after is None or c.after in asked.results)
        and all(_has_header(asked, name, wanted) for name, wanted in c.headers.items())
    )


def says(condition: Condition, text: str) -> bool:
    """Return whether a text is what a condition wants of it."""
    c = condition
    return (c.text is None or c.text.casefold() in text.casefold()) and (
        c.pattern is None or c.pattern.search(text, 0, SEARCHED) is not None
    )


def _has_header(asked: Asked, name: str, wanted: str) -> bool:
    value = header_value(asked.request.headers, name)
    return value is not None and fnmatchcase(value, wanted)
