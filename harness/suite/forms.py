"""Which keys of turns fit together; the schema knows each turn by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mockserver.cassettes import KeyPath
from mockserver.vocabulary import JsonObject

#: Keys that are a whole call, and those that would make another of it.
_WHOLE: Mapping[str, tuple[str, ...]] = {
    "again": ("call", "results", "messages"),
    "call": ("results", "messages"),
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """A key of a scenario that does not fit: what is wrong, where, and what to do."""

    message: str
    key_path: KeyPath
    hint: str


def problems(data: JsonObject) -> Iterator[Misfit]:
    """Yield what of a scenario's file, which obeys the schema, does not fit together."""
    turns = data.get("turns")
    if turns is None:
        if "together" in data:
            yield Misfit(
                "together needs several calls",
                ("together",),
                "give 'turns', each with a call of its own",
            )
        yield from _of_cancelled(data, (), data.get("call"))
        return
    if "call" not in turns[0]:
        yield Misfit(
            "the first turn has no call", ("turns", 0), "give it a 'call'; later turns continue it"
        )
        return
    call = first = turns[0]["call"]
    for number, turn in enumerate(turns):
        at: KeyPath = ("turns", number)
        call = first if "again" in turn else turn.get("call", call)
        yield from _of_turn(turn, at)
        yield from _of_cancelled(turn, at, call)
        if "together" in data:
            yield from _of_together(turn, at)


def _of_turn(turn: JsonObject, at: KeyPath) -> Iterator[Misfit]:
    for whole, others in _WHOLE.items():
        for key in others:
            if whole in turn and key in turn:
                yield Misfit(
                    f"{key} beside {whole}", (*at, key), f"leave {key} or {whole} out of this turn"
                )


def _of_cancelled(turn: JsonObject, at: KeyPath, call: JsonObject | None) -> Iterator[Misfit]:
    if "cancel_after" not in turn or call is None:
        return
    if not call.get("stream", True):
        yield Misfit(
            "cancel_after of a whole answer, which has no middle",
            (*at, "cancel_after"),
            "let the call stream, or leave cancel_after out",
        )
    if call.get("max_retries", 0):
        yield Misfit(
            "cancel_after of a call that may be retried: it is not known which answer waits",
            (*at, "cancel_after"),
            "leave max_retries of the call out",
        )


def _of_together(turn: JsonObject, at: KeyPath) -> Iterator[Misfit]:
    if "cancel_after" in turn:
        yield Misfit(
            "cancel_after in a scenario whose calls are made together",
            (*at, "cancel_after"),
            "leave it out, or make the calls one after the other",
        )
    if "call" not in turn:
        yield Misfit(
            "a turn without a call, in a scenario whose calls are made together",
            at,
            "give each turn a call of its own; none can continue another",
        )
