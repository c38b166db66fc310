from __future__ import annotations

import pytest

from mockserver.cassettes.cassette import Request
from mockserver.library.matcher import (
    Difference,
    accepts,
    differences,
    fits,
    rank,
    same_path,
    signature,
)
from mockserver.library.rule import ALL_PARTS, Part, Rule
from tests.mockserver.rawhttp import request


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (b'{"a":1,"b":[1,2]}', b'{ "b": [1, 2],\n "a": 1 }'),
        (b'{"t":1.0}', b'{"t":1}'),
        (b'{"s":"\\u00e9"}', '{"s":"é"}'.encode()),
        (b"plain", b"plain"),
    ],
    ids=["order and space", "number form", "escapes", "text"],
)
def test_bodies_that_mean_the_same(a: bytes, b: bytes) -> None:
    assert signature(request(body=a)) == signature(request(body=b))
    assert differences(request(body=a), request(body=b)) == ()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (b'{"a":1}', b'{"a":2}'),
        (b'{"a":[1,2]}', b'{"a":[2,1]}'),
        (b'{"a":true}', b'{"a":1}'),
        (b'{"a":"1"}', b'{"a":1}'),
        (b'{"a":null}', b"{}"),
        (b'{"a":[]}', b'{"a":{}}'),
        (b"", b"{}"),
        (b"text", b"Text"),
        (b"\xff", b"\xfe"),
    ],
)
def test_bodies_that_differ(a: bytes, b: bytes) -> None:
    assert signature(request(body=a)).body != signature(request(body=b)).body
    assert differences(request(body=a), request(body=b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("/v1/x?b=2&a=1", "/v1/x?a=1&b=2"),
        ("/v1/x?a=", "/v1/x?a="),
        ("/m/a%3Ab:go", "/m/a:b:go"),
        ("/v1/x?key=secret&a=1", "/v1/x?a=1"),
        ("/v1/x?X-Amz-Signature=1", "/v1/x?x-amz-signature=2"),
        ("", "/"),
    ],
)
def test_paths_and_queries_that_mean_the_same(a: str, b: str) -> None:
    assert signature(request(a)) == signature(request(b))


@pytest.mark.parametrize(
    ("parts", "equal"),
    [
        (ALL_PARTS, False),
        ((Part.METHOD, Part.PATH, Part.QUERY), True),
        ((Part.PATH,), True),
        ((Part.BODY,), False),
    ],
)
def test_only_the_chosen_parts_are_compared(parts: tuple[Part, ...], equal: bool) -> None:
    a, b = request(body=b"1"), request(body=b"2")
    assert (signature(a).key(parts) == signature(b).key(parts)) is equal
    assert (differences(a, b, Rule(parts)) == ()) is equal


def test_a_body_deeper_than_any_parser_is_compared_as_bytes() -> None:
    deep = b"[" * 100_000
    assert signature(request(body=deep)) == signature(request(body=deep))
    assert len(differences(request(body=deep), request(body=b"1"))) == 1


def test_deep_values_are_compared() -> None:
    a, b = (b'{"a":' * 300 + n + b"}" * 300 for n in (b"1", b"2"))
    (found,) = differences(request(body=a), request(body=b))
    assert found.at.startswith("body/a/a/")


def test_differences_name_each_place() -> None:
    recorded = request(
        "/v1/x?n=1",
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"a/b~c":1,"gone":[1]}',
    )
    got = request(
        "/v1/y?n=2&o=3",
        b'{"model":"m","messages":[{"role":"user","content":"ho"},1],"a/b~c":2,"new":null}',
        method="PUT",
    )
    assert differences(recorded, got) == (
        Difference("method", "POST", "PUT"),
        Difference("path", "/v1/x", "/v1/y"),
        Difference("query/n", '["1"]', '["2"]'),
        Difference("query/o", None, '["3"]'),
        Difference("body/messages/0/content", '"hi"', '"ho"'),
        Difference("body/messages/1", None, "1"),
        Difference("body/a~1b~0c", "1", "2"),
        Difference("body/gone", "[1]", None),
        Difference("body/new", None, "null"),
    )


def test_long_values_are_clipped() -> None:
    (found,) = differences(request(body=b'"' + b"x" * 9999 + b'"'), request(body=b"1"))
    assert found.expected is not None
    assert len(found.expected) == 120


def test_differences_show_no_credentials() -> None:
    recorded = request("/x?key=old", b'{"api_key":"sk-old","m":1}')
    got = request("/x?key=new", b'{"api_key":"sk-new","m":2}')
    found = differences(recorded, got)
    assert [d.at for d in found] == ["body/api_key", "body/m"]
    assert "sk-" not in str(found)


@pytest.mark.parametrize(
    ("recorded", "got", "fit"),
    [
        ("user_REDACTED_1", "alice", True),
        ("user_REDACTED_1", "", False),
        ("REDACTED", "anything", True),
        ("is key_REDACTED_1 good?", "is sk-abc good?", True),
        ("is key_REDACTED_1 good?", "is sk-abc bad?", False),
        ("is key_REDACTED_1", "is ", False),
        ("key_REDACTED_1 and key_REDACTED_2", "a and b", True),
        ("key_REDACTED_1 and key_REDACTED_2", "a and ", False),
        ("key_REDACTED_1,key_REDACTED_2", ",,,", True),
        ("key_REDACTED_1 key_REDACTED_2.", "abc.", False),
        ("1key_REDACTED_1 key_REDACTED_2", "1 a", False),
        ("key_REDACTED_1key_REDACTED_2", "a", False),
        ("key_REDACTED_1key_REDACTED_2", "ab", True),
        ("a line\nkey_REDACTED_1", "a line\nand\nmore", True),
        ("alice", "user_REDACTED_1", False),
        ("alice", "bob", False),
    ],
)
def test_any_value_fits_a_placeholder(recorded: str, got: str, fit: bool) -> None:
    assert fits(recorded, got) is fit
    assert fits(recorded, recorded)


@pytest.mark.parametrize(
    ("got", "same"),
    [("/d/prod/chat", True), ("/d/a/b/chat", False), ("/d//chat", False), ("/d/prod/x", False)],
)
def test_a_placeholder_in_a_path_is_one_segment(got: str, same: bool) -> None:
    assert same_path("/d/deployment_REDACTED_1/chat", got) is same


@pytest.mark.parametrize(
    ("recorded", "got", "at"),
    [
        (
            request(body=b'{"user":"user_REDACTED_1","n":1}'),
            request(body=b'{"n":1,"user":"x"}'),
            None,
        ),
        (request(body=b'{"user":"user_REDACTED_1"}'), request(body=b"{}"), "body/user"),
        (request(body=b'{"user":"user_REDACTED_1"}'), request(body=b'{"user":1}'), "body/user"),
        (
            request(body=b'{"user":"user_REDACTED_1","n":1}'),
            request(body=b'{"user":"x","n":2}'),
            "body/n",
        ),
        (
            request(body=b'{"m":[{"c":"is key_REDACTED_1"}]}'),
            request(body=b'{"m":[{"c":"is it"}]}'),
            None,
        ),
        (request(body=b"token=key_REDACTED_1&a=1"), request(body=b"token=x&a=1"), None),
        (request(body=b"token=key_REDACTED_1&a=1"), request(body=b"token=x&a=2"), "body/a"),
        (request("/v1/projects/project_REDACTED_1/x"), request("/v1/projects/acme/x"), None),
        (request("/v1/projects/project_REDACTED_1/x"), request("/v1/projects/acme/y"), "path"),
        (request("/x?note=REDACTED"), request("/x?note=mine"), None),
        (request("/x?note=REDACTED"), request("/x"), "query/note"),
        (request("/x"), request("/x?note=mine"), "query/note"),
    ],
)
def test_a_recorded_request_accepts_what_fits_its_placeholders(
    recorded: Request, got: Request, at: str | None
) -> None:
    assert accepts(recorded, got) is (at is None)
    assert [d.at for d in differences(recorded, got)] == ([] if at is None else [at])


def test_a_difference_names_what_is_missing() -> None:
    got = request(body=b'{"a":1}')
    (more,) = differences(request(body=b"{}"), got)
    (less,) = differences(got, request(body=b"{}"))
    assert str(more) == "body/a: recorded nothing, got 1"
    assert str(less) == "body/a: recorded 1, got nothing"


def test_bodies_that_are_not_json_are_ranked_by_the_rest() -> None:
    got = signature(request("/v1/x", b"one"))
    candidates = [request("/v2/y", b"two"), request("/v1/x", b"two"), request("/v1/x", b"one")]
    assert rank(got, [signature(c) for c in candidates]) == [2, 1, 0]


def test_more_different_fields_rank_lower() -> None:
    got = signature(request(body=b'{"a":1,"b":2}'))
    candidates = [request(body=b'{"a":1,"b":2,"c":3,"d":4}'), request(body=b'{"a":1,"b":2,"c":3}')]
    assert rank(got, [signature(c) for c in candidates]) == [1, 0]


def test_the_nearest_comes_first() -> None:
    got = signature(request("/v1/chat/completions", b'{"model":"m","stream":true,"n":1}'))
    candidates = [
        request("/v1/embeddings", b'{"model":"m","stream":true,"n":1}'),
        request("/v1/chat/completions", b'{"model":"o","stream":false,"n":2}'),
        request("/v1/chat/completions", b'{"model":"m","stream":true,"n":2}'),
        request("/api/v1/chat/completions", b'{"model":"m","stream":true,"n":1}'),
        request("/v1/chat/completions", b'{"model":"m","stream":true,"n":1}', method="PUT"),
    ]
    # A few different fields weigh less than another base URL, that less than another method.
    assert rank(got, [signature(c) for c in candidates]) == [2, 3, 4, 1, 0]
