from __future__ import annotations

from mockserver.dialects.form import COMMON, Form, merged


def test_a_form_has_all_that_those_it_is_merged_from_have() -> None:
    one = Form(
        user_fields={"user": "user"}, id_fields=frozenset({"a"}), volatile_headers=("x", "y")
    )
    two = Form(
        user_fields={"owner": "user"}, id_fields=frozenset({"b"}), volatile_headers=("y", "z")
    )
    both = merged([one, two])
    assert both.user_fields == {"user": "user", "owner": "user"}
    assert both.id_fields == {"a", "b"}
    assert both.volatile_headers == ("x", "y", "z")


def test_headers_are_named_by_patterns_of_the_whole_name() -> None:
    assert COMMON.is_kept_response_header("retry-after-ms")
    assert not COMMON.is_kept_response_header("x-location")
    assert COMMON.is_volatile_header("x-ratelimit-limit")
    assert not COMMON.is_volatile_header("content-type")


def test_no_pattern_names_no_header() -> None:
    assert not Form().is_kept_response_header("")
    assert not Form().is_volatile_header("content-type")
