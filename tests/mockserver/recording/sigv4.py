"""A verifier of signatures of AWS, written from the document and not from a signer.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


def why_invalid(
    method: str, target: str, headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]
) -> str | None:
    """Return why a request is not signed by one of ``secrets``, by access key; else ``None``."""
    low = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    found = _AUTHORIZATION.fullmatch(low.get("authorization", ""))
    if found is None:
        return "no signature"
    access_key, date, region, service, names, signature = found.groups()
    signed = names.split(";")
    if access_key not in secrets:
        return "unknown access key"
    if not {"host", "x-amz-date"} <= set(signed):
        return "the host or the date is not signed"
    if unsigned := {n for n in low if n.startswith("x-amz-")} - set(signed):
        return f"not signed: {sorted(unsigned)}"
    if not low["x-amz-date"].startswith(date):
        return "another date"
    path, _, query = target.partition("?")
    pairs = sorted(
        (quote(n, safe="-_.~"), quote(v, safe="-_.~"))
        for n, v in parse_qsl(query, keep_blank_values=True)
    )
    canonical = "\n".join(
        (
            method,
            # The path as it is sent is encoded once more, except for S3.
            quote(path, safe="/-_.~"),
            "&".join(f"{n}={v}" for n, v in pairs),
            *(f"{n}:{low[n]}" for n in signed),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{date}/{region}/{service}/aws4_request"
    to_sign = "\n".join(
        (
            "AWS4-HMAC-SHA256",
            low["x-amz-date"],
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        )
    )
    key = f"AWS4{secrets[access_key]}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return None if hmac.compare_digest(expected, signature) else "another signature"


def region_of(headers: Mapping[str, str]) -> str:
    found = _AUTHORIZATION.fullmatch(headers["Authorization"])
    assert found is not None
    assert found[4] == "bedrock"
    return found[3]
