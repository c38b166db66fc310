from __future__ import annotations

from harness.judge.kinds import KINDS
from harness.reports.levels import table

LINES = list(table())


def test_the_table_has_every_kind_by_level() -> None:
    first = [line.split()[0] for line in LINES if line and not line.startswith(" ")]
    order = ["must:", "should:", "may:"]
    assert [word for word in first if word in order] == order
    at = {name: first.index(name) for name in KINDS}
    for level, after in zip(order, [*order[1:], None], strict=True):
        end = len(first) if after is None else first.index(after)
        names = {name for name, kind in KINDS.items() if kind.level == level.rstrip(":")}
        assert {name for name in at if first.index(level) < at[name] < end} == names


def test_it_says_what_and_why_within_80_columns() -> None:
    assert max(map(len, LINES)) < 80
    words = " ".join(" ".join(LINES).split())
    for kind in KINDS.values():
        assert kind.reason.split()[0] in words
    at = next(n for n, line in enumerate(LINES) if line.startswith("stop-with-call"))
    assert LINES[at : at + 2] == [
        "stop-with-call   stop in place of tool_calls for   the calls say it themselves",
        "                 a turn with calls",
    ]
