from __future__ import annotations

from harness.reports.exposure import Exposure
from tests.harness.reports.made import Record, case


def exposure(*records: Record) -> Exposure:
    made = Exposure()
    for record in records:
        made.add(record)
    return made


def test_a_field_is_found_where_the_wire_states_it_and_the_client_gives_it() -> None:
    made = exposure(
        case("a/recorded@mine", judged=["model", "text"], given=["model", "request_id"]),
        case("b/recorded@mine", "fail", unexposed=["response_id"], given=["response_id"]),
        case("c/recorded@mine", unexposed=["retry_after"]),
        case("d/recorded@other", judged=["usage"], given=["usage"]),
        case("e/recorded@mine"),
    )
    assert made.found("mine") == {"model", "response_id"}
    assert made.found("other") == {"usage"}


def test_a_field_that_is_given_now_and_then_has_not_vanished() -> None:
    given = case("a/recorded@mine", judged=["model"], given=["model"])
    missed = case("b/recorded@mine", judged=["model"])
    assert list(exposure(given, missed).vanished({"mine": ["model"]})) == []
    (problem,) = exposure(missed, missed).vanished({"mine": ["model"]})
    assert problem.startswith("mine gave model before and does not any more: 2 cases have it")


def test_a_field_that_no_wire_states_cannot_vanish() -> None:
    made = exposure(case("a/recorded@mine", judged=["text"]))
    assert list(made.vanished({"mine": ["model"]})) == []


def test_a_field_of_a_profile_alone_cannot_vanish() -> None:
    made = exposure(case("a/recorded@mine", judged=["model"]))
    assert list(made.vanished({"mine": []})) == []
