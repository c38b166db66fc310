from __future__ import annotations

import pytest

from harness.judge.terms import EXPOSABLE, PROFILES, USUAL, Terms, families
from mockserver.vocabulary import ErrorClass


def test_without_a_declaration_what_is_given_is_compared_and_nothing_is_missed() -> None:
    terms = Terms()
    assert terms.compares("response_id", "r1")
    assert not terms.compares("response_id")
    assert not terms.compares("citations", [])
    assert not terms.misses("response_id")


@pytest.mark.parametrize("field", sorted(USUAL))
def test_the_usual_fields_are_judged_unless_a_declaration_leaves_them_out(field: str) -> None:
    assert Terms().compares(field)
    assert Terms().misses(field)
    silent = Terms(exposes=frozenset())
    assert not silent.compares(field, "a value")
    assert not silent.misses(field)


def test_what_a_declaration_lists_is_compared_and_missed_and_nothing_else() -> None:
    terms = Terms(exposes=frozenset({"model"}))
    assert terms.compares("model")
    assert terms.misses("model")
    assert not terms.compares("response_id", "given all the same")
    assert not terms.misses("response_id")


@pytest.mark.parametrize("field", ["reasoning", "citations", "hosted_tools"])
@pytest.mark.parametrize("exposes", [None, frozenset[str]()])
def test_a_feature_exposes_what_it_names(field: str, exposes: frozenset[str] | None) -> None:
    assert not Terms(exposes=exposes).misses(field)
    terms = Terms(exposes=exposes, features=frozenset({field}))
    assert terms.compares(field)
    assert terms.misses(field)


def test_profiles_list_words_that_can_be_exposed() -> None:
    assert {name: words - EXPOSABLE.keys() for name, words in PROFILES.items()} == dict.fromkeys(
        PROFILES, frozenset()
    )
    assert PROFILES["everything"] == EXPOSABLE.keys()


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("rate_limit", "overloaded", True),
        ("rate_limit", "authentication", False),
        ("authentication", "permission", True),
        ("timeout", "connection_lost", True),
        ("timeout", "invalid_request", False),
        ("truncated_stream", "protocol", True),
    ],
)
def test_errors_of_one_family(one: str, other: str, alike: bool) -> None:
    assert families(one).isdisjoint(families(other)) is not alike


def test_every_class_of_error_has_a_family_and_other_words_have_none() -> None:
    assert [one for one in ErrorClass if not families(one)] == []
    assert families("odd") == frozenset()
