from __future__ import annotations

import pytest

from mockserver.library import locations

ASKED = "https://api.example.com/v1/old/one?a=1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/v1/models", "/c/x/v1/models"),
        ("/v1/models?b=2#c", "/c/x/v1/models?b=2#c"),
        ("https://api.example.com/v1/m", "http://here/c/x/v1/m"),
        ("https://cdn.example.net", "http://here/c/x/"),
        ("//cdn.example.net/f", "http://here/c/x/f"),
        ("two", "two"),
        ("?page=2", "?page=2"),
        ("../../../up", "/c/x/up"),
        ("mailto:a@example.com", "mailto:a@example.com"),
        ("http://[half", "http://[half"),
        ("", ""),
    ],
)
def test_an_address_is_moved_below_the_prefix(value: str, expected: str) -> None:
    headers = (("Location", value), ("x-other", value))
    moved = locations.moved(headers, ASKED, lambda _: "http://here/c/x")
    assert moved == (("Location", expected), ("x-other", value))


@pytest.mark.parametrize("name", ["location", "Operation-Location", "azure-asyncoperation"])
def test_the_headers_that_clients_follow(name: str) -> None:
    assert locations.has_address(((name, "/x"),))
    assert not locations.has_address((("link", "/x"),))
