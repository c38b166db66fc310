"""Draw neutral turns: all that a client could have read from some wire. Needs hypothesis.

The finish reason and the status of a turn fit its parts, its ids are unique, its counts add up. It
has at least one text or tool call, which every dialect can say.
:func:`~mockserver.dialects.fitted` reduces it to what one dialect can say.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st

from mockserver.dialects import Pace
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    FinishReason,
    ImagePart,
    JsonObject,
    Part,
    ReasoningPart,
    RefusalPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

#: Characters on which readers of streams fail: line ends of other standards, a byte order mark,
#: several code points for one letter, characters that UTF-16 cannot write in one unit.
HARD = ("\n", "\r\n", "\u2028", "\x85", "\ufeff", "e\u0301", "🎉", "👩🏽‍🚀", '"', "\\", "\x00")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_INCOMPLETE = {FinishReason.LENGTH, FinishReason.CONTENT_FILTER}

#: Any characters but lone surrogates, which UTF-8 cannot carry.
_pieces = st.sampled_from(HARD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
#: Text that begins with a letter: blank text, and tags at the beginning, mean something to some
#: clients.
texts = st.builds(
    lambda first, rest: first + "".join(rest),
    st.sampled_from(LETTERS),
    st.lists(_pieces, max_size=5),
)
#: Opaque data that goes back unchanged.
seals = st.binary(min_size=6, max_size=30).map(lambda b: base64.b64encode(b).decode())
#: Names of tools and of models.
names = st.text(LETTERS + "_", min_size=1, max_size=20).map(lambda name: f"f{name}")
paces = st.builds(
    Pace,
    size=st.sampled_from([0, 1, 2, 3, 8]),
    first_ms=st.sampled_from([0.0, 120.0]),
    each_ms=st.sampled_from([0.0, 15.0]),
)


def objects_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[JsonObject]:
    """Return JSON objects with such texts, as the arguments of tools."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda f: not f.is_integer())
        | texts
        | st.just("")
    )
    values = st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    )
    return st.dictionaries(texts, values, max_size=4)


#: The arguments of tools.
objects = objects_of(texts)
#: Ways to spell JSON: compact, spaced or indented, with or without escapes.
_spellings: st.SearchStrategy[tuple[dict[str, Any], bool]] = st.tuples(
    st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 2}, {"separators": (" ,", " : ")}]),
    st.booleans(),
)
images = st.builds(
    lambda kind, data, signature: ImagePart(
        url=f"data:{kind};base64,{data}", thought_signature=signature
    ),
    st.sampled_from(["image/png", "image/jpeg"]),
    seals,
    st.none() | seals,
)

#: The kinds of parts that a turn can have without a tool of the provider.
KINDS: frozenset[type[Part]] = frozenset(
    {TextPart, ReasoningPart, RefusalPart, ToolCallPart, ImagePart}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What turns are made of: texts, names of tools, arguments, and kinds of parts.

    ``most`` is the number of parts. ``repeats``: one call may be there twice, but for its id.
    ``least`` is the smallest count of tokens. ``cited``: texts have sources.
    """

    texts: st.SearchStrategy[str] = texts
    names: st.SearchStrategy[str] = names
    objects: st.SearchStrategy[JsonObject] = objects
    kinds: frozenset[type[Part]] = KINDS
    most: int = 5
    repeats: bool = False
    least: int = 1
    cited: bool = True


_counts = st.sampled_from([0, 1]) | st.integers(0, 10**6)
#: A detail of a count in quarters of it.
_shares = st.none() | st.integers(0, 4)
#: What every dialect reads without doubt.
USUAL = Matter()
_none_or_seals = st.none() | seals
_phases = st.sampled_from([None, None, "commentary", "final_answer"])
_sources = st.lists(st.tuples(st.integers(0, 9), names), max_size=2, unique_by=lambda c: c[1])
_seal_names = st.sampled_from(["signature", "encrypted_content"])
_manners = st.sampled_from(["plain", "signed", "redacted"])
_channels = st.sampled_from(["text", "summary"])


@st.composite
def tool_calls(draw: st.DrawFn, matter: Matter = USUAL) -> ToolCallPart:
    """Make a complete call. Its id is made unique by :func:`turns`."""
    arguments = draw(matter.objects)
    form, escaped = draw(_spellings)
    return ToolCallPart(
        id="call",
        name=draw(matter.names),
        arguments=arguments,
        arguments_raw=json.dumps(arguments, ensure_ascii=escaped, **form),
        thought_signature=draw(_none_or_seals),
    )


@st.composite
def text_parts(draw: st.DrawFn, matter: Matter = USUAL) -> TextPart:
    """Make a text, of which a source may be cited."""
    text = draw(matter.texts)
    cited = draw(_sources) if matter.cited else []
    return TextPart(
        text=text,
        phase=draw(_phases),
        thought_signature=draw(_none_or_seals),
        citations=tuple(
            Citation(
                url=f"https://example.com/{name}",
                title=f"About {name}",
                start=min(start, len(text) - 1),
                end=len(text),
            )
            for start, name in cited
        ),
    )


@st.composite
def reasoning_parts(draw: st.DrawFn, matter: Matter = USUAL) -> ReasoningPart:
    """Make reasoning: shown and signed, shown in part, or hidden behind opaque data."""
    seal = {draw(_seal_names): draw(seals)}
    match draw(_manners):
        case "redacted":
            return ReasoningPart(text="", channel="text", redacted_data=draw(seals))
        case kind:
            channel = draw(_channels)
            signed: Mapping[str, Any] = seal if kind == "signed" else {}
            return ReasoningPart(text=draw(matter.texts), channel=channel, **signed)


@st.composite
def usages(draw: st.DrawFn, matter: Matter = USUAL) -> Usage:
    """Make counts that add up, with details or without."""
    given, made = max(draw(_counts), matter.least), max(draw(_counts), matter.least)

    def detail(most: int) -> int | None:
        share = draw(_shares)
        return None if share is None else share * most // 4

    return Usage(
        input_tokens=given,
        output_tokens=made,
        total_tokens=given + made,
        cache_read_input_tokens=detail(given // 2),
        cache_creation_input_tokens=detail(given // 2),
        reasoning_tokens=detail(made),
    )


@st.composite
def turns(draw: st.DrawFn, matter: Matter = USUAL) -> AssistantTurn:
    """Make a turn that ended with a reason: parts in any order, all that a turn can hold."""
    parts = draw(some_parts(matter))
    if RefusalPart in matter.kinds and draw(st.integers(0, 9)) == 9:
        parts = (*parts, RefusalPart(refusal=draw(matter.texts)))
    reason = draw(st.sampled_from(_reasons(parts)))
    return AssistantTurn(
        response_id=draw(names.map(lambda name: f"resp_{name}")),
        model=draw(names),
        status=Status.INCOMPLETE if reason in _INCOMPLETE else Status.COMPLETED,
        finish_reason=reason,
        usage=draw(st.none() | usages(matter)),
        parts=parts,
    )


@st.composite
def some_parts(draw: st.DrawFn, matter: Matter) -> tuple[Part, ...]:
    """Make parts with at least one text or tool call; no two calls have one id."""
    found: list[Part] = draw(_several(matter))
    if not any(isinstance(part, TextPart | ToolCallPart) for part in found):
        found.append(draw(_one_of(matter, frozenset({TextPart, ToolCallPart}))))
    calls = [part for part in found if isinstance(part, ToolCallPart)]
    if matter.repeats and calls and draw(st.integers(0, 3)) == 3:
        found.append(calls[0])
    return tuple(_with_own_id(part, number) for number, part in enumerate(found))


@cache
def _several(matter: Matter) -> st.SearchStrategy[list[Part]]:
    return st.lists(_one_of(matter, KINDS), max_size=matter.most)


@cache
def _one_of(matter: Matter, kinds: frozenset[type[Part]]) -> st.SearchStrategy[Part]:
    strategies: Mapping[type[Part], st.SearchStrategy[Any]] = {
        TextPart: text_parts(matter),
        ReasoningPart: reasoning_parts(matter),
        ToolCallPart: tool_calls(matter),
        ImagePart: images,
    }
    return st.one_of([s for kind, s in strategies.items() if kind in matter.kinds & kinds])


def _with_own_id(part: Part, number: int) -> Part:
    return replace(part, id=f"call_{number}{part.name}") if isinstance(part, ToolCallPart) else part


def _reasons(parts: tuple[Part, ...]) -> list[FinishReason]:
    if any(isinstance(part, ToolCallPart) for part in parts):
        return [FinishReason.TOOL_CALLS]
    if any(isinstance(part, RefusalPart) for part in parts):
        return [FinishReason.STOP, FinishReason.REFUSAL]
    return [FinishReason.STOP, *_INCOMPLETE, FinishReason.PAUSE]
