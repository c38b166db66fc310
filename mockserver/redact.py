"""Takes secrets out of what is shown or stored.

Headers are let through by name, never kept out by name: a list of bad names fails open.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

from mockserver.cassette import Headers

PLACEHOLDER = "REDACTED"

_SAFE_REQUEST_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "openai-beta",
        "transfer-encoding",
    }
)
_SECRET_KEYS = frozenset(
    {
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
    }
)


def is_secret_key(name: str) -> bool:
    """Whether a query parameter of that name carries a credential."""
    name = name.lower()
    return name in _SECRET_KEYS or name.startswith("x-amz-")


def request_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers with every value replaced that is not known to be harmless."""
    return tuple(
        (name, value if name.lower() in _SAFE_REQUEST_HEADERS else PLACEHOLDER)
        for name, value in headers
    )


def query(text: str) -> str:
    """Return a query string with the values of secret parameters replaced."""
    if not text:
        return text
    pairs = parse_qsl(text, keep_blank_values=True)
    if not any(is_secret_key(name) for name, _ in pairs):
        return text
    return urlencode([(n, PLACEHOLDER if is_secret_key(n) else v) for n, v in pairs])
