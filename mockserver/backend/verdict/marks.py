"""Checks of what a client made of an answer, by what it sends later. Pure.

Texts and ids that only one answer has tell where they came from: text that was cut and comes back
as an answer of the model was taken for a whole one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from mockserver.backend.asked import calls_of
from mockserver.backend.reply import Given
from mockserver.backend.verdict.finding import Finding, Level
from mockserver.backend.verdict.scene import Event, Scene, same_json
from mockserver.dialects.registry import facts_of
from mockserver.dialects.writing import text_of
from mockserver.vocabulary.model import JsonObject
from mockserver.wire.schedule import Send

#: A shorter text may come from anywhere.
_LEAST = 8
#: With such words a client says that it knows of the failure: in the result of a cut call, so that
#: the conversation is valid; behind a cut text, so that the model goes on; or beside it, to people.
_KNOWS = re.compile(
    r"\b(error|fail|interrupt|cancel|abort|not (been )?executed|incomplete|truncat|cut (off|short)"
    r"|continu|go on|resume|left off|lost|broke|disconnect|ended (too )?early)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
#: White space as JSON writes it.
_ESCAPE = re.compile(r"\\[nrt]")


@dataclass(frozen=True)
class _Broken:
    """An answer that failed after it had begun."""

    event: Event
    check: str
    what: str
    texts: tuple[str, ...]
    call_ids: frozenset[str]


@dataclass(frozen=True)
class _Called:
    """A call of a tool, as an answer has made it. ``arguments`` are what they may be read as."""

    event: Event
    name: str
    arguments: tuple[JsonObject, ...]


def broken_answers(scene: Scene) -> Iterator[Finding]:
    """Find broken answers that were taken for whole ones."""
    whole = {e.facts.text for e in scene.events if e.facts and not e.failed and e.facts.text}
    for event in scene.events:
        broken = _broken(event)
        if broken is None:
            continue
        found = _used(scene, broken, whole)
        if found is not None:
            yield found
        elif not _known(scene, event):
            yield Finding(
                check=broken.check,
                level=Level.UNKNOWN,
                requests=(event.number,),
                message=f"{broken.what}; not retried, its text not seen again.",
                remedy=_how_to_know(scene, broken),
            )


def _broken(event: Event) -> _Broken | None:
    facts = event.facts
    if facts is None or not event.failed or not event.is_stream:
        return None
    if facts.error is not None:
        check, what = "in-band-error", "an error came in the stream"
    elif facts.broken:
        check, what = "malformed-event", "an event of the stream was no JSON"
    else:
        check, what = "truncated-stream", "the stream ended without a finish reason"
    if check == "truncated-stream" and event.seen.outcome.is_left:
        # The client itself ended it, such as a person who has read enough.
        return None
    texts = {facts.text or "", *_without_broken(event)} - {""}
    ids = {call.id for call in facts.calls or () if call.id}
    return _Broken(event, check, what, tuple(sorted(texts)), frozenset(ids))


def _without_broken(event: Event) -> Iterator[str]:
    """Yield the text that a client has which skips the event that it cannot read."""
    schedule, asked, facts = event.seen.schedule, event.asked, event.facts
    if facts is None or not facts.broken or schedule is None or asked is None:
        return
    ends = (0, *schedule.plain.event_ends)
    for begin, end in pairwise(ends):
        rest = schedule.plain.data[:begin] + schedule.plain.data[end:]
        skipped = facts_of(asked.dialect.name, replace(schedule.decoded(), steps=(Send(rest),)))
        if skipped is not None and not skipped.broken:
            yield skipped.text or ""
            return


def _used(scene: Scene, broken: _Broken, whole: set[str]) -> Finding | None:
    event = broken.event
    for later in scene.after(event):
        messages = later.asked.call.messages if later.asked else ()
        for place, message in enumerate(messages):
            goes_on = any(_knows(said) for said in messages[place + 1 : place + 2])
            if place < len(messages) - 1 and not goes_on and _repeats(message, broken, whole):
                return _fail(broken, later, "its text came back as an answer of the model")
            if _answers(message, broken.call_ids) and not _knows(message):
                check = "cut-call" if broken.check == "truncated-stream" else broken.check
                return Finding(
                    check=check,
                    level=Level.FAIL,
                    requests=(event.number, later.number),
                    message=f"{broken.what}, and a tool call of it was executed: its result came.",
                    remedy=_again(event, "call"),
                )
    for answer in scene.statements.answers:
        for text in map(str.strip, broken.texts):
            if len(text) < _LEAST or text not in answer or _goes_on(text, answer, whole):
                continue
            if not _KNOWS.search(answer.replace(text, " ")):
                return _fail(broken, None, "its text was given out")
    return None


def _answers(message: JsonObject, call_ids: frozenset[str]) -> bool:
    return message.get("role") == "tool" and message.get("tool_call_id") in call_ids


def _knows(message: JsonObject) -> bool:
    """Return whether a message of the user, or a tool's result, says that something went wrong."""
    if message.get("role") not in ("user", "tool"):
        return False
    flagged = message.get("is_error") is True or message.get("status") == "error"
    return flagged or _KNOWS.search(text_of(message.get("content"))) is not None


def _goes_on(text: str, answer: str, whole: set[str]) -> bool:
    """Return whether what is given out is of a whole answer, or begins one that goes on.

    An application may shorten it, or lay it out in other lines: words count alone.
    """
    if any(known in answer for known in whole):
        return True
    shown, cut = _words(answer), _words(text)
    for known in filter(None, map(_words, whole)):
        # The last word of the cut text may be cut itself.
        longer = known[: len(cut) + 1]
        begins = longer[: len(cut) - 1] == cut[:-1] and len(known) > len(cut)
        if _has(shown, known) or (begins and _has(shown, longer)):
            return True
    return False


def _words(text: str) -> list[str]:
    return _WORD.findall(_ESCAPE.sub(" ", text))


def _has(words: list[str], part: list[str]) -> bool:
    return any(words[at : at + len(part)] == part for at in range(len(words) - len(part) + 1))


def _repeats(message: JsonObject, broken: _Broken, whole: set[str]) -> bool:
    if message.get("role") != "assistant":
        return False
    text = text_of(message.get("content")).strip()
    return (
        len(text) >= _LEAST
        and any(text == known.strip() for known in broken.texts)
        and not any(text == known.strip() for known in whole)
    )


def _fail(broken: _Broken, later: Event | None, how: str) -> Finding:
    numbers = (broken.event.number,) if later is None else (broken.event.number, later.number)
    return Finding(
        check=broken.check,
        level=Level.FAIL,
        requests=numbers,
        message=f"{broken.what}, and {how}.",
        remedy=_again(broken.event, "say"),
    )


def _again(event: Event, verb: str) -> str:
    """Say how to see it again."""
    found = event.seen.found
    broken = found.broken if isinstance(found, Given) else None
    return f"again: llm.{verb}(…).{broken.kind}({broken.events})" if broken else ""


def _how_to_know(scene: Scene, broken: _Broken) -> str:
    """Say what would tell whether a broken answer was taken for a whole one."""
    if scene.statements.answers and all(len(t.strip()) < _LEAST for t in broken.texts):
        return f"Its text is too short to know it again: less than {_LEAST} characters."
    return "To know: hand over what was shown (llm.judge(answer)), or go on with the conversation."


def _known(scene: Scene, event: Event) -> bool:
    """Return whether the client shows that it knows of the failure: it asks again, or has left."""
    if event.seen.outcome.is_left:
        return True
    return any(later.identity == event.identity for later in scene.after(event))


def changed_calls(scene: Scene) -> Iterator[Finding]:
    """Find tool calls that come back with another name or other arguments.

    A call that came back unchanged before is shortened: clients do so to save room.
    """
    given: dict[str, _Called] = {}
    unchanged: set[str] = set()
    for event in scene.events:
        for message in event.asked.call.messages if event.asked else ():
            for call in calls_of(message):
                id_ = call["id"]
                if id_ not in given:
                    continue
                if (what := _change(call, given[id_])) is None:
                    unchanged.add(id_)
                    continue
                yield Finding(
                    check="changed-call",
                    level=Level.NOTE if id_ in unchanged else Level.FAIL,
                    requests=(given.pop(id_).event.number, event.number),
                    message=f"{what}: the model reads what it never said.",
                )
        for known in (event.facts.calls if event.facts and not event.failed else None) or ():
            if known.id and known.name and known.arguments:
                given[known.id] = _Called(event, known.name, known.arguments)


def _change(call: JsonObject, given: _Called) -> str | None:
    if call["name"] != given.name:
        return f"the call {given.name!r} comes back as {call['name']!r}"
    if any(same_json(call["arguments"], json.dumps(known)) for known in given.arguments):
        return None
    return f"the arguments of the call {given.name!r} come back changed"
