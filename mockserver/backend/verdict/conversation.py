"""Checks of what a client sends again with each request: keys, and the conversation. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from mockserver.backend.verdict.finding import Finding, Level
from mockserver.backend.verdict.scene import KEY_HEADERS, Event, Scene
from mockserver.dialects.writing import compact
from mockserver.vocabulary.model import Json, JsonObject

#: A shorter key may be a word of the text.
_LEAST = 8
#: What a header has is a key, and no word such as "any", from this length on.
_LONG = 16


def keys(scene: Scene) -> Iterator[Finding]:
    """Find keys where they do not belong: in a URL or a body, or with another provider."""
    stated = scene.statements.keys
    used = _used(scene.events) - set(stated.values())
    for event in scene.events:
        for owner, key in (*stated.items(), *((None, key) for key in sorted(used))):
            if len(key) >= _LEAST and (found := _leak(event, owner, key)):
                yield found


def _used(events: Iterable[Event]) -> set[str]:
    """Return what the client itself sends as a key, if it is long enough for one."""
    values = (value for e in events for name in KEY_HEADERS if (value := e.seen.header(name)))
    found = {value.split()[-1] for value in values if value.strip()}
    return {key for key in found if len(key) >= _LONG}


def _leak(event: Event, owner: str | None, key: str) -> Finding | None:
    request = event.seen.request
    level = Level.FAIL
    if any(value == key for _, value in parse_qsl(request.url.query)):
        where = "in the query, which servers and proxies log"
        level = Level.NOTE
    elif key in request.url.path:
        where = "in the path"
    elif key.encode() in request.body:
        where = "in the body"
    elif owner and event.asked and event.asked.dialect.name != owner and _has(event, key):
        where = f"sent to {event.asked.dialect.name}"
    else:
        return None
    return Finding(
        check="key",
        level=level,
        requests=(event.number,),
        message=f"the key{f' for {owner}' if owner else ''} is {where}.",
    )


def _has(event: Event, key: str) -> bool:
    return any(key in (event.seen.header(name) or "") for name in KEY_HEADERS)


def prefix(scene: Scene) -> Iterator[Finding]:
    """Find turns that change what was sent before, so that a provider's cache does not help."""
    for turns in _conversations(scene):
        for place, one in enumerate(turns):
            later = next((turn for turn in turns[place + 1 :] if turn.continues(one)), None)
            if later is not None and (difference := _difference(one.event, later.event)):
                yield Finding(
                    check="prompt-prefix",
                    level=Level.NOTE,
                    requests=(one.event.number, later.event.number),
                    message=f"the conversation goes on, and {difference}: nothing behind it "
                    "can come from the provider's cache.",
                )


@dataclass(frozen=True, slots=True)
class _Turn:
    """A request, and who said its messages."""

    event: Event
    roles: tuple[Json, ...]

    def continues(self, other: _Turn) -> bool:
        """Return whether the request goes on with the conversation of an earlier one."""
        count = len(other.roles)
        return len(self.roles) > count and self.roles[:count] == other.roles


def _conversations(scene: Scene) -> Iterable[Sequence[_Turn]]:
    """Return the requests that begin with the same message to the same model, in their order."""
    found: dict[str, list[_Turn]] = {}
    for event in scene.events:
        talk = _talk(event)
        if event.asked is not None and talk:
            turn = _Turn(event, tuple(message.get("role") for message in talk))
            found.setdefault(compact([event.asked.call.model, talk[0]]), []).append(turn)
    return found.values()


def _talk(event: Event) -> list[JsonObject]:
    messages = event.asked.call.messages if event.asked else ()
    return [m for m in messages if m.get("role") not in ("system", "developer")]


def _difference(one: Event, other: Event) -> str | None:
    assert one.asked is not None
    assert other.asked is not None
    first, second = one.asked, other.asked
    before, after = [compact(t) for t in first.call.tools], [compact(t) for t in second.call.tools]
    if before != after:
        if sorted(before) == sorted(after):
            moved = [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
            return f"tools[{moved[0]}] and tools[{moved[-1]}] change places"
        return f"{len(before)} tools become {len(after)}, or one of them changes"
    if first.system != second.system:
        return f"the instructions differ from character {_common(first.system, second.system)} on"
    for number, (a, b) in enumerate(zip(_talk(one), _talk(other), strict=False)):
        if a != b:
            at = _common(compact(a), compact(b))
            return f"message {number} differs from character {at} of its JSON on"
    return None


def _common(one: str, other: str) -> int:
    """Return the length of the beginning that two texts share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
