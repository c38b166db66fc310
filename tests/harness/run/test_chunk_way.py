"""How often a case is parsed on its way: a number that grows is a stage that parses again."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from tests.benchmarks.chunk_way import counted
for patterns, faults in %r:
    counts = counted(*patterns, faults=faults)
    print(counts.harness["json"], counts.harness["decode"], counts.harness["fold"])
"""
PLAIN = ("openai-chat/text-basic/recorded",)
TOOLS = ("openai-chat/tool-single-split-args/recorded",)
FAULTS = ("openai-chat/text-basic/cut=*", "openai-chat/text-basic/reset=*")


def counts(*runs: tuple[tuple[str, ...], bool]) -> list[tuple[int, ...]]:
    """JSON texts, decoded streams and folds of each run, in a process that knows nothing yet."""
    found = subprocess.run(
        [sys.executable, "-c", CODE % (runs,)], capture_output=True, text=True, check=True
    )
    return [tuple(map(int, line.split())) for line in found.stdout.splitlines()]


def test_a_case_of_nine_events_is_parsed_once() -> None:
    # Eight events and the request; the turn, its deltas joined and cut.
    assert counts((PLAIN, False), (PLAIN, False)) == [(9, 1, 3), (1, 0, 3)]


def test_a_case_with_a_tool_reads_its_arguments_once() -> None:
    # Nine events, the request, and the arguments: of the turn, of the wire, of their comparison.
    assert counts((TOOLS, False)) == [(13, 1, 3)]


def test_each_fault_is_decoded_once_and_no_event_parsed_twice() -> None:
    # Twenty requests; eight events at ten places; the turn is folded in every case.
    ((texts, decoded, folds),) = counts((FAULTS, True))
    assert (texts, decoded) == (20 + 8, 10)
    assert folds <= 3 * 20
