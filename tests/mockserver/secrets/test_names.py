from __future__ import annotations

import pytest

from mockserver.dialects.registry import form
from mockserver.secrets import names


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "xi-api-key",
        "Proxy-Authorization",
        "X-Amz-Security-Token",
        "Cookie",
        "OpenAI-Organization",
        "ChatGPT-Account-Id",
        "x-invented-tomorrow",
    ],
)
def test_headers_not_known_to_be_harmless_lose_their_value(name: str) -> None:
    assert names.request_headers([(name, "s3cret")]) == ((name, "REDACTED"),)


@pytest.mark.parametrize(
    "name",
    [
        "accept",
        "Accept-Encoding",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-encoding",
        "content-length",
        "Content-Type",
        "expect",
        "OpenAI-Beta",
        "transfer-encoding",
    ],
)
def test_harmless_headers_stay(name: str) -> None:
    assert names.request_headers([(name, "x")]) == ((name, "x"),)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ""),
        ("alt=sse&b=%20", "alt=sse&b=%20"),
        ("alt=sse&key=AIzaX", "alt=sse&key=REDACTED"),
        ("KEY=AIzaX", "KEY=REDACTED"),
        ("api_key=a&token=b&sig=c", "api_key=REDACTED&token=REDACTED&sig=REDACTED"),
        ("X-Amz-Credential=a", "X-Amz-Credential=REDACTED"),
        ("%6bey=AIzaX", "key=REDACTED"),
        ("monkey=1", "monkey=1"),
    ],
)
def test_queries(query: str, shown: str) -> None:
    assert names.query(query) == shown


@pytest.mark.parametrize(
    "name",
    [
        "access_token",
        "api-key",
        "api_key",
        "apikey",
        "authorization",
        "client_secret",
        "id_token",
        "key",
        "password",
        "refresh_token",
        "sig",
        "signature",
        "token",
        "x-api-key",
        "X-Api-Key",
        "X-Amz-Signature",
        "x-amz-security-token",
    ],
)
def test_names_of_query_parameters_that_carry_a_credential(name: str) -> None:
    assert names.is_secret_key(name)


@pytest.mark.parametrize("name", ["keys", "monkey", "max_tokens", "x-amzn-trace", "alt", ""])
def test_names_of_other_query_parameters(name: str) -> None:
    assert not names.is_secret_key(name)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Proxy-Authorization",
        "cookie",
        "Set-Cookie",
        "xi-api-key",
        "apikey",
        "x_api_key",
        "x-gateway-token",
        "TOKEN",
        "client_secret",
        "x-password",
    ],
)
def test_names_of_headers_that_carry_a_credential(name: str) -> None:
    assert names.is_credential_header(name)


@pytest.mark.parametrize("name", ["x-token-count", "tokens", "x-mytoken", "accept", "x-request-id"])
def test_names_of_other_headers(name: str) -> None:
    assert not names.is_credential_header(name)


@pytest.mark.parametrize(
    "name",
    [
        "content-type",
        "content-encoding",
        "location",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-ratelimit-limit-requests",
        "anthropic-ratelimit-tokens-reset",
        "www-authenticate",
        "x-amzn-errortype",
        "x-codex-primary-used-percent",
        "x-error-json",
        "openai-model",
        "openai-version",
    ],
)
def test_response_headers_that_clients_act_on_are_kept(name: str) -> None:
    assert form().is_kept_response_header(name)


@pytest.mark.parametrize("name", ["server", "x-location", "set-cookie", "openai-organization"])
def test_other_response_headers_are_not_kept(name: str) -> None:
    assert not form().is_kept_response_header(name)


def test_headers_that_name_an_account_or_a_request_are_replaced() -> None:
    assert dict(form().replaced_request_headers) == {
        "chatgpt-account-id": "account",
        "openai-organization": "org",
        "openai-project": "project",
        "x-goog-user-project": "project",
    }
    assert dict(form().replaced_response_headers) == {
        "anthropic-organization-id": "org",
        "openai-organization": "org",
        "openai-project": "project",
        **dict.fromkeys(
            (
                "apim-request-id",
                "request-id",
                "x-amzn-requestid",
                "x-ms-request-id",
                "x-oai-request-id",
                "x-request-id",
            ),
            "req",
        ),
        "x-debug-trace-id": "trace",
    }


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ((), None),
        ((0,), None),
        (("user",), "user"),
        (("safety_identifier",), "user"),
        (("response", "user"), "user"),
        (("response",), None),
        (("messages", 0, "user"), None),
        (("metadata",), None),
        (("metadata", "team"), "metadata"),
        (("metadata", "team", 0, "name"), "metadata"),
        (("response", "metadata", "team"), "metadata"),
        (("content", 0, "metadata", "x"), None),
        (("content", 0, "signature"), "signature"),
        (("candidates", 0, "thoughtSignature"), "signature"),
        (("thought_signature",), "signature"),
        (("input", 3, "encrypted_content"), "encrypted"),
        # What a model or a user wrote below names of their own.
        (("content", 0, "input", "signature"), None),
        (("functionCall", "args", "signature"), None),
        (("arguments", "signature"), None),
        (("tools", 0, "input_schema", "signature"), None),
        (("tools", 0, "parameters", "signature"), None),
        (("tools", 0, "properties", "signature"), None),
    ],
)
def test_fields_that_a_cassette_has_a_placeholder_for(
    path: tuple[str | int, ...], kind: str | None
) -> None:
    assert names.field_kind(path) == kind
    opaque = kind in ("signature", "encrypted")
    assert names.field_kind(path, keep_opaque=True) == (None if opaque else kind)


@pytest.mark.parametrize(
    ("kind", "uri", "part"),
    [
        ("resource", "https://acme.openai.azure.com/x", "acme"),
        ("resource", "https://acme.services.ai.azure.com/x", "acme"),
        ("resource", "https://acme.cognitiveservices.azure.com/x", "acme"),
        ("deployment", "https://h/openai/deployments/prod/chat", "prod"),
        ("project", "https://h/v1/projects/acme/locations", "acme"),
        ("account", "https://gateway.ai.cloudflare.com/v1/0a1b/acme/openai", "0a1b"),
        ("account", "https://api.cloudflare.com/client/v4/accounts/0a1b/ai", "0a1b"),
        ("gateway", "https://gateway.ai.cloudflare.com/v1/0a1b/acme/openai", "acme"),
    ],
)
def test_parts_of_an_address_that_name_an_account(kind: str, uri: str, part: str) -> None:
    found = names.ADDRESS_PARTS[kind].search(uri)
    assert found is not None
    assert found[1] == part
