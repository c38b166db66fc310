"""Learn the credentials of an exchange by value, from where their names tell them.

What a header, a query or a token answer names as a credential is then also found where no name
tells it: in an error that repeats it, in a later answer, in a message.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from mockserver.cassettes.cassette import Headers, Request, header_value
from mockserver.secrets import names, placeholder
from mockserver.secrets.fields import Side, credentials
from mockserver.wire.content_coding import decompress, encoding_of

#: Shorter values are more likely words than credentials.
SHORTEST = 12


def of_exchange(request: Request, headers: Headers = (), body: bytes = b"") -> frozenset[str]:
    """Return the credentials in a request and in the headers and the body of its answer."""
    found = {
        *_of_request(request),
        *_of_answer(headers),
        *_of_body(request.body, request.headers, Side()),
        *_of_body(body, headers, Side(answer=True, issues_tokens=names.is_token_endpoint(request))),
    }
    return frozenset(
        value for value in found if len(value) >= SHORTEST and not placeholder.may_have(value)
    )


def _of_request(request: Request) -> Iterator[str]:
    for name, value in request.headers:
        if name.lower() == "cookie":
            yield from map(_cookie, value.split(";"))
        elif names.is_credential_header(name):
            yield from _of_header(value)
    url = request.url
    for name, value in parse_qsl(url.query):
        if names.is_secret_key(name):
            yield value
    if "@" in url.netloc:
        _, colon, password = url.netloc.rpartition("@")[0].partition(":")
        yield unquote(password) if colon else ""


def _of_header(value: str) -> Iterator[str]:
    """Yield what a header carries: the text behind its scheme, and the password in Basic."""
    scheme, _, secret = value.strip().partition(" ")
    secret = secret.strip() or scheme
    if scheme.lower() in _WITH_PARAMETERS:
        # A signature signs one request; its parameters are no credentials of other places.
        return
    yield secret
    if scheme.lower() == "basic":
        try:
            plain = base64.b64decode(secret).decode()
        except ValueError:
            return
        yield plain
        yield plain.partition(":")[2]


_WITH_PARAMETERS = frozenset({"aws4-hmac-sha256", "digest", "goog4-rsa-sha256", "signature"})


def _of_answer(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        if name.lower() == "set-cookie":
            yield _cookie(value.partition(";")[0])
        elif names.is_credential_header(name) and name.lower() != "www-authenticate":
            yield from _of_header(value)


def _of_body(body: bytes, headers: Headers, side: Side) -> Iterator[str]:
    plain = decompress(body, encoding_of(headers))
    return credentials(plain, header_value(headers, "content-type"), side)


def _cookie(pair: str) -> str:
    return pair.partition("=")[2].strip()
