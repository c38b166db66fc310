"""Addresses in headers: a client that follows one must not leave the server, or its cassette.

What is recorded stays as the provider sent it; it changes on its way to the client.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

from mockserver.cassettes.cassette import Headers

#: Headers with an address that clients follow: redirects, and jobs that are polled
#: (RFC 9110, sections 8.7 and 10.2.2; Azure's guidelines for long-running operations).
NAMES = frozenset({"location", "content-location", "operation-location", "azure-asyncoperation"})

#: Returns what replaces scheme and host of an absolute address.
Place = Callable[[SplitResult], str]


def has_address(headers: Headers) -> bool:
    """Return whether a client may follow one of these headers."""
    return any(name.lower() in NAMES for name, _ in headers)


def moved(headers: Headers, uri: str, place: Place) -> Headers:
    """Return the headers of the answer to ``uri`` with all addresses below ``place``."""
    return tuple((n, _moved(v, uri, place) if n.lower() in NAMES else v) for n, v in headers)


def _moved(value: str, uri: str, place: Place) -> str:
    try:
        given = urlsplit(value)
        parts = urlsplit(urljoin(uri, value))
    except ValueError:
        return value
    below = not given.netloc and not given.path.startswith("/") and ".." not in given.path
    if parts.scheme not in ("http", "https") or below:
        return value
    base = place(parts)
    if not given.netloc:
        base = urlsplit(base).path
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{base}{parts.path or '/'}{query}{fragment}"
