import pytest

from harness.adapters.common.usage import UsageMeter, read_usage
from mockserver.vocabulary.model import Usage


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "total_tokens": 13,
                "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(
                input_tokens=9,
                output_tokens=4,
                total_tokens=13,
                cache_read_input_tokens=2,
                cache_creation_input_tokens=1,
                reasoning_tokens=3,
            ),
        ),
        (
            {
                "input_tokens": 9,
                "output_tokens": 4,
                "input_tokens_details": {"cached_tokens": 2},
                "output_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(input_tokens=9, output_tokens=4, cache_read_input_tokens=2, reasoning_tokens=3),
        ),
        (
            {"prompt_eval_count": 9, "eval_count": 4},
            Usage(input_tokens=9, output_tokens=4),
        ),
        (
            {"prompt_tokens": 9, "prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 4},
            Usage(input_tokens=9, cache_read_input_tokens=5),
        ),
        ({"reasoning_tokens": 7}, Usage(reasoning_tokens=7)),
        ({"input_tokens": 0, "prompt_tokens": 9}, Usage(input_tokens=9)),
        ({"input_tokens": 9, "prompt_tokens": 0}, Usage(input_tokens=9)),
        ({"input_tokens": 0, "prompt_tokens": 0}, Usage(input_tokens=0)),
        ({"input_tokens": None, "prompt_tokens": 9}, Usage(input_tokens=9)),
        ({"prompt_tokens": True, "completion_tokens": 4.0}, Usage(output_tokens=4)),
        ({"prompt_tokens": "x", "completion_tokens": 1.5, "total_tokens": -1}, Usage()),
        ({"prompt_tokens": "9", "completion_tokens": "0"}, Usage(input_tokens=9, output_tokens=0)),
        ({"prompt_tokens": "", "completion_tokens": "-1", "total_tokens": "9" * 9999}, Usage()),
        ({"prompt_tokens": "1.5", "completion_tokens": "٣", "total_tokens": "1e3"}, Usage()),
        ({"prompt_tokens": float("inf"), "prompt_tokens_details": None}, Usage()),
    ],
)
def test_every_shape(data, expected):
    assert read_usage(data) == expected


def total(*objects):
    meter = UsageMeter()
    for data in objects:
        meter.add(data)
    return meter.total()


def test_last_value_wins_per_field_and_nothing_is_added():
    assert total(
        {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
        {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
        {"completion_tokens": None},
        None,
    ) == Usage(input_tokens=9, output_tokens=5, total_tokens=14)


@pytest.mark.parametrize("silence", [(), (None,), ({},), ("x",), ({"prompt_tokens": None},)])
def test_silence_is_not_zero(silence):
    assert total(*silence) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4}, 13),
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 560}, 560),
        ({"prompt_tokens": 9}, None),
        ({"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 5}, 13),
        ({"prompt_tokens": 9, "completion_tokens": 4, "cache_read_input_tokens": 5}, 13),
        (
            {
                "input_tokens": 9,
                "output_tokens": 4,
                "cache_read_input_tokens": 5,
                "cache_creation_input_tokens": 2,
            },
            20,
        ),
        (
            {"input_tokens": 9, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 5}},
            13,
        ),
    ],
)
def test_total(data, expected):
    usage = total(data)
    assert usage is not None
    assert usage.total_tokens == expected


def test_zeros_after_counts_are_a_placeholder():
    counts = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    zeros = dict.fromkeys(counts, 0)
    known = Usage(input_tokens=5, output_tokens=7, total_tokens=12)
    assert total(counts, zeros) == total(zeros, counts, zeros) == known
    assert total(zeros) == Usage(input_tokens=0, output_tokens=0, total_tokens=0)


@pytest.mark.parametrize("odd", [10**400, -1, 1.5, float("inf"), float("nan"), True, "1" * 19, [1]])
def test_what_is_no_count_is_none(odd):
    assert read_usage({"input_tokens": odd, "output_tokens": 3.0}) == Usage(output_tokens=3)
