"""The facts that a wire of any dialect shows.

A dialect reads them independently of any client. The rules compare a client's turn with them, so
that they work for any recording, with or without a spec. A fact that two careful readers could
read in two ways is ``None`` and is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from mockserver.dialects.failures import Failure, failure_of
from mockserver.vocabulary.model import Citation, Json, JsonObject
from mockserver.wire.body import Body, Media
from mockserver.wire.schedule import Ending, Schedule

_T = TypeVar("_T")
_DIGITS = re.compile("[0-9]{1,18}")
_TOO_MANY = 10**18
#: Content codings that every HTTP client of today decodes.
_USUAL_CODINGS = frozenset({"", "identity", "gzip"})
#: Other names of counts, by ours. What stands there alone is known to some clients only.
_OTHER_NAMES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "input_tokens": (("input_tokens",), ("prompt_tokens",), ("prompt_eval_count",)),
    "output_tokens": (("output_tokens",), ("completion_tokens",), ("eval_count",)),
    "cache_read_input_tokens": (
        ("cache_read_input_tokens",),
        ("prompt_cache_hit_tokens",),
        ("cached_tokens",),
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
    ),
    "cache_creation_input_tokens": (
        ("cache_creation_input_tokens",),
        ("prompt_tokens_details", "cache_write_tokens"),
        ("input_tokens_details", "cache_write_tokens"),
    ),
    "reasoning_tokens": (
        ("reasoning_tokens",),
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "thinking_tokens"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """One tool call.

    ``arguments`` are the objects that its argument text may mean: one for valid JSON, several
    where a careful client may repair the text in several ways, none where the text is cut short.
    ``raw`` is the text if it is one valid object.
    """

    name: str | None = None
    id: str | None = None
    arguments: tuple[JsonObject, ...] | None = None
    raw: str | None = None
    signature: str | None = None


@dataclass(slots=True, kw_only=True)
class Facts:
    """Facts of one answer.

    ``terminal`` is the provider's first word for why it stopped, ``other_terminals`` those after
    it; ``done`` an end marker without a reason; ``error`` an error on the wire, by HTTP status or
    in band; ``broken`` a complete event that is not JSON. ``calls`` are the tool calls in the
    order in which they were opened. ``signatures`` are all opaque items that must go back, except
    those of calls. ``images`` are URLs or Base64 data. ``usage`` maps our usage names to the last
    value sent, ``other_usage`` to other counts that a client may rightly give, such as the input
    without what was cached. ``may_fail`` says that a careful client may fail the turn although an
    end was sent, because something before it is missing or odd.
    """

    terminal: str | None = None
    other_terminals: tuple[str, ...] = ()
    done: bool = False
    error: Failure | None = None
    broken: bool = False
    may_fail: bool = False
    text: str | None = ""
    refusal: str | None = ""
    reasoning: str | None = None
    calls: tuple[CallFacts, ...] | None = ()
    signatures: tuple[str, ...] | None = None
    citations: tuple[Citation, ...] | None = None
    images: tuple[str, ...] | None = None
    response_id: str | None = None
    model: str | None = None
    usage: dict[str, int | None] = field(default_factory=dict)
    other_usage: dict[str, frozenset[int]] = field(default_factory=dict)

    def chosen_usage(self, name: str, wanted: Json, given: Json) -> Json:
        """Return the count to compare with: the given one where it is as right as the wanted."""
        known = {self.usage.get(name), *self.other_usage.get(name, ())}
        return given if wanted in known and given in known and given is not None else wanted

    @property
    def terminal_seen(self) -> bool:
        """Whether the outcome is decided: a reason, an end marker or an error was sent."""
        return self.terminal is not None or self.done or self.error is not None or self.broken


def of_last(answers: Sequence[Schedule], read: Callable[[Body], Facts]) -> Facts:
    """Read the body of the last of several answers; an HTTP error is a fact by itself."""
    answer = answers[-1]
    if answer.status >= 400:
        return unread(failure_of(answer))
    facts = read(answer.plain)
    facts.may_fail |= is_unusual(answer)
    return facts


def unread(error: Failure | None) -> Facts:
    """Return the facts of an answer whose content is not read; ``error`` may be why."""
    return Facts(error=error, text=None, refusal=None, calls=None)


def is_unusual(answer: Schedule) -> bool:
    """Return whether a client may give up on an answer for its HTTP form alone."""
    kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    coding = (answer.header("content-encoding") or "").strip().lower()
    return (
        answer.ending is not Ending.FINISH
        or coding not in _USUAL_CODINGS
        or (answer.plain.media is Media.SSE and kind != "text/event-stream")
    )


def only(values: Iterable[_T | None]) -> _T | None:
    """Return the value on which all agree; ``None`` if there is none, or they differ."""
    known = {value for value in values if value is not None}
    return known.pop() if len(known) == 1 else None


def merge_usage(known: dict[str, int | None], later: Mapping[str, int | None]) -> None:
    """Let the later counts win, except a zero after a count: it may be a placeholder."""
    for name, value in later.items():
        in_doubt = value == 0 and name in known and known[name] != 0
        known[name] = None if in_doubt else value


def counts(usage: Json, paths: Mapping[str, tuple[str, ...]]) -> dict[str, int | None]:
    """Return the token counts of a usage object; ``paths`` maps our names to its fields.

    A count may be text of digits. One that has only a name of another API, or other counts under
    two names, is in doubt.
    """
    found: dict[str, int | None] = {}
    if not isinstance(usage, dict) or not usage:
        return found  # nearly every event of a stream
    for name, path in paths.items():
        value = _count(usage, path)
        others = {_count(usage, other) for other in _OTHER_NAMES.get(name, ()) if other != path}
        others -= {None, value}
        if others - {0} or (others and value is None):
            found[name] = None
        elif value is not None:
            found[name] = value
    return found


def _count(usage: Json, path: tuple[str, ...]) -> int | None:
    value = usage
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < _TOO_MANY and value == int(value) else None


def texts_in(value: Json) -> Iterator[str]:
    """Yield every text of a JSON value that is not empty."""
    match value:
        case str() if value:
            yield value
        case Mapping():
            for item in value.values():
                yield from texts_in(item)
        case list() | tuple():
            for item in value:
                yield from texts_in(item)


def repaired(text: str, *, unfinished: bool = False) -> str:
    """Join surrogate halves that came in two pieces; a lone one becomes U+FFFD.

    ``unfinished``: more was to come, so half a character at the end is dropped.
    """
    if unfinished and "\ud800" <= text[-1:] <= "\udbff":
        text = text[:-1]
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
