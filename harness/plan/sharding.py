"""Split the cases of a plan into shards that several machines play.

Each machine makes the same plan of all cases and plays every n-th of them, in an order that depends
on nothing but the cases' ids. What only all cases can tell, such as an entry of a baseline that
covers nothing, is left to whoever merges the records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from harness.plan.planning import Plan, Share
from harness.suite.scenario import Case

_FORM = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


def parse_shard(text: str) -> tuple[int, int]:
    """Return the number of a shard, from 1, and how many there are, of a text such as ``2/3``.

    Raises ``ValueError`` for any other text.
    """
    found = _FORM.fullmatch(text)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= of:
        raise ValueError(f"a shard is a number and how many there are, such as 2/3, not {text!r}")
    return number, of


def sharded(plan: Plan, number: int, of: int) -> Plan:
    """Return the plan of shard ``number`` of ``of``.

    The problems of the whole plan go into its ``share``.
    """
    share = Share(
        number=number,
        of=of,
        cases=len(plan.cases),
        digest=_digest(plan.cases),
        problems=plan.problems,
        unreadable=plan.unreadable,
    )
    cases = _part(plan.cases, number, of)
    return replace(plan, cases=cases, problems=(), unreadable=False, share=share)


def _part(cases: Sequence[Case], number: int, of: int) -> tuple[Case, ...]:
    """Return every n-th case in the order of hashes, so that slow neighbours are spread.

    The cases keep the order of the plan.
    """
    by_hash = sorted(cases, key=lambda case: _hash(case.id))
    chosen = {case.id for case in by_hash[number - 1 :: of]}
    return tuple(case for case in cases if case.id in chosen)


def _digest(cases: Iterable[Case]) -> str:
    return _hash("\n".join(sorted(case.id for case in cases)))


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
