from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.dialects.failures import Failure, failure_of, read_failure
from mockserver.wire.schedule import from_response


def families(value: Any, status: int | None = None) -> set[str]:
    return set(read_failure(value, status=status).families)


@pytest.mark.parametrize(
    ("status", "error", "right", "wrong"),
    [
        (401, {"message": "Incorrect API key", "code": "invalid_api_key"}, "auth", "server"),
        (403, {"type": "invalid_request_error"}, "auth request", "server"),
        (400, {"message": "bad", "type": "invalid_request_error"}, "request", "auth server"),
        (400, {"message": "API key not valid"}, "auth request", "server"),
        (429, {"message": "Slow down, the server is busy"}, "rate", "server request"),
        (429, {"code": "insufficient_quota"}, "rate request", "server"),
        (500, {"message": "The input token count exceeds the maximum"}, "request server", "rate"),
        (500, {"message": "oops"}, "server", "auth request rate"),
        (503, {"message": "overloaded"}, "server rate", "auth"),
        (524, {}, "server transport", "request"),
        (None, {"code": "rate_limit_exceeded"}, "rate", "auth"),
        (None, {"code": 502, "message": "x"}, "server", "auth"),
        (None, {"code": "data_inspection_failed"}, "request", "server"),
    ],
)
def test_families(status: int | None, error: Any, right: str, wrong: str) -> None:
    found = families({"error": error}, status)
    assert set(right.split()) <= found
    assert found.isdisjoint(wrong.split())


def test_what_no_word_names_is_any_family() -> None:
    assert families({"error": {"message": "no luck"}}) == set()
    assert families({"error": {"message": "moved"}}, 301) == set()


def test_minimax_numbers_are_read_where_they_stand() -> None:
    base = {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}
    found = read_failure(base)
    assert (found.message, found.codes) == ("insufficient balance", {"1008"})
    assert found.families >= {"request", "rate"}
    assert "server" in families({"base_resp": {"status_code": 1000, "status_msg": "x"}})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"error": {"message": "x"}}, "x"),
        ({"error": "x"}, "x"),
        ({"code": "InvalidParameter", "message": "x"}, "x"),
        ({"detail": "x"}, "x"),
        ({"detail": [{"loc": ["body"], "msg": "x"}]}, "x"),
        ({"error": {"message": '{"error": {"message": "x"}}'}}, "x"),
        ({"error": {"message": "x"}, "message": "x"}, "x"),
        ({"error": {"message": "x"}, "message": "y"}, None),
        ({"error": {"message": " "}}, None),
        (None, None),
    ],
)
def test_the_message_is_the_only_one(value: Any, message: str | None) -> None:
    assert read_failure(value).message == message


def answer(body: bytes, *headers: tuple[str, str]) -> Failure:
    return failure_of(from_response(Response(status=400, reason="", headers=headers, body=body)))


def test_an_answer_has_its_status() -> None:
    body = json.dumps({"error": {"message": "x", "code": "c"}}).encode()
    found = answer(body)
    assert (found.status, found.message, found.codes) == (400, "x", {"c"})
    assert answer(b"<html>") == Failure(status=400, families=frozenset({"request"}))


def test_an_error_described_in_headers_too_may_be_of_any_family() -> None:
    assert answer(b'{"error":"x"}', ("x-error-json", "e30=")) == Failure(status=400)


def test_codes_are_what_a_client_may_give_for_one() -> None:
    error = {"code": 403, "type": "ok", "metadata": {"flagged_input": "x"}}
    assert read_failure({"error": error}).codes == {"403", "flagged_input"}


def test_an_error_that_is_nested_deeply_is_read_as_far_as_makes_sense() -> None:
    value: object = {"message": "inner"}
    for _ in range(3000):
        value = {"error": value}
    assert read_failure(value).families == frozenset()
