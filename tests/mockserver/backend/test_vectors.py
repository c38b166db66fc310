from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.backend.vectors import vector


@given(st.text(), st.integers(1, 64))
def test_every_text_has_a_vector_of_length_1(text: str, size: int) -> None:
    found = vector(text, size)
    assert len(found) == size
    assert math.hypot(*found) == pytest.approx(1.0)
    assert found == vector(text, size)


def near(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(vector(one, 1536), vector(other, 1536), strict=True))


def test_texts_that_share_more_are_nearer() -> None:
    text = "How do I reset my password?"
    assert near(text, "how do i reset MY password") > 0.99
    assert near(text, "Resetting a password") > near(text, "The weather in Paris") + 0.2


def test_a_salt_changes_every_vector() -> None:
    assert vector("Hello", 64) != vector("Hello", 64, salt="1:")
