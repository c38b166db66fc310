"""Values that their names tell: everywhere that a body can have them, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Interaction, Request
from mockserver.secrets import names, placeholder
from mockserver.secrets.fields import KEY, Side, fields
from mockserver.secrets.scrub import Scrubber
from tests.mockserver.rawhttp import interaction

V = "plainvalue"
FORM = "application/x-www-form-urlencoded"
REQUEST = Side()
ANSWER = Side(answer=True)
TOKENS = Side(answer=True, issues_tokens=True)


def values(body: object, kind: str = "application/json", side: Side = REQUEST) -> list[str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = list(fields(raw, kind, side))
    assert [f.start for f in found] == sorted(f.start for f in found)
    return [f.value for f in found if f.kind == KEY]


ALWAYS = """
    refresh_token access_token id_token client_secret api_key apiKey API-KEY private_key
    OPENAI_API_KEY userAccessToken connection_string ConnectionString aws_secret_access_key
    SecretAccessKey SessionToken AccessKeyId device_code code_verifier client_assertion
    authorization authorization_token subject_token encoded_api_key x-api-key sharedAccessKey
    webhook_secret signing_secret user_access_token auth_token bearerToken serpapi_api_key
"""
OTHERS = """
    max_tokens prompt_tokens page_token nextPageToken token_type total_tokens keys keyword monkey
    author tokenizer token_count stop_token grant_type client_id public_key scope code key
    password state token secret value
"""


@pytest.mark.parametrize("name", ALWAYS.split())
def test_a_credential_is_known_by_its_name(name: str) -> None:
    for spelt in {name, name.upper(), name.lower()} if "_" in name else {name}:
        assert values({spelt: V}) == [V]
        assert values({"a": [{"b": {spelt: V}}]}, side=ANSWER) == [V]
        assert values(f"{spelt}={V}&a=1".encode(), FORM) == [V]
        assert values(f'data: {{"x": {{"{spelt}": "{V}"}}}}\n\n'.encode(), "text/event-stream") == [
            V
        ]
        assert values(f'{{"a": 1}}\n{{"{spelt}": "{V}"}}\n'.encode(), "application/x-ndjson") == [V]


@pytest.mark.parametrize("name", OTHERS.split())
def test_other_names_are_left_alone(name: str) -> None:
    assert values({name: V}) == []
    assert values({"error": {name: V}}, side=ANSWER) == []


@pytest.mark.parametrize("name", ["code", "assertion", "password", "key", "token", "secret"])
def test_an_ambiguous_name_is_proved_by_what_stands_beside_it(name: str) -> None:
    assert values({name: V, "grant_type": "x"}) == [V]
    assert values({name: V, "client_id": "x"}) == [V]
    assert values([{"client_id": "x"}, {name: V}]) == []
    assert values({"authentication": {"type": "api_key", name: V}}) == [V]
    assert values({name: V}, side=TOKENS) == [V]
    assert values({"error": {name: V}}, side=TOKENS) == []
    assert values(f"a=1&{name}={V}".encode(), FORM) == [V]


def test_a_password_is_proved_by_whose_it_is() -> None:
    assert values({"username": "bob", "password": V}) == [V]
    assert values({"email": "bob", "pin": 123456}) == ["123456"]
    assert values({"username": "bob", "code": V}) == []


def test_what_the_issue_names_is_not_touched_by_name() -> None:
    call = {"function": {"name": "login", "arguments": json.dumps({"password": V, "token": V})}}
    schema = {"type": "object", "properties": {"password": {"type": "string", "default": V}}}
    assert values({"error": {"code": "invalid_api_key", "type": "x"}}, side=TOKENS) == []
    assert values({"choices": [{"message": {"tool_calls": [call]}}]}, side=ANSWER) == []
    assert values({"args": {"api_key": V, "client_id": "x"}}) == []
    assert values({"content": [{"type": "tool_use", "input": {"api_key": V}}]}) == []
    assert values({"tools": [{"function": {"parameters": schema}}]}) == []
    assert values({"tools": [{"input_schema": schema | {"required": ["api_key"]}}]}) == []
    assert values({"response_format": {"json_schema": {"schema": schema}}}) == []
    assert values({"choices": [{"logprobs": {"content": [{"token": "Hi", "logprob": -1}]}}]}) == []


def test_credentials_that_requests_carry_for_others() -> None:
    mcp = {"type": "mcp", "server_url": "https://m", "authorization": V}
    assert values({"tools": [mcp | {"headers": {"X-Auth-Token": "b", "X-Trace": "c"}}]}) == [V, "b"]
    assert values({"mcp_servers": [{"url": "https://m", "authorization_token": V}]}) == [V]
    search = {"authentication": {"type": "api_key", "key": V}, "index_name": "i"}
    source = {"type": "azure_search", "parameters": search}
    assert values({"data_sources": [source]}) == [V]
    assert values({"connectors": [{"id": "web", "user_access_token": V}]}) == [V]
    assert values({"env": [{"name": "API_KEY", "value": V}, {"name": "HOME", "value": "h"}]}) == [V]
    assert values({"client_secret": {"value": V, "expires_at": 1}}, side=ANSWER) == [V]


def test_a_scheme_stays() -> None:
    ((found),) = fields(b'{"authorization": "Bearer abc"}', None, Side())
    assert found.value == "abc"


@pytest.mark.parametrize(
    "value", ["", None, True, False, 1, "${KEY}", "$KEY", "<your key>", "null"]
)
def test_what_is_no_value_stays(value: object) -> None:
    assert values({"api_key": value}) == []


def test_multipart() -> None:
    def part(head: str, text: str) -> str:
        return f'--b\r\nContent-Disposition: form-data; name="{head}\r\n\r\n{text}\r\n'

    body = (
        part('model"', "m")
        + part('client_secret"', V)
        + part('password"', "x y")
        + part('file"; filename="a.json"\r\nContent-Type: application/json', '{"api_key": "z"}')
        + part('api_key"; filename="b.bin"', "raw")
        + "--b--\r\n"
    )
    assert values(body.encode(), "multipart/form-data; boundary=b") == [V, "x y", "z"]
    assert values(body.encode(), "multipart/form-data") == []


def test_xml() -> None:
    body = f"<?xml version='1.0'?><r><SecretAccessKey>{V}</SecretAccessKey><Key>k</Key></r>"
    assert values(body.encode(), "text/xml") == [V]


def test_a_form_under_another_type_and_a_name_in_escapes() -> None:
    assert values(f"grant_type=refresh_token&refresh_token={V}".encode(), "text/plain") == [V]
    assert values(b'{"api\\u005fkey": "a\\u0062c"}') == ["abc"]
    assert values(b"a=1&client%5Fsecret=a%20b", FORM) == ["a b"]


def test_answers_have_metadata_of_their_own() -> None:
    own = json.dumps({"metadata": {"usage": {"modality": "text"}}}).encode()
    found = Scrubber().interaction(interaction(own, content_type="application/json"))
    assert found.response.body == own
    asked = json.dumps({"metadata": {"team": "red"}}).encode()
    echo = json.dumps({"metadata": {"team": "red"}}).encode()
    found = Scrubber().interaction(interaction(echo, body=asked, content_type="application/json"))
    assert json.loads(found.response.body) == json.loads(found.request.body)
    assert json.loads(found.response.body) == {"metadata": {"team": "metadata_REDACTED_1"}}


def oauth(answered: object, **sent: str) -> Interaction:
    body = "&".join(f"{name}={value}" for name, value in sent.items())
    found = interaction(
        json.dumps(answered).encode(),
        body=body.encode(),
        path="/oauth/token",
        content_type="application/json",
    )
    headers = (("content-type", FORM),)
    return replace(found, request=replace(found.request, headers=headers))


def test_one_value_has_one_placeholder_in_every_form() -> None:
    scrubber = Scrubber()
    one = scrubber.interaction(
        oauth({"access_token": "at/1 2", "refresh_token": "rt", "expires_in": 3600}, code="c0de")
    )
    two = scrubber.interaction(
        oauth({"token": "t", "error": {"code": "x"}}, refresh_token="rt", access_token="at%2F1+2")
    )
    tokens = json.loads(one.response.body)
    assert one.request.body == b"code=key_REDACTED_1"
    assert two.request.body.decode() == (
        f"refresh_token={tokens['refresh_token']}&access_token={tokens['access_token']}"
    )
    assert tokens["expires_in"] == 3600
    assert json.loads(two.response.body)["error"] == {"code": "x"}
    assert placeholder.is_placeholder(json.loads(two.response.body)["token"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["api_key", "password", "client_id", "a", "é", ""]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_what_was_scrubbed_is_json_of_the_same_shape(data: object) -> None:
    def shape(value: object) -> object:
        match value:
            case dict():
                return {name: shape(inner) for name, inner in value.items()}
            case list():
                return [shape(inner) for inner in value]
        return type(value).__name__

    for ascii_only in (True, False):
        body = json.dumps(data, ensure_ascii=ascii_only).encode()
        plain = interaction(b"{}", body=body, content_type="application/json")
        safe = Scrubber().interaction(plain).request.body
        assert shape(json.loads(safe)) == shape(data)
        left = list(fields(safe, "application/json", Side()))
        assert not [f for f in left if not placeholder.is_placeholder(f.value)]


@given(
    st.binary(max_size=80), st.sampled_from(["multipart/form-data; boundary=b", FORM, "a/xml", ""])
)
def test_any_bytes_are_read(body: bytes, kind: str) -> None:
    for found in fields(body, kind, Side()):
        assert 0 <= found.start <= found.stop <= len(body)


def test_what_issues_tokens_is_known_by_its_request() -> None:
    def issues(path: str, body: bytes = b"") -> bool:
        return names.is_token_endpoint(Request(method="POST", uri=f"https://h{path}", body=body))

    for path in ("/oauth/token", "/oauth2/v2.0/token", "/login", "/v1/access_tokens", "/auth"):
        assert issues(path), path
    for path in ("/v1/chat/completions", "/v1/messages/count_tokens", "/v1/author", "/tokenize"):
        assert not issues(path), path
    assert issues("/x", b"grant_type=client_credentials")
    assert issues("/x", b'{"client_secret": "a"}')


def test_a_value_beside_a_type_that_names_a_credential() -> None:
    assert values({"auth_scheme": {"type": "bearer", "token": V}}) == [V]
    assert values({"x": {"type": "api_key", "key": V}}) == [V]
    assert values({"x": {"type": "text", "key": V}}) == []
    assert values([{"name": "other", "value": V}, {"key": "access_token", "value": V}]) == [V]


def test_odd_documents() -> None:
    assert values(b'{"api_key": "a"', side=ANSWER) == []
    assert values(b'{"api\\xkey": 1, "api_key": "a"}') == []
    assert values(b'"api_key": ') == []
    assert values(b'["api_key", "a"]') == []
    assert values(b'{"api_key": ["a", ["b"]], "n": 5}') == ["a", "b"]
    assert values(b'{"client_id": "c", "code": 123456, "pin": 12}') == ["123456"]
    assert values('{"api_key": "é"}'.encode()) == ["é"]
    assert values(b'{"api_key": "\\ud800"}') == ["\ud800"]


def test_multipart_in_pieces() -> None:
    head = "multipart/form-data; boundary=b"
    assert values(b"--b\r\nno head--b--", head) == []
    assert values(b"--b\r\nX\r\n\r\nv\r\n--b--", head) == []
    assert values(b"--b\r\n\r\n", head) == []
    named = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n%s--b--\r\n'
    assert values(named % b"", head) == []
    assert values(named % b"key_REDACTED_1\r\n", head) == []
    assert values(named % b"abc", head) == ["abc"]


def test_names_that_stand_twice_in_one_object() -> None:
    assert values(b'{"a": 1, "a": {"code": "abc", "client_id": "x"}}') == ["abc"]
    assert values(b'{"a": {"code": "abc", "client_id": "x"}, "a": 1}') == []
    assert values(b'{"a": [{"pin": 123456}], "a": []}') == []
