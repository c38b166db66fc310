"""Quotas: what they let through, and when they are there again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.backend.limits import Limits, Meter, Meters
from mockserver.dialects.refusals import QuotaKind


def test_a_minute_has_so_many_requests_and_they_come_back_evenly() -> None:
    meter = Meter(Limits(rpm=3))
    assert [meter.take(10, 0.0) for _ in range(3)] == [None, None, None]
    excess = meter.take(10, 5.0)
    assert excess is not None
    assert excess.quota.kind is QuotaKind.REQUESTS
    assert excess.wait == pytest.approx(15)
    assert meter.take(10, 20.0) is None
    assert meter.take(10, 20.0) is not None


def test_tokens_of_an_answer_are_taken_too() -> None:
    meter = Meter(Limits(tpm=60))
    assert meter.take(10, 0.0) is None
    meter.spend(80)
    (quota,) = meter.quotas(0.0)
    assert (quota.remaining, quota.limit) == (0, 60)
    assert quota.reset == pytest.approx(90)
    assert meter.take(1, 0.0).wait == pytest.approx(31)  # type: ignore[union-attr]
    assert meter.take(1, 32.0) is None


def test_a_request_that_is_larger_than_the_quota_never_fits() -> None:
    excess = Meter(Limits(tpm=60)).take(61, 0.0)
    assert excess is not None
    assert (excess.wait, excess.asked) == (None, 61)


def test_a_request_that_one_quota_refuses_takes_nothing_of_another() -> None:
    meter = Meter(Limits(rpm=2, tpm=60))
    assert meter.take(61, 0.0) is not None
    assert [quota.remaining for quota in meter.quotas(0.0)] == [2, 60]


def test_each_model_of_each_provider_has_quotas_of_its_own() -> None:
    meters = Meters(Limits(rpm=1))
    for provider, model in (("OpenAI", "a"), ("OpenAI", "b"), ("anthropic", "a")):
        assert meters.of(provider, model).take(1, 0.0) is None
        assert meters.of(provider, model).take(1, 0.0) is not None


def test_models_without_an_end_take_no_memory() -> None:
    meters = Meters(Limits(rpm=1))
    assert len({id(meters.of("OpenAI", f"m{n}")) for n in range(5000)}) <= 1001


def test_a_limit_lets_something_through() -> None:
    with pytest.raises(ValueError, match="rpm is at least 1"):
        Limits(rpm=0)


def test_own_limits_are_over_those_of_a_script() -> None:
    assert Limits(rpm=3).over({"rpm": 5, "tpm": 7}) == Limits(rpm=3, tpm=7)


@given(
    st.integers(1, 100),
    st.lists(st.tuples(st.floats(0, 50), st.integers(0, 120)), max_size=40),
)
def test_whoever_waits_as_told_is_let_in(tpm: int, requests: list[tuple[float, int]]) -> None:
    meter, now = Meter(Limits(tpm=tpm, rpm=10)), 0.0
    for after, tokens in requests:
        now += after
        excess = meter.take(tokens, now)
        while excess is not None and excess.wait is not None:
            assert 0 < excess.wait <= 60.001
            now += excess.wait
            excess = meter.take(tokens, now)
        assert (excess is None) == (tokens <= tpm)
    assert all(0 <= quota.remaining <= quota.limit for quota in meter.quotas(now))
