from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BaselineError
from harness.judge.baseline import Baseline, Entry
from harness.judge.kinds import Level
from harness.judge.transcript import Finding, Outcome, Verdict
from harness.suite import selection
from harness.suite.scenario import Case
from tests.harness.plan.test_expand import SCENARIO

CASE = Case(scenario=SCENARIO, adapter="mine")
USAGE = Finding(check="usage", kind="usage", field="usage.total_tokens", message="m")
TEXT = Finding(check="turn", kind="text", field="text", message="m")
DETAIL = Finding(check="error", kind="error-detail", field="error.code", message="m")


def entry(kind: str = "usage", field: str = "usage.*", *cases: str, reason: str = "r") -> Entry:
    return Entry(kind=kind, field=field, cases=cases or ("openai-chat/**",), reason=reason)


def baseline(*entries: Entry) -> Baseline:
    return Baseline(Path("mine.yaml"), entries)


def verdict(*findings: Finding, outcome: Outcome = Outcome.FAIL) -> Verdict:
    return Verdict(outcome=outcome, findings=findings)


@pytest.mark.parametrize(
    ("entries", "findings", "level", "reason"),
    [
        ([entry()], [USAGE], Level.MUST, "r"),
        ([entry("usage", "*")], [USAGE], Level.MUST, "r"),
        ([entry("usage", "usage.input_tokens")], [USAGE], Level.MUST, None),
        ([entry("text", "*")], [USAGE], Level.MUST, None),
        ([entry("usage", "*", "http/**")], [USAGE], Level.MUST, None),
        ([entry("usage", "*", "http/**", "**/recorded")], [USAGE], Level.MUST, "r"),
        ([entry()], [USAGE, TEXT], Level.MUST, None),
        ([entry(), entry("text", "*", reason="s")], [TEXT, USAGE], Level.MUST, "s; r"),
        ([entry()], [USAGE, DETAIL], Level.MUST, "r"),
        ([entry()], [USAGE, DETAIL], Level.MAY, None),
    ],
)
def test_a_case_is_known_if_all_that_fails_it_is_covered(
    entries: list[Entry], findings: list[Finding], level: Level, reason: str | None
) -> None:
    judged, why = baseline(*entries).apply(CASE, verdict(*findings), level)
    assert (judged.outcome is Outcome.KNOWN, why) == (reason is not None, reason)


def test_an_entry_of_the_older_form_covers_what_its_checks_find() -> None:
    old = Entry(checks=frozenset({"turn", "usage"}), cases=("openai-chat/x",), reason="r")
    judged, why = baseline(old).apply(CASE, verdict(USAGE, TEXT), Level.MUST)
    assert (judged.outcome, why) == (Outcome.KNOWN, "r")
    judged, why = baseline(old).apply(CASE, verdict(USAGE, DETAIL), Level.MAY)
    assert (judged.outcome, why) == (Outcome.FAIL, None)


@pytest.mark.parametrize("before", [verdict(outcome=Outcome.PASS), verdict(TEXT)])
def test_an_entry_of_one_case_is_stale_when_it_covers_nothing(before: Verdict) -> None:
    own = entry("usage", "*", CASE.id.partition("@")[0])
    judged, _ = baseline(own).apply(CASE, before, Level.MUST)
    assert judged.outcome is Outcome.STALE
    assert judged.findings[0].kind == "stale"
    assert "mine.yaml: stale baseline entry: expected to fail by usage" in (
        judged.findings[0].message
    )


def test_a_wide_entry_is_not_stale_because_of_one_case() -> None:
    passed = verdict(outcome=Outcome.PASS)
    assert baseline(entry()).apply(CASE, passed, Level.MUST) == (passed, None)


def test_an_error_of_the_harness_stays_one() -> None:
    judged, _ = baseline(entry()).apply(CASE, verdict(USAGE, outcome=Outcome.ERROR), Level.MUST)
    assert judged.outcome is Outcome.ERROR


def test_patterns_without_cases_and_without_scenarios() -> None:
    lost = entry("usage", "*", "openai-chat/**", "openai-chat/x/cut=99", "http/none/**")
    known = baseline(lost)
    assert [r.pattern for r in known.unmatched([CASE.id])] == [
        "openai-chat/x/cut=99",
        "http/none/**",
    ]
    with pytest.raises(BaselineError, match="no scenario matches 'http/none/"):
        known.check_names(["openai-chat/x", "http/some"])
    known.check_names(["openai-chat/x", "http/none"])


def test_an_unknown_kind_has_its_place() -> None:
    data = [{"kind": "text", "reason": "r"}, {"kind": "texd", "reason": "r"}]
    with pytest.raises(BaselineError, match=r"mine\.yaml:9: .*'texd' \(did you mean text\?\)"):
        Baseline.read(Path("mine.yaml"), data, [5, 9])


@pytest.mark.parametrize("form", ["{}/recorded", "{}/{{cut,reset}}={{1,2}}", "{}/**"])
def test_thousands_of_entries_are_looked_up_not_tried(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0
    selects = selection._Pattern.selects

    def counted(*args: object) -> bool:
        nonlocal tried
        tried += 1
        return selects(*args)  # type: ignore[arg-type]

    entries = [entry("usage", "*", form.format(f"a/s{n}")) for n in range(3000)]
    known = baseline(*entries)
    monkeypatch.setattr(selection._Pattern, "selects", counted)
    names = (f"a/s{n}/{v}@mine" for n in range(3000) for v in ("cut=1", "recorded"))
    assert known.unmatched(names) == ()
    assert tried <= 6000
    # The globs behind the starts are the same, so they are compiled once.
    assert selection._compiled.cache_info().currsize < 50
