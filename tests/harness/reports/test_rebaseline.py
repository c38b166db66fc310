from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.errors import BaselineError
from harness.judge.baseline import Baseline, Entry
from harness.judge.kinds import KINDS
from harness.reports import where
from harness.reports.rebaseline import rebaseline, rewritten
from tests.harness.reports.made import FINDING, Record, case, run_of

SCENARIOS = ("a/b", "a/c", "d/e")
USAGE = FINDING | {"kind": "usage", "field": "usage.input_tokens"}
TOTAL = FINDING | {"kind": "usage", "field": "usage.total_tokens"}


def updated(
    before: tuple[Entry, ...] | list[Entry],
    *cases: Record,
    reason: str | None = "new",
    level: str = "must",
    **narrowed: object,
) -> tuple[Entry, ...]:
    run = run_of(*cases, level=level, **narrowed)[0]
    return rebaseline(Baseline(Path("one.yaml"), tuple(before)), run, cases, SCENARIOS, reason)


def entry(*cases: str, kind: str = "text", reason: str = "old") -> Entry:
    return Entry(kind=kind, field=kind, cases=cases, reason=reason)


def test_failures_become_causes() -> None:
    found = updated(
        (),
        case("a/b/recorded@one", "fail", FINDING, USAGE, TOTAL),
        case("a/b/eol=cr@one", "fail", USAGE, TOTAL),
        case("a/c/recorded@one"),
        case("a/c/bom=yes@one", "fail", FINDING, FINDING | {"check": "sequence"}),
    )
    assert found == (
        Entry(
            kind="text", field="text", cases=("a/b/**/recorded", "a/c/**/*bom=yes*"), reason="new"
        ),
        Entry(kind="usage", field="usage.*", cases=("a/b/**",), reason="new"),
    )


def test_only_what_fails_at_the_level_of_the_run_is_listed() -> None:
    detail = FINDING | {"kind": "error-detail", "field": "error.code", "level": "may"}
    cases = (case("a/b/recorded@one", "fail", FINDING, detail),)
    assert [e.kind for e in updated((), *cases)] == ["text"]
    assert [e.kind for e in updated((), *cases, level="may")] == ["text", "error-detail"]


def test_what_a_shard_did_not_play_stays() -> None:
    before = (entry("a/**", "d/e/recorded"),)
    played = case("a/b/recorded@one")
    assert updated(before, played, shard={}) == before
    assert updated(before, played) == ()


def test_many_failures_are_few_entries() -> None:
    kinds = list(KINDS)[:20]
    cases = [
        case(f"a/s{n}/recorded@one", "fail", FINDING | {"kind": kinds[n % 20], "field": "x"})
        for n in range(1000)
    ]
    assert len(updated((), *cases)) == 20
    assert all(len(e.cases) <= where.FEW for e in updated((), *cases))


def test_what_is_known_stays_and_what_is_gone_goes() -> None:
    before = [entry("a/b/**", "a/c/**"), entry("d/e/**", kind="refusal")]
    cases = (case("a/b/recorded@one", "known"), case("a/c/recorded@one"))
    assert updated(before, *cases, reason=None) == (entry("a/b/**"),)


def test_what_was_not_played_stays() -> None:
    before = [entry("a/b/**", "a/c/**"), entry("d/**", kind="refusal"), entry("gone/x/**")]
    played = case("a/c/recorded@one", "fail", USAGE)
    after = updated(before, played, patterns=["a/c"])
    assert after == (
        entry("a/b/**"),
        entry("d/**", kind="refusal"),
        Entry(kind="usage", field="usage.input_tokens", cases=("a/c/**",), reason="new"),
    )


def test_the_older_form_is_replaced_and_keeps_its_reasons() -> None:
    old = [
        Entry(checks=frozenset({"turn"}), cases=(name,), reason="why")
        for name in ("a/b/recorded", "a/c", "d/e/recorded")
    ]
    cases = (case("a/b/recorded@one", "known"), case("a/c/recorded@one"))
    after = updated(old, *cases, reason=None, patterns=["a"])
    assert after == (old[2], entry("a/b/**", reason="why"))


def test_a_new_failure_needs_a_reason() -> None:
    with pytest.raises(BaselineError, match="--reason"):
        updated((), case("a/b/recorded@one", "fail"), reason=None)


def test_a_broken_harness_is_no_known_failure() -> None:
    with pytest.raises(BaselineError, match="is a harness error"):
        updated((), case("a/b/recorded@one", "error"))


def test_results_without_kinds_are_refused() -> None:
    finding = {k: v for k, v in FINDING.items() if k not in {"kind", "level", "field"}}
    old = case("a/b/recorded@one", "fail", FINDING) | {"findings": [finding]}
    with pytest.raises(BaselineError, match="older tapecheck"):
        updated((), old)


ENTRY = Entry(kind="text", cases=("a/{b,c}", "d/**"), reason="weil’s so ist: #1")
OLD = Entry(checks=frozenset({"turn", "fold"}), cases=("a/b",), reason="r")


@pytest.mark.parametrize(
    "text",
    [
        "adapter: one  # mine\nentry: a.py:one\n",
        "adapter: one\nentry: a.py:one",
        "# Mine.\nadapter: one\nbaseline: []\n# Where.\nentry: a.py:one\n",
        "baseline:\n- cases: x\n  signature: y\n  reason: |\n    several\n\n    lines\n\n# Where.\n"
        "entry: a.py:one\n",
        "adapter: one\nbaseline:\n  - {cases: x, signature: y, reason: z}\n  # within\n\n",
    ],
)
def test_only_the_baseline_is_rewritten(text: str) -> None:
    after = rewritten(text, [ENTRY, OLD])
    without = {k: v for k, v in yaml.safe_load(text).items() if k != "baseline"}
    assert yaml.safe_load(after) == without | {
        "version": 1,
        "baseline": [
            {"kind": "text", "cases": ["a/{b,c}", "d/**"], "reason": ENTRY.reason},
            {"cases": "a/b", "signature": "fold+turn", "reason": "r"},
        ],
    }
    assert [line in after for line in ("# Mine.", "# mine", "# Where.")] == [
        line in text for line in ("# Mine.", "# mine", "# Where.")
    ]
    assert rewritten(after, [ENTRY, OLD]) == after
    assert yaml.safe_load(rewritten(after, [])) == without | {"version": 1}
