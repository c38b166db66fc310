from __future__ import annotations

import pytest

from harness.errors import SelectionError
from harness.suite.selection import matches, may_match_within, select

IDS = (
    "openai-chat/tools-parallel/recorded@openai-compat",
    "openai-chat/tools-parallel/eol=crlf,framing=one-byte@openai-compat",
    "openai-chat/tools-parallel/recorded@mine",
    "http/429/anthropic/recorded@openai-compat",
    "http/429/anthropic/cut=3@openai-compat",
)


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("openai-chat", [0, 1, 2]),
        ("openai-chat/tools-*", [0, 1, 2]),
        ("openai-chat/*/recorded", [0, 2]),
        ("*", [0, 1, 2, 3, 4]),
        ("http/429", [3, 4]),
        ("http/*/anthropic", [3, 4]),
        ("**/framing=one-byte", []),
        ("**/*framing=one-byte", [1]),
        ("**/cut=*", [4]),
        ("openai-chat@mine", [2]),
        ("@mine", [2]),
        ("**@openai-*", [0, 1, 3, 4]),
        ("{http,sse}/**", [3, 4]),
        ("tools-parallel", []),
        (IDS[1], [1]),
    ],
)
def test_patterns(pattern: str, numbers: list[int]) -> None:
    assert [i for i, case_id in enumerate(IDS) if matches(case_id, pattern)] == numbers


def test_select_keeps_order_and_leaves_out() -> None:
    chosen = select(IDS, ["openai-chat", "!@mine"], str)
    assert chosen == IDS[:2]
    assert select(IDS, ["!http"], str) == IDS[:3]
    assert select(IDS, [], str) == IDS


@pytest.mark.parametrize("pattern", ["nothing/here", "!nothing", "openai-chat@nobody"])
def test_a_pattern_that_matches_nothing_is_an_error(pattern: str) -> None:
    with pytest.raises(SelectionError, match="matches no case"):
        select(IDS, ["openai-chat", pattern], str)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("http/429", True),
        ("http/429/anthropic", True),
        ("http/4*/anthropic/cut=3@mine", True),
        ("http", True),
        ("*", True),
        ("@mine", True),
        ("**/cut=*", True),
        ("{http,sse}/429", True),
        ("http/500", False),
        ("http/500/anthropic", False),
        ("sse@mine", False),
        ("429", False),
    ],
)
def test_what_a_pattern_may_select_of_a_table(pattern: str, expected: bool) -> None:
    assert may_match_within("http/429", pattern) is expected


@pytest.mark.parametrize("case_id", IDS)
@pytest.mark.parametrize("pattern", ["*/*/*", "openai-chat/*/e*", "http/429/anthropic/*", *IDS])
def test_a_file_is_read_if_one_of_its_cases_matches(case_id: str, pattern: str) -> None:
    table = "/".join(case_id.split("/")[:2])
    assert may_match_within(table, pattern) or not matches(case_id, pattern)
