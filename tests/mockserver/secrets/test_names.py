from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("name", ["Content-Type", "accept", "anthropic-version", "OpenAI-Beta"])
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
