"""Variations of a wire, in the words of a case's id: ``eol=crlf,bom=yes`` or ``cut=3``.

The harness and the URLs of the server vary the recorded answers here, so that both send the same
bytes for the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mockserver.errors import did_you_mean
from mockserver.wire import axes, eventstream, faults
from mockserver.wire.axes import AXES, RECORDED, Point
from mockserver.wire.body import Body, Media
from mockserver.wire.faults import Fault, FaultKind
from mockserver.wire.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Break:
    """An interruption after that many events of a stream.

    An answer that is no stream breaks in its middle, or before its first byte for 0 events.
    """

    kind: FaultKind
    events: int

    def __str__(self) -> str:
        return f"{self.kind}={self.events}"


@dataclass(frozen=True, slots=True)
class Variation:
    """Which answers of a cassette are sent, by their numbers, and how.

    ``interactions`` is ``None`` for all. The point applies to every answer, the break to the last
    one that is a stream, or to the last one of all if none is.
    """

    point: Point = RECORDED
    broken: Break | None = None
    interactions: tuple[int, ...] | None = None

    def __str__(self) -> str:
        """Return the words that :func:`parse` reads."""
        words = []
        if self.interactions is not None:
            words.append(f"interactions={'+'.join(map(str, self.interactions))}")
        if self.point != RECORDED:
            words.append(str(self.point))
        if self.point.seed:
            words.append(f"seed={self.point.seed}")
        if self.broken is not None:
            words.append(str(self.broken))
        return ",".join(words)


#: Every answer as it was recorded.
PLAIN = Variation()


def parse(text: str) -> Variation:
    """Read words such as ``interactions=0+2,eol=crlf`` or ``cut=3``.

    Raises ``ValueError`` that names the known words for an unknown one.
    """
    words: dict[str, str] = {}
    for item in text.split(","):
        word, separator, value = item.partition("=")
        if not separator:
            raise ValueError(f"a variation is word=value,…: not {item!r}; {_known()}")
        if word not in (known := (*AXES, *FaultKind, "interactions", "seed")):
            raise ValueError(f"unknown word {word!r}{did_you_mean(word, known)}; {_known()}")
        if word in words:
            raise ValueError(f"{word!r} is given twice")
        words[word] = value
    breaks = [FaultKind(word) for word in words if word in set(FaultKind)]
    if len(breaks) > 1:
        raise ValueError(f"one stream can be interrupted once: {' or '.join(breaks)}")
    return Variation(
        axes.point({w: v for w, v in words.items() if w in AXES}, _number(words, "seed", "0")),
        Break(breaks[0], _number(words, breaks[0])) if breaks else None,
        _interactions(words["interactions"]) if "interactions" in words else None,
    )


def apply(schedules: Sequence[Schedule], variation: Variation) -> tuple[Schedule, ...]:
    """Return the chosen answers as sent in that variation; those that do not change are the same.

    Raises ``ValueError`` for an interaction that is not there, and for an interruption behind the
    end of a stream, or of a body that cannot be garbled.
    """
    numbers = variation.interactions
    if numbers is None:
        numbers = tuple(range(len(schedules)))
    elif max(numbers) >= len(schedules):
        raise ValueError(
            f"no interaction {max(numbers)}: there are {len(schedules)}, numbered from 0"
        )
    sent = [axes.apply(schedules[n], variation.point) for n in numbers]
    if variation.broken is not None:
        at = last_stream(sent)
        at = len(sent) - 1 if at is None else at
        sent[at] = _interrupted(sent[at], variation.broken)
    return tuple(sent)


def last_stream(schedules: Sequence[Schedule]) -> int | None:
    """Return the number of the last answer that is a stream, the one that is interrupted."""
    streams = [n for n, s in enumerate(schedules) if s.media is not Media.OTHER]
    return streams[-1] if streams else None


def within(schedule: Schedule, broken: Break) -> Break:
    """Return an interruption that the answer has, for one that may be behind its end.

    Something is left out or garbled then: it comes before the last event, or the last with JSON.
    """
    if schedule.media is Media.OTHER:
        return broken
    plain = schedule.plain
    ends = (0, *plain.event_ends)
    events = min(broken.events, max(len(ends) - 2, 0))
    while broken.kind is FaultKind.GARBLE and events:
        if faults.can_garble(schedule, ends[events]):
            break
        events -= 1
    return replace(broken, events=events)


def _interrupted(schedule: Schedule, broken: Break) -> Schedule:
    if schedule.media is Media.OTHER:
        garbled = broken.kind is FaultKind.GARBLE
        middle = len(schedule.plain.data) // 2 if broken.events and not garbled else 0
        return faults.apply(schedule, Fault(broken.kind, middle))
    ends = (0, *schedule.plain.event_ends)
    if broken.events >= len(ends):
        raise ValueError(f"{broken} is behind the end: the stream has {len(ends) - 1} events")
    return faults.apply(schedule, Fault(broken.kind, _offset(schedule.plain, broken, ends)))


def _offset(plain: Body, broken: Break, ends: Sequence[int]) -> int:
    """Return where a stream breaks. A cut of AWS frames comes inside the one behind the events.

    A part of a frame says nothing; the parts take turns: prelude, headers, payload, checksum.
    """
    if plain.media is not Media.AWS_FRAMES or broken.kind is not FaultKind.CUT:
        return ends[broken.events]
    if broken.events >= len(plain.frames):
        return ends[broken.events]
    frame = plain.frames[broken.events]
    begin, end = frame.span
    headers = begin + eventstream.PRELUDE
    parts = (
        begin + eventstream.PRELUDE // 2,
        (headers + frame.payload_start) // 2,
        (frame.payload_start + end) // 2,
        end - eventstream.CHECKSUM // 2,
    )
    return parts[broken.events % len(parts)]


def _known() -> str:
    axis_words = (f"{axis}={'|'.join(values[1:])}" for axis, values in AXES.items())
    breaks = (f"{kind}=EVENTS" for kind in FaultKind)
    return "known are " + ", ".join((*axis_words, *breaks, "interactions=N+N", "seed=N"))


def _interactions(text: str) -> tuple[int, ...]:
    numbers = text.split("+")
    if not all(_is_number(n) for n in numbers):
        raise ValueError(f"interactions are numbers from 0, such as 0 or 0+2: not {text!r}")
    return tuple(map(int, numbers))


def _number(words: dict[str, str], word: str, default: str = "") -> int:
    text = words.get(word, default)
    if not _is_number(text):
        raise ValueError(f"{word} needs a number, such as {word}=3: not {text!r}")
    return int(text)


def _is_number(text: str) -> bool:
    # isdecimal alone allows the digits of other scripts; a long number cannot be meant.
    return text.isascii() and text.isdecimal() and len(text) <= 9
