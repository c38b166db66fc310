"""What a provider serves besides answers of a model: lists of models, embeddings, token counts.

A dialect lists its :class:`SideRoute`; each answers from the request and from a :class:`Desk`,
which has what all dialects need for it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol
from urllib.parse import parse_qs

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.writing import Pace
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json

_FIELD = re.compile(r"\{(\w+)(\*?)\}")


class ObjectionError(Exception):
    """A request that the provider itself would refuse."""

    def __init__(self, reason: Objection) -> None:
        super().__init__(reason.error.message)
        self.reason = reason


def refused(
    message: str,
    *,
    status: int = 400,
    source: str = "",
    **fields: Json,
) -> ObjectionError:
    """Return the error to raise for a request that cannot be met.

    ``source`` shows that these are the provider's words, not ours; ``fields`` are further fields
    of its error object.
    """
    return ObjectionError(objection("side", message, source, status=status, **fields))


class Desk(Protocol):
    """What side routes need."""

    @property
    def memory(self) -> Memory:
        """What the session remembers."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models to list; none: those that the dialect has as examples."""

    @property
    def pace(self) -> Pace:
        """When the pieces of a stream are sent."""

    def tokens(self, text: str) -> list[str]:
        """Cut a text into its tokens."""

    def input_tokens(self, call: NeutralCall) -> int:
        """Count the tokens of a call, as the answer to it would say."""

    def vector(self, text: str, size: int) -> list[float]:
        """Return the embedding of a text, of length 1, with ``size`` numbers."""


@dataclass(frozen=True)
class Side:
    """A request at a side route. ``named`` is what its path names, without percent-encoding."""

    request: Request
    desk: Desk
    named: tuple[str, ...] = ()

    @cached_property
    def query(self) -> dict[str, str]:
        """The first value of each name in the query."""
        found = parse_qs(self.request.url.query, keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    def number(self, name: str, default: int) -> int:
        """Return a number of the query; ``default`` where it is none."""
        value = self.query.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default


@dataclass(frozen=True, slots=True)
class SideRoute:
    """A method and the end of a path, with what answers it.

    ``path`` is a template: ``/models/{model}``; a field with a star, ``{model*}``, may have
    slashes. ``when`` says whose request it is where several providers have the same path.
    """

    method: str
    path: str
    answer: Callable[[Side], Response]
    when: Callable[[Request], bool] | None = None

    def __str__(self) -> str:
        return f"{self.method} …{self.path.replace('*', '')}"


def ending(path: str) -> re.Pattern[str]:
    """Return the pattern of paths that end as a template says."""
    parts, at = [], 0
    for field in _FIELD.finditer(path):
        parts.append(re.escape(path[at : field.start()]))
        parts.append("(.+)" if field[2] else "([^/]+)")
        at = field.end()
    return re.compile(f".*{''.join(parts)}{re.escape(path[at:])}", re.DOTALL)
