"""Which names carry secrets: headers, query parameters and fields of JSON bodies.

Headers are let through by name, never kept out by name: a list of bad names fails open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlencode

from mockserver.cassettes.cassette import Headers

PLACEHOLDER = "REDACTED"
#: What scrubbing leaves of a value: its kind and its number.
REPLACED = re.compile(rf"([a-z]+)_{PLACEHOLDER}_(\d+)")

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
_CREDENTIAL_HEADER = re.compile(
    r"cookie|authorization|api[-_]?key|(?:^|[-_])(?:token|secret|password)$", re.I
)

#: Request headers that a cassette keeps as they are.
REQUEST_KEPT = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-encoding",
        "content-type",
        "openai-beta",
    }
)
#: Request headers of which a cassette keeps a placeholder of that kind.
REQUEST_REPLACED: Mapping[str, str] = {
    "chatgpt-account-id": "account",
    "openai-organization": "org",
    "openai-project": "project",
    "x-goog-user-project": "project",
}
_RESPONSE_KEPT = re.compile(
    r"content-type|content-encoding|location|retry-after.*|x-should-retry|.*ratelimit.*"
    r"|www-authenticate|x-amzn-errortype|x-codex-.*|x-error-json|openai-(?:model|version)"
)
#: Response headers of which a cassette keeps a placeholder of that kind.
RESPONSE_REPLACED: Mapping[str, str] = {
    "anthropic-organization-id": "org",
    "apim-request-id": "req",
    "openai-organization": "org",
    "openai-project": "project",
    "request-id": "req",
    "x-amzn-requestid": "req",
    "x-ms-request-id": "req",
    "x-oai-request-id": "req",
    "x-request-id": "req",
}

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

#: Proof that only its provider can read, and that says nothing to anybody else.
_OPAQUE_FIELDS: Mapping[str, str] = {
    "encrypted_content": "encrypted",
    "signature": "signature",
    "thoughtSignature": "signature",
    "thought_signature": "signature",
}
#: What stands below these was written by the model or the user, in names of their own.
_FOREIGN_FIELDS = frozenset({"args", "arguments", "input_schema", "parameters", "properties"})


def is_secret_key(name: str) -> bool:
    """Whether a query parameter of that name carries a credential."""
    name = name.lower()
    return name in _SECRET_KEYS or name.startswith("x-amz-")


def is_credential_header(name: str) -> bool:
    """Whether a header of that name carries a credential or a cookie, as far as names tell."""
    return _CREDENTIAL_HEADER.search(name) is not None


def is_kept_in_response(name: str) -> bool:
    """Whether a cassette keeps a response header of that name as it is."""
    return _RESPONSE_KEPT.fullmatch(name.lower()) is not None


def field_kind(path: tuple[str | int, ...], *, keep_opaque: bool = False) -> str | None:
    """The kind of placeholder for the string at ``path`` in a JSON body; ``None`` to keep it.

    ``keep_opaque`` keeps encrypted reasoning and signatures.
    """
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return None
    if names[0] == "response" and len(names) > 1:
        # Events of the Responses API repeat the request inside.
        names = names[1:]
    match names:
        case ["user" | "safety_identifier"]:
            return "user"
        case ["metadata", _, *_]:
            return "metadata"
    # A tool's input; that of a request to the Responses API holds messages.
    foreign = not _FOREIGN_FIELDS.isdisjoint(names) or "input" in names[1:]
    return None if keep_opaque or foreign else _OPAQUE_FIELDS.get(names[-1])


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
