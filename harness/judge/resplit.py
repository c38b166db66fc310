"""Check that it does not matter where the wire splits a text, only what the pieces join to.

The events of a turn are folded again, once with their deltas split and once with them joined.
Both must give the same turn.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.native import native_of
from harness.judge.reading import Reading
from harness.judge.transcript import Finding
from mockserver.vocabulary import fold, joined, split, to_json


def resplit(reading: Reading) -> Iterator[Finding]:
    """Check that the turn stays the same when its deltas are split or joined."""
    if not reading.record.streamed or not reading.events:
        return
    for how, events in (("split", list(split(reading.events))), ("joined", joined(reading.events))):
        if len(events) == len(reading.events):
            continue  # nothing could be split or joined
        if (again := fold(events)) != reading.folded:
            yield Finding(
                check="resplit",
                kind="turn",
                field="deltas",
                message=f"the turn changes when its deltas are {how}",
                expected=to_json(reading.folded),
                observed=to_json(again),
            )
    native = native_of(reading)
    if native is not None:
        for difference in native.grammar.resplit(native.objects, relayed=native.relayed):
            yield Finding(
                check="resplit",
                kind="native-content",
                field="deltas",
                message=difference.message,
                expected=difference.expected,
                observed=difference.observed,
            )
