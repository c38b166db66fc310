"""How the recorder proves to a provider who asks: by a key, a token or a signature of its own.

What a client sends for it is dropped: it has a dummy key, and a signature is for another address.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from mockserver.cassettes.cassette import Headers, Request, header_value
from mockserver.errors import ProviderError
from mockserver.recording.providers import DUMMY_KEY, Proof, Provider
from mockserver.secrets.find import NOTHING_KNOWN, mask

#: What Google's and Microsoft's tokens are for
#: (https://cloud.google.com/vertex-ai/docs/authentication,
#: https://learn.microsoft.com/azure/ai-services/openai/how-to/managed-identity).
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ENTRA_SCOPE = "https://cognitiveservices.azure.com/.default"
_REGION = re.compile(r"(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_SCOPE = re.compile(r"Credential=[^/,]+/[0-9]{8}/([a-z0-9-]+)/")


class Signer(Protocol):
    """Makes the headers by which a provider knows who asks."""

    #: Headers of the client's own proof, in lower case, besides those of credentials.
    replaced: frozenset[str]

    def sign(self, request: Request) -> Headers:
        """Return the headers for a request as it is sent; may take time.

        Raises :class:`ProviderError` if there is no valid proof any more.
        """

    def secrets(self, headers: Headers) -> frozenset[str]:
        """Return what no recording may have, once ``headers`` were made."""


async def sign(signer: Signer, request: Request) -> Headers:
    """Return the headers for a request, without holding up others."""
    if isinstance(signer, KeySigner):
        return signer.sign(request)
    return await asyncio.to_thread(signer.sign, request)


def signer_of(provider: Provider, environment: Mapping[str, str]) -> Signer | None:
    """Return how requests to a provider are signed; ``None`` if they need no proof.

    Raises :class:`ProviderError` if what it needs is missing, or a library.
    """
    key = provider.key(environment)
    if key is not None:
        return KeySigner(provider.header, provider.credential(key), key)
    match provider.proof:
        case Proof.KEY:
            return None
        case Proof.SIGV4:
            return SigV4Signer(provider, environment)
        case Proof.GOOGLE:
            return TokenSigner(provider, _google())
        case Proof.ENTRA:
            return TokenSigner(provider, _entra())


class KeySigner:
    """Sends the same header each time."""

    replaced: frozenset[str] = frozenset()

    def __init__(self, header: str, value: str, key: str) -> None:
        self._headers = ((header, value),)
        self._secrets = frozenset({key})

    def sign(self, _request: Request) -> Headers:
        """Return the header with the key."""
        return self._headers

    def secrets(self, _headers: Headers) -> frozenset[str]:
        """Return the key."""
        return self._secrets


class SigV4Signer:
    """Signs as AWS asks, with the signer of AWS (botocore).

    The credentials are those of ``environment``, else what botocore finds: a profile, a role.
    """

    replaced = frozenset({"x-amz-date", "x-amz-content-sha256", "date"})

    def __init__(self, provider: Provider, environment: Mapping[str, str]) -> None:
        try:
            from botocore.credentials import EnvProvider
            from botocore.exceptions import BotoCoreError
            from botocore.session import Session
        except ImportError:
            raise _missing(provider, "aws", "sign with AWS credentials") from None
        self._provider = provider
        self._error = BotoCoreError
        variables = ("AWS_REGION", "AWS_DEFAULT_REGION")
        self._region = next((environment[v] for v in variables if environment.get(v)), None)
        try:
            self._credentials = EnvProvider(environment).load() or Session().get_credentials()
        except BotoCoreError as exc:
            raise self._failed(exc) from None
        if self._credentials is None:
            raise ProviderError(
                f"provider {provider.name} needs its key in {provider.key_variables[0]}, or AWS "
                "credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        self._frozen = self._freeze()
        if DUMMY_KEY in (self._frozen.access_key, self._frozen.secret_key):
            raise ProviderError(
                f"AWS_ACCESS_KEY_ID is tapecheck's dummy key; set it to one of {provider.name}"
            )

    def sign(self, request: Request) -> Headers:
        """Return date, token and signature for a request."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        self._frozen = self._freeze()
        given = {n: v for n, v in request.headers if n.lower() == "content-type" or _is_aws(n)}
        signed = AWSRequest(
            method=request.method, url=request.uri, data=request.body, headers=given
        )
        SigV4Auth(self._frozen, self._provider.service, self._region_of(request)).add_auth(signed)
        return tuple((n, v) for n, v in signed.headers.items() if n not in given)

    def secrets(self, headers: Headers) -> frozenset[str]:
        """Return the credentials and the signature."""
        frozen = self._frozen
        values = [frozen.access_key, frozen.secret_key, frozen.token]
        values.append(header_value(headers, "x-amz-security-token"))
        values += (header_value(headers, "authorization") or "").rpartition("Signature=")[2:]
        return frozenset(value for value in values if value)

    def _region_of(self, request: Request) -> str:
        """Return the region of a request: that of its host, or of its client's signature."""
        host = urlsplit(request.uri).hostname or ""
        scope = header_value(request.headers, "authorization") or ""
        found = _REGION.search(host) or _SCOPE.search(scope)
        region = found[1] if found else self._region
        if region is None:
            raise ProviderError(
                f"no region of AWS is known for {host}; set AWS_REGION, or name one in --upstream"
            )
        return region

    def _freeze(self) -> Any:
        """Return the credentials of now: those of a role expire."""
        try:
            return self._credentials.get_frozen_credentials()
        except self._error as exc:
            raise self._failed(exc) from None

    def _failed(self, exc: Exception) -> ProviderError:
        return _failed(self._provider, "AWS credentials", exc)


class TokenSigner:
    """Sends an access token, and a new one when it expires.

    ``mint`` returns the headers with a valid token; it raises the errors of its library, for which
    ``errors`` is the class. The first token is made at once: it shows what is wrong early.
    """

    replaced: frozenset[str] = frozenset()

    def __init__(
        self, provider: Provider, found: tuple[Callable[[], dict[str, str]], type[Exception]] | str
    ) -> None:
        if isinstance(found, str):
            raise _missing(provider, found, "make access tokens")
        self._provider = provider
        self._mint, self._errors = found
        self._lock = threading.Lock()
        self._last = self._minted()

    def sign(self, _request: Request) -> Headers:
        """Return the headers with a token."""
        self._last = self._minted()
        return self._last

    def secrets(self, headers: Headers) -> frozenset[str]:
        """Return the token."""
        value = header_value(headers or self._last, "authorization") or ""
        return frozenset({value.partition(" ")[2]} - {""})

    def _minted(self) -> Headers:
        try:
            # The libraries do not say that they may be called from several threads.
            with self._lock:
                return tuple(self._mint().items())
        except self._errors as exc:
            raise _failed(self._provider, "access token", exc) from None


def _google() -> tuple[Callable[[], dict[str, str]], type[Exception]] | str:
    """Return what makes tokens from Google's application default credentials."""
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request as Transport
    except ImportError:
        return "vertex"
    credentials: list[Any] = []

    def mint() -> dict[str, str]:
        if not credentials:
            credentials.append(google.auth.default(scopes=[_GOOGLE_SCOPE])[0])
        if not credentials[0].valid:
            credentials[0].refresh(Transport())
        headers: dict[str, str] = {}
        credentials[0].apply(headers)
        return headers

    return mint, GoogleAuthError


def _entra() -> tuple[Callable[[], dict[str, str]], type[Exception]] | str:
    """Return what makes tokens from the default credentials of Microsoft Entra."""
    try:
        from azure.core.exceptions import AzureError
        from azure.identity import DefaultAzureCredential
    except ImportError:
        return "azure"
    credential = DefaultAzureCredential()
    return lambda: {
        "authorization": f"Bearer {credential.get_token(_ENTRA_SCOPE).token}"
    }, AzureError


def _is_aws(name: str) -> bool:
    """Return whether a header is one of AWS that a signature covers."""
    low = name.lower()
    proof = low in SigV4Signer.replaced or low == "x-amz-security-token"
    return low.startswith(("x-amz-", "x-amzn-")) and not proof


def _missing(provider: Provider, extra: str, purpose: str) -> ProviderError:
    key = f"its key in {' or '.join(provider.key_variables)}, or " if provider.key_variables else ""
    return ProviderError(
        f"provider {provider.name} needs {key}the extra {extra} to {purpose}: "
        f"pip install 'tapecheck[{extra}]'"
    )


def _failed(provider: Provider, what: str, exc: Exception) -> ProviderError:
    text = mask(" ".join(str(exc).split()), NOTHING_KNOWN)
    return ProviderError(f"provider {provider.name}: no {what}: {type(exc).__name__}: {text[:300]}")
