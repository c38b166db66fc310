from __future__ import annotations

from harness.judge import sources
from harness.judge.comparing import compare
from harness.judge.terms import Terms

FULL = {"url": "https://a.test", "title": "A", "start": 0, "end": 3}


def kinds(given: dict[str, object], granularity: str = "any") -> list[str]:
    terms = Terms(features=frozenset({"citations"}), granularity=granularity)
    found = compare({"citations": [FULL]}, {"citations": [given]}, terms, {})
    return [one.kind for one in found]


def test_details_that_a_client_gives_nowhere_are_not_missed() -> None:
    assert kinds({"url": "https://a.test"}) == []
    assert kinds({"url": "https://a.test", "title": "A"}) == []
    assert kinds({"url": "https://a.test"}, "exact") == ["citation"]


def test_details_that_a_client_gives_are_compared() -> None:
    assert kinds({"url": "https://b.test"}) == ["citation"]
    assert kinds({**FULL, "end": 4}) == ["citation"]
    only_once = [{"url": "u", "start": 1}, {"url": "v"}]
    assert sources.as_far([FULL, 7], only_once) == [{"url": "https://a.test", "start": 0}, 7]
    assert sources.as_far([FULL], []) == [{"url": "https://a.test"}]
