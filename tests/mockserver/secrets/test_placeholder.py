from __future__ import annotations

import base64
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.secrets import placeholder

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dozjgNryP4J3jVmNHl0w5N"
VALUES = {
    "text": "hunter2 hunter2",
    "uuid": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    "jwt": JWT,
    "base64": "Zk8/plainclientsecretvalue12345+",
    "padded": "c2VjcmV0IHZhbHVl",
    "digits": "123456",
}
KINDS = ["key", "user", "metadata", "signature", "encrypted", "account"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", VALUES.values(), ids=list(VALUES))
@pytest.mark.parametrize("number", [1, 10, 999, 1000, 123456])
def test_a_placeholder_is_known_again(kind: str, value: str, number: int) -> None:
    made = placeholder.make(kind, number, value)
    assert placeholder.is_placeholder(made)
    assert placeholder.may_have(made)
    ((_, found),) = placeholder.numbered(f'"{made}"')
    assert found == number
    assert placeholder.split(f"a {made} b") == ["a ", " b"]
    # A placeholder of a placeholder keeps its form.
    assert placeholder.make(kind, 2, made)[:3] == placeholder.make(kind, 2, value)[:3]


@pytest.mark.parametrize("number", [1, 9, 10, 13, 99, 100, 999, 1000, 12345])
@pytest.mark.parametrize("kind", ["signature", "encrypted"])
def test_opaque_data_stays_base64_for_every_decoder(kind: str, number: int) -> None:
    made = placeholder.make(kind, number, "EqQBCkgIBRABGAIiQ-_")
    assert len(made) % 4 == 0
    assert base64.b64decode(made, validate=True)
    assert base64.urlsafe_b64decode(made)
    assert made.isalnum()


def test_a_uuid_stays_a_uuid() -> None:
    made = placeholder.make("user", 7, VALUES["uuid"])
    assert uuid.UUID(made).version == 4
    assert list(placeholder.numbered(made)) == [("user", 7)]


def test_a_token_stays_a_token_that_has_not_expired() -> None:
    head, middle, tail = placeholder.make("key", 3, JWT).split(".")
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "none"}
    assert claims["exp"] > 4e9
    assert base64.urlsafe_b64decode(tail + "=" * (-len(tail) % 4))


def test_a_number_stays_a_number() -> None:
    made = placeholder.make("number", 4, "123456")
    assert made.isdigit()
    assert placeholder.is_placeholder(int(made))
    assert not placeholder.is_placeholder(True)
    assert not placeholder.is_placeholder(123456)


def test_a_host_has_no_underscore() -> None:
    made = placeholder.host("resource", 2)
    assert "_" not in made
    assert list(placeholder.numbered(made)) == [("resource", 2)]


@pytest.mark.parametrize("text", ["", "REDACTED", "key_1", "key_REDACTED_", "733228", JWT])
def test_other_texts_are_none(text: str) -> None:
    assert not placeholder.is_placeholder(text)


@given(st.text(max_size=40), st.sampled_from(KINDS), st.integers(1, 5000))
def test_any_value_gets_one(value: str, kind: str, number: int) -> None:
    made = placeholder.make(kind, number, value)
    assert placeholder.is_placeholder(made)
    assert number in {found for _, found in placeholder.numbered(made)}
