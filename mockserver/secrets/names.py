"""Which headers, query parameters and fields of JSON bodies have secrets, by name.

Headers are allowed by name, never blocked by name: a list of bad names fails open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlencode

from mockserver.cassettes.cassette import Headers
from mockserver.dialects.registry import form

PLACEHOLDER = "REDACTED"
#: What scrubbing puts in place of a value: its kind and its number.
REPLACED = re.compile(rf"([a-z]+)_{PLACEHOLDER}_(\d+)")

#: Request headers about the transport of the body; a report shows them and those that a
#: recording keeps.
_TRANSPORT_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "transfer-encoding"}
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
_CREDENTIAL_HEADER = re.compile(
    r"cookie|authorization|api[-_]?key|(?:^|[-_])(?:token|secret|password)$", re.I
)

#: Parts of an address that name an account, each as the group of its pattern: Azure's resource
#: and deployment, Google's project, Cloudflare's account and gateway.
ADDRESS_PARTS: Mapping[str, re.Pattern[str]] = {
    "resource": re.compile(r"://([^./]+)\.(?:openai|services\.ai|cognitiveservices)\.azure"),
    "deployment": re.compile(r"/openai/deployments/([^/?]+)"),
    "project": re.compile(r"/projects/([^/?]+)"),
    "account": re.compile(
        r"://(?:gateway\.ai\.cloudflare\.com/v1|api\.cloudflare\.com/client/v4/accounts)/([^/?]+)"
    ),
    "gateway": re.compile(r"://gateway\.ai\.cloudflare\.com/v1/[^/?]+/([^/?]+)"),
}


def is_secret_key(name: str) -> bool:
    """Return whether a query parameter of that name has a credential."""
    name = name.lower()
    return name in _SECRET_KEYS or name.startswith("x-amz-")


def is_credential_header(name: str) -> bool:
    """Return whether a header has a credential or a cookie, judging by its name."""
    return _CREDENTIAL_HEADER.search(name) is not None


def field_kind(path: tuple[str | int, ...], *, keep_opaque: bool = False) -> str | None:
    """Return the kind of placeholder for the string at ``path`` in a JSON body.

    ``None`` if the string is kept.

    ``keep_opaque`` keeps encrypted reasoning and signatures.
    """
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return None
    known = form()
    if names[0] in known.request_echoes and len(names) > 1:
        names = names[1:]
    first, *below = names
    if not below and first in known.user_fields:
        return known.user_fields[first]
    if below and first in known.user_trees:
        return known.user_trees[first]
    # A tool's input; a top-level one has messages.
    foreign = not known.foreign_fields.isdisjoint(names) or "input" in below
    return None if keep_opaque or foreign else known.opaque_fields.get(names[-1])


def request_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers with every value replaced that is not known to be harmless."""
    safe = form().kept_request_headers | _TRANSPORT_HEADERS
    return tuple((n, value if n.lower() in safe else PLACEHOLDER) for n, value in headers)


def query(text: str) -> str:
    """Return a query string with the values of secret parameters replaced."""
    if not text:
        return text
    pairs = parse_qsl(text, keep_blank_values=True)
    if not any(is_secret_key(name) for name, _ in pairs):
        return text
    return urlencode([(n, PLACEHOLDER if is_secret_key(n) else v) for n, v in pairs])
