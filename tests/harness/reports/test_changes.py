from __future__ import annotations

from harness.reports.changes import Changes, compare
from harness.reports.summary import summarize
from tests.harness.reports.made import FINDING, Record, case, run_of

USAGE = FINDING | {"kind": "usage", "field": "usage.input_tokens"}
A, B, C = (f"a/{name}/recorded@one" for name in "bcd")


def compared(before: list[Record], after: list[Record]) -> Changes:
    return compare(summarize(before), summarize(after))


def test_a_case_that_fails_for_another_cause_is_fixed_and_new() -> None:
    changes = compared(run_of(case(A, "fail")), run_of(case(A, "fail", USAGE)))
    usage, text = changes.causes
    assert (usage.group.kind, usage.new, usage.fixed) == ("usage", (A,), ())
    assert (text.group.kind, text.new, text.fixed) == ("text", (), (A,))
    assert (changes.new, changes.fixed, changes.still) == ({A}, {A}, frozenset())


def test_what_was_not_played_again_is_not_fixed() -> None:
    changes = compared(run_of(case(A, "fail"), case(B, "fail")), run_of(case(B), case(C, "fail")))
    (text,) = changes.causes
    assert (text.fixed, text.new, text.unplayed) == ((B,), (C,), 1)


def test_what_is_known_to_fail_now_is_not_fixed() -> None:
    (text,) = compared(run_of(case(A, "fail")), run_of(case(A, "known"))).causes
    assert (text.fixed, text.listed) == ((), (A,))
    (text,) = compared(run_of(case(A, "known")), run_of(case(A, "fail"))).causes
    assert text.new == (A,)


def test_in_what_else_the_runs_differ_is_said() -> None:
    before = run_of(case(A), seed=7)
    after = run_of(case(A), case("a/b/recorded@two"), axes="none", level="may", faults=False)
    before[0]["adapters"][0]["versions"] = ["openai 2.6", "httpx 0.28"]
    after[0]["adapters"][0]["versions"] = ["openai 2.7", "httpx 0.28"]
    assert compared(before, after).settings == (
        "axes pairwise before, none now",
        "seed 7 before, 0 now",
        "faults yes before, no now",
        "one: openai 2.6, httpx 0.28 before, openai 2.7, httpx 0.28 now",
        "one: must before, may now",
        "two was not run before",
    )
    assert compared(before, before).settings == ()
