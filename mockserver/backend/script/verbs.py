"""Reads one answer of a script: its verbs, and how it is sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mockserver.backend import notation
from mockserver.backend.script.cursor import Cursor, shown
from mockserver.backend.script.steps import Fail, Step, Tape, ToolCall
from mockserver.dialects.writing import compact
from mockserver.vocabulary.codec import turn_from_json
from mockserver.vocabulary.model import AssistantTurn, Usage
from mockserver.wire.faults import FaultKind
from mockserver.wire.variation import Break

#: What an answer says.
VERBS = ("say", "think", "call", "json", "refuse", "embed", "fail", "play", "turn")
#: How it is sent.
MANNERS = ("usage", "first", "pace", "jitter", "times", *FaultKind)
#: Verbs that stand alone.
_ALONE = ("embed", "play", "turn")
#: What each count is called in a script.
_COUNTS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cached": "cache_read_input_tokens",
    "written": "cache_creation_input_tokens",
    "reasoning": "reasoning_tokens",
}


def step(found: Mapping[str, Cursor], at: Cursor) -> Step:
    """Return the answer of the given keys. Raises :class:`ScriptError`."""
    verbs = [verb for verb in VERBS if verb in found]
    if not verbs:
        raise at.error("an answer says nothing", f"add one of {', '.join(VERBS)}")
    for verb in _ALONE:
        if verb in verbs and len(verbs) > 1:
            other = next(v for v in verbs if v != verb)
            raise found[other].error(
                f"{verb!r} and {other!r} are two answers", "write two, or one verb"
            )
    if {"json", "say"} <= found.keys() or {"refuse", "call"} <= found.keys():
        raise at.error(f"{' and '.join(verbs)} do not go together", "write two answers")
    fields = {_FIELDS[name][0]: _FIELDS[name][1](found[name]) for name in found if name in _FIELDS}
    return Step(where=at.where, broken=_broken(found), **fields)


def fail(at: Cursor) -> Fail:
    """Return a failure: a status, words such as ``429, retry 2s``, or its parts."""
    if isinstance(at.value, dict):
        parts = at.children(("status", "retry", "message", "code"), "'fail'")
        if "status" not in parts:
            raise at.error("'fail' has no status", "add one, such as 'status: 429'")
        return Fail(
            status=parts["status"].parsed(_status),
            retry=parts["retry"].parsed(notation.parse_duration) if "retry" in parts else None,
            message=parts["message"].text("'message'") if "message" in parts else "",
            code=parts["code"].text("'code'") if "code" in parts else None,
        )
    kind = re.match(r"\w*", str(at.value))
    if kind is not None and kind[0] in set(FaultKind):
        raise at.error(
            f"{shown(at.value)} interrupts an answer, and 'fail' is an error of the provider",
            f"write 'say: …', and '{kind[0]}: 3' below it",
        )
    failure = at.parsed(notation.parse_failure)
    if failure.rate != 1 or failure.times is not None:
        raise at.error("how many answers fail is not said here", "write 'times: 2' below it")
    return Fail(status=failure.status or 500, retry=failure.retry)


def _status(value: Any) -> int:
    return notation.parse_failure(value).status or 500


def _calls(at: Cursor) -> tuple[ToolCall, ...]:
    """Return tool calls: a name, names with arguments, or a list of both."""
    match at.value:
        case str() if at.value:
            return (ToolCall(name=at.value),)
        case dict() if at.value:
            return tuple(_call(name, at) for name in at.value)
        case list() if at.value:
            return tuple(call for item in at.items("'call'") for call in _calls(item))
    raise at.error(
        f"'call' names a tool, not {shown(at.value)}",
        "write 'call: get_weather' or 'call: {get_weather: {city: Paris}}'",
    )


def _call(name: Any, at: Cursor) -> ToolCall:
    if not isinstance(name, str) or not name:
        raise at.error(f"{shown(name)} is no name of a tool", "put it in quotes")
    arguments = at.child(name).json()
    # "get_weather:" alone leaves the arguments open.
    return ToolCall(name=name, arguments=arguments, given=arguments is not None)


def _turn(at: Cursor) -> AssistantTurn:
    data = at.json()
    if not isinstance(data, dict):
        raise at.error(f"'turn' is a mapping, not {shown(data)}", "docs/BACKEND.md shows one")
    parts = data.get("parts")
    calls = isinstance(parts, list) and any(
        isinstance(part, dict) and part.get("type") == "tool_call" for part in parts
    )
    whole = {"status": "completed", "finish_reason": "tool_calls" if calls else "stop"}
    if "status" in data or "error" in data:
        whole = {"status": "failed"} if "error" in data else {}
    return Cursor({**whole, **data}, at.path, at.place).parsed(turn_from_json)


def _embed(at: Cursor) -> tuple[tuple[float, ...], ...]:
    """Return vectors: a list of numbers is one, a list of lists one for each text."""
    items = at.items("'embed'")
    if not items:
        raise at.error("'embed' has no number", "write numbers, such as [0.6, 0.8]")
    if all(isinstance(item.value, list) for item in items):
        return tuple(_vector(item) for item in items)
    return (_vector(at),)


def _vector(at: Cursor) -> tuple[float, ...]:
    for item in (items := at.items("a vector")):
        if isinstance(item.value, bool) or not isinstance(item.json(), int | float):
            raise item.error(f"{shown(item.value)} is no number", "write one, such as 0.6")
    return tuple(float(item.value) for item in items)


def _play(at: Cursor) -> Tape:
    name = at.text("'play'")
    try:
        return at.open_tape(name)
    except ValueError as exc:
        raise at.error(str(exc), "name a cassette with recorded answers") from None


def _usage(at: Cursor) -> Usage:
    found = at.children(tuple(_COUNTS), "'usage'")
    counts: dict[str, Any] = {
        _COUNTS[name]: part.count(f"'{name}'") for name, part in found.items()
    }
    return Usage(**counts)


def _broken(found: Mapping[str, Cursor]) -> Break | None:
    kinds = [kind for kind in FaultKind if kind in found]
    if not kinds:
        return None
    first = found[kinds[0]]
    if len(kinds) > 1:
        raise first.error(
            f"an answer can break once: {' or '.join(kinds)}", "leave out one of them"
        )
    return Break(kinds[0], first.count(f"'{kinds[0]}'"))


def _first(at: Cursor) -> float:
    return at.parsed(notation.parse_duration) * 1000


def _pace(at: Cursor) -> float:
    return at.parsed(notation.parse_pace)


def _jitter(at: Cursor) -> float:
    return at.parsed(notation.parse_share)


#: The field of a step that each key gives, and how it is read.
_FIELDS: Mapping[str, tuple[str, Callable[[Cursor], Any]]] = {
    "say": ("say", lambda at: at.text("'say'")),
    "think": ("think", lambda at: at.text("'think'")),
    "refuse": ("refuse", lambda at: at.text("'refuse'")),
    "json": ("data", lambda at: compact(at.json())),
    "call": ("calls", _calls),
    "embed": ("embed", _embed),
    "fail": ("fail", fail),
    "play": ("play", _play),
    "turn": ("turn", _turn),
    "usage": ("usage", _usage),
    "first": ("first_ms", _first),
    "pace": ("each_ms", _pace),
    "jitter": ("jitter", _jitter),
    "times": ("times", lambda at: at.count("'times'", 1)),
}
