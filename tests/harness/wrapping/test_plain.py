from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from openai.types.completion_usage import CompletionUsage
from openai.types.responses import ResponseUsage

from harness.wrapping import usage_from
from harness.wrapping.plain import as_json
from mockserver.vocabulary import FinishReason, Usage


@dataclass
class Counts:
    prompt_tokens: int


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 7},
        SimpleNamespace(prompt_tokens=7, completion_tokens=None),
        Counts(prompt_tokens=7),
        CompletionUsage.construct(prompt_tokens=7),
        CompletionUsage.construct(prompt_tokens=7, prompt_tokens_details=None),
        ResponseUsage.construct(input_tokens=7, input_tokens_details=None),
    ],
)
def test_absent_details_and_counts_are_none(usage: object) -> None:
    assert usage_from(usage) == Usage(input_tokens=7)


def test_details_are_read_from_both_apis() -> None:
    expected = Usage(input_tokens=7, cache_read_input_tokens=3, reasoning_tokens=2)
    assert expected == usage_from(
        {
            "prompt_tokens": 7,
            "prompt_tokens_details": SimpleNamespace(cached_tokens=3),
            "completion_tokens_details": {"reasoning_tokens": 2},
        }
    )
    assert expected == usage_from(
        {
            "input_tokens": 7,
            "input_tokens_details": {"cached_tokens": 3},
            "output_tokens_details": {"reasoning_tokens": 2},
        }
    )


@pytest.mark.parametrize("usage", [None, {}, "no object", 7, {"prompt_tokens": None}])
def test_no_count_is_no_usage(usage: object) -> None:
    assert usage_from(usage) is None


def test_undocumented_fields_and_wrong_types_are_kept() -> None:
    usage = CompletionUsage.construct(prompt_tokens="many", extra={"a": [1]})
    data = as_json(usage)
    assert data["prompt_tokens"] == "many"
    assert data["extra"] == {"a": [1]}


def test_an_attribute_that_is_none_is_absent() -> None:
    assert as_json(CompletionUsage.construct(prompt_tokens=7, total_tokens=None)) == {
        "prompt_tokens": 7
    }
    assert as_json({"prompt_tokens": None}) == {"prompt_tokens": None}


def test_bytes_and_enums_are_what_the_wire_has() -> None:
    assert as_json({"a": b"\0\0\0", "b": FinishReason.STOP}) == {"a": "AAAA", "b": "stop"}
    assert type(as_json(FinishReason.STOP)) is str
