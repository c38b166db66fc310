"""The bytes of answers that differ in their ids alone: written once, sent with other ids. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockserver.backend import Given, Repeat

#: Returns the bytes of an answer, or ``None`` for one that cannot be sent at once.
Written = Callable[[Given], bytes | None]


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """The answers to one request: their bytes between the ends of their ids.

    ``first`` is one of them, and ``size`` how many bytes the body of each has.
    """

    repeat: Repeat
    first: Given
    size: int
    pieces: tuple[bytes, ...]

    def next(self) -> tuple[int, bytes]:
        """Return the number of the next answer, and its bytes."""
        number = self.repeat.take()
        return number, self.repeat.own(number).encode().join(self.pieces)


def made_again(repeat: Repeat, written: Written) -> MadeAgain | None:
    """Return the answers to a request, if no more than the ends of ids is different in them.

    Two of them are compared: frames with a checksum differ elsewhere.
    """
    first, other = repeat.make(repeat.first), repeat.make(repeat.first + 1)
    message, second = written(first), written(other)
    if message is None or second is None or len(message) != len(second):
        return None
    own, others = (repeat.own(repeat.first + n).encode() for n in (0, 1))
    pieces = _between(message, own, second, others)
    if others.join(pieces) != second:
        return None
    return MadeAgain(repeat, first, len(first.exchange.schedule.body), pieces)


def _between(message: bytes, own: bytes, second: bytes, others: bytes) -> tuple[bytes, ...]:
    """Return what is between the places at which the one has ``own`` and the second ``others``."""
    pieces, begin, at = [], 0, message.find(own)
    while at >= 0:
        end = at + len(own)
        if second[at:end] == others:
            pieces.append(message[begin:at])
            begin = at = end
        else:
            at += 1
        at = message.find(own, at)
    return (*pieces, message[begin:])
