from __future__ import annotations

import base64
import gzip
import json

import pytest

from mockserver.cassettes.cassette import Request
from mockserver.secrets import learned, shown
from mockserver.secrets.find import Known

V = "plain-opaque-value-1"


def of(uri: str = "https://h/v1", body: bytes = b"", **headers: str) -> frozenset[str]:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return learned.of_exchange(Request(method="POST", uri=uri, headers=named, body=body))


def answered(body: bytes = b"", *headers: tuple[str, str], path: str = "/v1") -> frozenset[str]:
    asked = Request(method="POST", uri=f"https://h{path}")
    return learned.of_exchange(asked, headers, body)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_headers() -> None:
    assert of(authorization=f"Bearer {V}") == {V}
    assert of(x_api_key=V) == {V}
    assert of(cookie=f"a=b; sid={V}") == {V}
    assert of(accept=V) == frozenset()
    coded = basic(f"bob:{V}")
    assert of(authorization=coded) == {coded.removeprefix("Basic "), f"bob:{V}", V}
    assert of(authorization="Basic ?not-base64-at-all?") == {"?not-base64-at-all?"}


def test_a_signature_is_no_credential_of_other_places() -> None:
    assert of(authorization="AWS4-HMAC-SHA256 Credential=AKIA/20260101, Signature=0a1b") == set()


def test_addresses() -> None:
    assert of(f"https://h/v1?alt=sse&key={V}&note=other-value-12345") == {V}
    assert of(f"https://bob:{V}@h/v1") == {V}
    assert of("https://bob@h/v1") == frozenset()


def test_bodies() -> None:
    body = json.dumps({"refresh_token": V}).encode()
    assert of(body=body, content_type="application/json") == {V}
    packed = gzip.compress(body)
    assert of(body=packed, content_type="application/json", content_encoding="gzip") == {V}
    assert answered(json.dumps({"token": V}).encode(), path="/oauth/token") == {V}
    assert answered(json.dumps({"token": V}).encode()) == frozenset()


def test_answers() -> None:
    assert answered(b"", ("Set-Cookie", f"sid={V}; Path=/")) == {V}
    assert answered(b"", ("x-auth-token", V)) == {V}
    assert answered(b"", ("www-authenticate", f'Bearer realm="{V}"')) == frozenset()


@pytest.mark.parametrize("value", ["", "short", "key_REDACTED_1", "x-REDACTED-y-long-enough"])
def test_short_values_and_placeholders_are_none(value: str) -> None:
    assert of(x_api_key=value) == frozenset()


def test_a_body_is_shown_without_credentials() -> None:
    def seen(text: str, known: str = "none-of-these") -> str:
        return shown.body(text.encode(), "application/json", Known.of([known])).decode()

    assert seen('{"a": 1}') == '{"a": 1}'
    assert seen(f'{{"user": "u", "api_key": "{V}"}}') == '{"user": "u", "api_key": "REDACTED"}'
    assert seen(f'{{"a": "is {V} é"}}', V) == '{"a": "is REDACTED é"}'
    # A value that is found twice is replaced once.
    key = "sk-" + "proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"
    assert seen(f'{{"api_key": "my {key} !"}}') == '{"api_key": "REDACTED"}'
