"""The table of kinds of findings, by level, as ``tapecheck explain --levels`` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from textwrap import wrap

from harness.judge.kinds import KINDS, Level

_MEANS = {
    Level.MUST: "what a user of the client loses, or gets wrong; always fails a run",
    Level.SHOULD: "what a careful client does; fails with --level should",
    Level.MAY: "conventions of this suite; fail with --level may",
}
#: Width of the table, and characters between two columns.
_WIDTH, _GAP = 79, 2


def table() -> Iterator[str]:
    """Yield the lines: each kind with what it is and the reason for its level, must first."""
    first = max(map(len, KINDS)) + _GAP
    second = (_WIDTH - first) * 11 // 20
    for level in Level:
        yield f"{level}: {_MEANS[level]}"
        for name, kind in KINDS.items():
            if kind.level is not level:
                continue
            what = wrap(kind.what, second - _GAP)
            reason = wrap(kind.reason, _WIDTH - first - second)
            for one, two, three in zip_longest([name], what, reason, fillvalue=""):
                yield f"{one:{first}}{two:{second}}{three}".rstrip()
        yield ""
