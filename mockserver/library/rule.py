"""What is compared in two requests: whole parts, some fields of them, or all but some.

One rule holds for a project: recordings are matched, merged and compared by it alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mockserver.dialects.silent import Silent
from mockserver.errors import MatchError, did_you_mean

#: The steps to a field; ``*`` stands for every name and every number.
Steps = tuple[str, ...]
_ANY = "*"


class Part(StrEnum):
    """A part of a request that can be compared."""

    METHOD = "method"
    PATH = "path"
    QUERY = "query"
    BODY = "body"


ALL_PARTS = tuple(Part)
#: The word of a rule by which ``"stream": false`` is not the same as no ``stream``.
STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Rule:
    """The parts that are compared.

    ``only`` are the fields that are compared in bodies and queries, all if there are none;
    ``ignored`` are those that are not. A field begins with its part. ``strict`` tells values that
    a provider takes for an absent field from its absence.
    """

    parts: tuple[Part, ...] = ALL_PARTS
    only: tuple[Steps, ...] = ()
    ignored: tuple[Steps, ...] = ()
    strict: bool = False

    @classmethod
    def of(cls, match_on: Iterable[str] = (), ignore: Iterable[str] = ()) -> Rule:
        """Read a rule from words such as ``path``, ``body.model`` and ``body.messages.*.id``.

        A path may also be as a miss shows it: ``body/messages/0/id``. Without ``match_on``, all
        parts are compared; the word ``strict`` is no part. Raises :class:`MatchError` for an
        unknown word.
        """
        words = list(match_on)
        wanted = [_steps(word) for word in words if word != STRICT]
        ignored = tuple(_steps(word) for word in ignore)
        if whole := next((steps for steps in ignored if len(steps) == 1), None):
            raise MatchError(f"cannot ignore all of {whole[0]!r}: leave it out of what is compared")
        named = {steps[0] for steps in wanted}
        return cls(
            parts=tuple(p for p in Part if p in named) if wanted else ALL_PARTS,
            # A part that is also named as a whole is compared as a whole.
            only=tuple(s for s in wanted if len(s) > 1 and (s[0],) not in wanted),
            ignored=ignored,
            strict=STRICT in words,
        )

    def over(self, other: Rule) -> Rule:
        """Return this rule with what it leaves open taken from ``other``."""
        chosen = other if self.parts == ALL_PARTS and not self.only else self
        return Rule(
            chosen.parts,
            chosen.only,
            tuple(dict.fromkeys((*self.ignored, *other.ignored))),
            self.strict or other.strict,
        )

    def __str__(self) -> str:
        fields = [".".join(steps) for steps in self.only]
        partly = {steps[0] for steps in self.only}
        named = ", ".join([*(p for p in self.parts if p not in partly), *fields])
        named = f"{named}, strictly" if self.strict else named
        left = ", ".join(".".join(steps) for steps in self.ignored)
        return f"{named} without {left}" if left else named

    def query(self, pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        """Return the parameters that are compared."""
        only = {steps[1] for steps in self.only if steps[0] == Part.QUERY}
        ignored = {steps[1] for steps in self.ignored if steps[0] == Part.QUERY}
        if not only and not ignored:
            return pairs
        return ((n, v) for n, v in pairs if n not in ignored and (n in only or not only))

    @property
    def compares_whole_bodies(self) -> bool:
        """Whether equal requests have equal bodies."""
        return Part.BODY in self.parts and not self.changes_bodies

    @property
    def changes_bodies(self) -> bool:
        """Whether bodies are not compared as a whole."""
        return any(steps[0] == Part.BODY for steps in (*self.only, *self.ignored))

    def body(self, data: Any, silent: Silent) -> Any:
        """Return what is compared in the value of a body, which may be changed.

        ``silent`` are the values that say no more than the absence of their field.
        """
        if not self.strict:
            silent.leave_out(data)
        only = [steps[1:] for steps in self.only if steps[0] == Part.BODY]
        if only:
            data = _chosen(data, only)
        for steps in self.ignored:
            if steps[0] == Part.BODY:
                _remove(data, steps[1:])
        return data


#: Compares everything; and what an answer under a cassette's name needs.
EXACT = Rule()
ROUTE = Rule((Part.METHOD, Part.PATH))


def _steps(word: str) -> Steps:
    if "/" in word:
        steps = tuple(s.replace("~1", "/").replace("~0", "~") for s in word.split("/"))
    else:
        steps = tuple(word.split("."))
    first, below = steps[0], steps[1:]
    if first not in set(Part):
        close = did_you_mean(first, Part)
        raise MatchError(
            f"unknown part {word!r}{close}; choose from {', '.join(Part)}, or fields such as "
            "body.model and query.limit"
        )
    if below and (first not in (Part.QUERY, Part.BODY) or not all(below)):
        raise MatchError(f"{word!r} names no field; write one such as body.model or query.limit")
    return steps


def _children(data: Any, step: str) -> list[str | int]:
    """Return the keys of ``data`` that a step names."""
    if isinstance(data, dict):
        return list(data) if step == _ANY else [step] if step in data else []
    if isinstance(data, list):
        if step == _ANY:
            return list(range(len(data)))
        return [int(step)] if step.isdecimal() and int(step) < len(data) else []
    return []


def _remove(data: Any, steps: Steps) -> None:
    found = _children(data, steps[0])
    if len(steps) > 1:
        for key in found:
            _remove(data[key], steps[1:])
        return
    for key in reversed(found):
        del data[key]


def _chosen(data: Any, only: Sequence[Steps]) -> Any:
    """Return a copy with only those fields; lists keep their length."""
    if any(not steps for steps in only):
        return data
    found: dict[str | int, list[Steps]] = {}
    for steps in only:
        for key in _children(data, steps[0]):
            found.setdefault(key, []).append(steps[1:])
    made = {key: _chosen(data[key], below) for key, below in found.items()}
    if isinstance(data, list):
        return [made.get(number) for number in range(len(data))]
    return made
