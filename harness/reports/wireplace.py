"""Find the wire event that a finding is about: where on the wire the difference is.

Works for any dialect: texts are followed over the strings of the wire's JSON, and endings by what
the dialect reads off the beginning of the stream.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeAlias

from harness.judge import channels
from harness.judge.channels import Channels
from harness.judge.transcript import Finding, TurnRecord
from harness.suite.scenario import Expectation
from mockserver.dialects import Facts, facts_of, texts_in
from mockserver.vocabulary import Json, JsonObject
from mockserver.wire import Body, Break, FaultKind, Media, Variation, apply_variation, sse

#: The keys to a value, without places in lists, behind the type of its event.
_Lane: TypeAlias = tuple[str, ...]
_TEXTS = ("text", "refusal", "reasoning")
_DELTAS = {"content_delta": "text", "reasoning_delta": "reasoning", "refusal_delta": "refusal"}
_ENDINGS = frozenset(
    {
        *("no-ending", "two-endings", "after-ending"),
        *("finish-reason", "finish-mapping", "stop-with-call"),
    }
)
#: Kinds that tell where a client stopped rather than what it made of an event.
_STOPS = frozenset({"false-failure", "crash", "hang", "process", "no-answer"})
_CALL_NUMBER, _EVENT_NUMBER = re.compile(r"tool_calls\.(\d+)"), re.compile(r"event (\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """A wire event: the number of its answer in the turn, its own, and a text that is in it."""

    answer: int
    event: int
    near: str = ""


def find_place(
    record: TurnRecord, finding: Finding, dialect: str, expect: Expectation | None
) -> Place | None:
    """Return the wire event behind a finding about one turn, if it can be found."""
    if finding.kind == "false-success" or finding.field.startswith("error"):
        return _failure(record, dialect)
    if finding.kind in _ENDINGS:
        return _ending(record, dialect)
    if finding.kind == "strict":
        return _where(record, dialect, lambda _: False)
    for answer in reversed(range(len(record.schedules))):
        wire = _Wire(record.schedules[answer].plain)
        found = _in_answer(wire, record, finding, _channels(expect))
        if found is not None:
            return Place(answer, *found)
    return None


def _in_answer(
    wire: _Wire, record: TurnRecord, finding: Finding, wanted: Channels
) -> tuple[int, str] | None:
    expected, observed = finding.expected, finding.observed
    if finding.kind == "malformed":
        return _of_malformed(wire, finding, record, wanted)
    if finding.kind in _STOPS:
        return _first_missing(wire, wanted, channels.of_events([e.data for e in record.events]))
    if finding.event is not None and isinstance(expected, list):
        return _of_event(wire, expected, finding.event)
    if finding.field in _TEXTS:
        return wire.difference(_text(expected), _text(observed))
    if finding.field.startswith("usage"):
        value = observed if expected is None else expected
        return wire.last_number(value)
    if finding.field.startswith("tool_calls"):
        return _of_call(wire, finding, wanted.get("tool_calls") or (), record)
    strings = (*texts_in(expected), *texts_in(observed))
    return next((at for s in strings if (at := wire.first(s)) is not None), None)


def _of_malformed(
    wire: _Wire, finding: Finding, record: TurnRecord, wanted: Channels
) -> tuple[int, str] | None:
    """Return where a malformed event comes from: by its texts, or by what came before it."""
    match = _EVENT_NUMBER.search(finding.message)
    number = int(match[1]) - 1 if match else 0
    events = [e.data for e in record.events]
    own = {k: v for k, v in events[number].items() if k != "type"} if number < len(events) else {}
    found = next((at for s in texts_in(own) if (at := wire.first(s)) is not None), None)
    return found or _first_missing(wire, wanted, channels.of_events(events[:number]))


def _first_missing(wire: _Wire, wanted: Channels, seen: Channels) -> tuple[int, str]:
    """Return the first event of which a client handed on nothing, or not all.

    Without an expectation, that is the one behind the last from which it handed on something.
    """
    found = [
        at
        for name in _TEXTS
        if (text := wanted.get(name)) and text != seen[name]
        if (at := wire.difference(text, seen[name])) is not None
    ]
    calls = wanted.get("tool_calls") or []
    for number, call in enumerate(calls):
        names = [str(c.get("name")) for c in calls[: number + 1]]
        named = wire.in_order(names)
        if number >= len(seen["tool_calls"]):
            found += [named] if named else []
            break
        given = seen["tool_calls"][number]
        if given.get("arguments") is None and call.get("arguments"):
            pieces = wire.difference(_raw(call), _raw(given), named[0] if named else 0)
            inside = (at for s in texts_in(call["arguments"]) if (at := wire.first(s)))
            found += [at] if (at := pieces or next(inside, None)) else []
    return min(found, default=None) or wire.after(seen)


def _of_event(wire: _Wire, events: Sequence[JsonObject], number: int) -> tuple[int, str] | None:
    """Return where the expected event of that number comes from."""
    event = events[min(number, len(events) - 1)] if events else {}
    kind = event.get("type")
    before = [e for e in events[:number] if e.get("type") == kind]
    if kind in _DELTAS:
        text = "".join(str(e.get("delta", "")) for e in (*before, event))
        return wire.covering(text, len(text) - 1)
    if kind == "tool_call_start":
        return wire.in_order([str(e.get("tool_name")) for e in (*before, event)])
    if kind == "usage" and isinstance(usage := event.get("usage"), Mapping):
        return next((at for v in usage.values() if (at := wire.last_number(v))), None)
    return next((at for s in texts_in(event) if s != kind and (at := wire.first(s))), None)


def _of_call(
    wire: _Wire, finding: Finding, calls: Sequence[Mapping[str, Any]], record: TurnRecord
) -> tuple[int, str] | None:
    number = _call_number(finding)
    names = [str(c.get("name")) for c in calls[: number + 1]]
    named = wire.in_order(names) if names else None
    if finding.field.endswith((".arguments", ".arguments_raw")) and number < len(calls):
        seen = channels.of_events([e.data for e in record.events])["tool_calls"]
        raw, given = (_raw(c[number]) if number < len(c) else "" for c in (calls, seen))
        at = wire.difference(raw, given, named[0] if named else 0)
        return at or named
    if finding.field.endswith(".id"):
        ids = [str(c.get("id")) for c in calls[: number + 1]]
        return wire.in_order(ids) or named
    if named is None:
        strings = (
            *texts_in(finding.expected),
            *texts_in(finding.observed),
        )
        return next((at for s in strings if (at := wire.first(s)) is not None), None)
    return named


def _call_number(finding: Finding) -> int:
    if (match := _CALL_NUMBER.search(finding.message)) is not None:
        return int(match[1])
    match finding.expected, finding.observed:
        case list() as wanted, list() as seen:
            return _alike(wanted, seen)
        case int() as wanted_count, int() as seen_count:
            return min(wanted_count, seen_count)
    return 0


def _raw(call: Mapping[str, Any]) -> str:
    return str(call.get("arguments_raw") or call.get("pieces") or "")


class _Wire:
    """The JSON of one answer, by wire event."""

    def __init__(self, body: Body) -> None:
        self.count = len(body.spans)
        self._leaves = [
            (number, lane, value) for number, data in _documents(body) for lane, value in data
        ]

    def first(self, text: str) -> tuple[int, str] | None:
        """Return the first event that has that string."""
        return next(((n, text) for n, _, value in self._leaves if value == text), None)

    def last_number(self, value: object) -> tuple[int, str] | None:
        """Return the last event with that count, by preference one of usage."""
        found = [(n, lane) for n, lane, leaf in self._leaves if _is_count(leaf, value)]
        usage = [n for n, lane in found if any("usage" in key.lower() for key in lane)]
        numbers = usage or [n for n, _ in found]
        return (numbers[-1], str(value)) if numbers else None

    def in_order(self, texts: Sequence[str]) -> tuple[int, str] | None:
        """Return the event of the last of these strings, which one lane has one after another."""
        found: dict[_Lane, list[int]] = {}
        for number, lane, value in self._leaves:
            marks = found.setdefault(lane, [])
            if len(marks) < len(texts) and value == texts[len(marks)]:
                marks.append(number)
        lanes = [marks for marks in found.values() if marks]
        best = max(lanes, key=lambda marks: (len(marks), -marks[0]), default=[])
        return (best[-1], texts[-1]) if best and len(best) == len(texts) else None

    def difference(self, wanted: str, seen: str, start: int = 0) -> tuple[int, str] | None:
        """Return the event at which two texts first differ, the first of which is on the wire."""
        alike = _alike(wanted, seen)
        if alike == len(wanted) and (more := seen[alike:]) and (at := self.first(more)):
            return at
        text = wanted or seen
        return self.covering(text, min(alike, len(text) - 1), start)

    def covering(self, text: str, position: int, start: int = 0) -> tuple[int, str] | None:
        """Return the event that brings the character at ``position`` of a text in pieces."""
        marks = self._followed(text, start)
        at = bisect_left(marks, position + 1, key=lambda mark: mark[0])
        if not marks:
            return None
        _, event, piece = marks[min(at, len(marks) - 1)]
        return event, piece

    def after(self, said: Channels) -> tuple[int, str]:
        """Return the event behind those from which what a client said comes."""
        texts = [said[name] for name in _TEXTS]
        texts += [_raw(call) for call in said["tool_calls"]]
        ends = [marks[-1][1] for text in texts if (marks := self._followed(text))]
        ends += [
            at[0]
            for text in (said["response_id"], *(c.get("name") for c in said["tool_calls"]))
            if isinstance(text, str) and (at := self.first(text))
        ]
        return min(max(ends, default=-1) + 1, self.count - 1), ""

    def _followed(self, text: str, start: int = 0) -> list[tuple[int, int, str]]:
        """Follow a text along the lane that has most of it: its lengths, by event."""
        found: dict[_Lane, list[tuple[int, int, str]]] = {}
        for number, lane, value in self._leaves:
            if not isinstance(value, str) or not value or number < start:
                continue
            marks = found.setdefault(lane, [])
            length = marks[-1][0] if marks else 0
            if text.startswith(value, length) and length < len(text):
                marks.append((length + len(value), number, value))
        lanes = [marks for marks in found.values() if marks]
        return max(lanes, key=lambda marks: (marks[-1][0], -marks[0][1]), default=[])


def _documents(body: Body) -> Iterator[tuple[int, list[tuple[_Lane, Json]]]]:
    """Yield the leaves of each wire event with its number."""
    if body.media is Media.SSE:
        ends = [end for _, end in body.spans]
        for block in (*body.blocks, *([body.unfinished] if body.unfinished else [])):
            if block.json is not sse.NOT_JSON:
                number = min(bisect_left(ends, block.span[1]), len(ends) - 1)
                yield number, list(_leaves(block.json, (block.event,)))
        return
    if body.media is Media.AWS_FRAMES:
        for number, frame in enumerate(body.frames):
            try:
                data = json.loads(frame.payload)
            except (ValueError, RecursionError):
                continue
            yield number, list(_leaves(data, (frame.text(":event-type"),)))
        return
    for number, (start, end) in enumerate(body.spans):
        text = body.data[start:end]
        if body.media is Media.JSON_ARRAY:
            # Between two elements are a comma and line ends, around all of them the brackets.
            text = body.elements[number].data if number < len(body.elements) else b""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            continue
        yield number, list(_leaves(data, ()))


def _leaves(data: Json, lane: _Lane) -> Iterator[tuple[_Lane, Json]]:
    match data:
        case dict():
            kind = data.get("type")
            inner = (*lane, kind) if isinstance(kind, str) else lane
            for key, value in data.items():
                yield from _leaves(value, (*inner, key))
        case list():
            for value in data:
                yield from _leaves(value, lane)
        case _:
            yield lane, data


def _failure(record: TurnRecord, dialect: str) -> Place | None:
    """Return where the wire reports a failure, or else where it breaks off."""
    return _where(record, dialect, lambda facts: facts.error is not None or facts.broken)


def _ending(record: TurnRecord, dialect: str) -> Place | None:
    """Return where the outcome of the answer is decided, or else where it ends."""
    return _where(record, dialect, lambda facts: facts.terminal_seen)


def _where(record: TurnRecord, dialect: str, is_said: Callable[[Facts], bool]) -> Place | None:
    """Return the first event of the last answer with which something is said, or its last one."""
    if not record.schedules:
        return None
    *before, last = record.schedules

    def said(events: int) -> bool:
        (begun,) = apply_variation((last,), Variation(broken=Break(FaultKind.CUT, events)))
        facts = facts_of(dialect, *before, begun)
        return facts is not None and is_said(facts)

    count = len(last.plain.event_ends)
    at = bisect_left(range(1, count + 1), True, key=said) if count else 0
    spans = len(last.plain.spans)
    return Place(len(before), min(at, spans - 1) if at < count else spans - 1)


def _channels(expect: Expectation | None) -> Channels:
    if expect is None:
        return {}
    expect = expect.any_of[0] if expect.any_of else expect
    if expect.events is not None:
        return channels.of_events(expect.events)
    return channels.of_turn(expect.turn or {})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_count(leaf: Json, value: object) -> bool:
    return isinstance(leaf, int) and not isinstance(leaf, bool) and leaf == value


def _alike(one: Sequence[Any], other: Sequence[Any]) -> int:
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
