"""Access tokens that are refreshed. Source: RFC 6749, sections 5 and 6.

Token endpoints return a new refresh token with each use, and may revoke the whole grant when an
old one is used again. So a refresh is never repeated, and never made twice at the same time.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from dataclasses import replace

import httpx

from harness.adapters.chatgpt_oauth.oauth_store import Credentials, CredentialStore
from harness.adapters.common.failures import clip, failure, scrub
from harness.adapters.common.transport import HttpError, Transport
from harness.clients.interface import ClientError
from mockserver.vocabulary import ErrorClass, ErrorInfo, Json

#: Seconds to wait for each byte of the token endpoint.
REFRESH_TIMEOUT = 30.0
#: Lifetime of a token in seconds, if the endpoint does not name it.
DEFAULT_LIFETIME = 3600.0


class Tokens:
    """The credentials of one account, refreshed at ``token_url`` when they are about to expire.

    ``secrets`` has every token that was seen, so that error messages can leave them out.
    ``now`` returns epoch seconds; it and ``transport`` are for tests. Close it after use.
    """

    def __init__(
        self,
        store: CredentialStore,
        *,
        token_url: str,
        client_id: str,
        now: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.secrets: set[str] = set()
        self._store = store
        self._token_url = token_url
        self._client_id = client_id
        self._now = now
        self._transport = Transport(
            timeout=REFRESH_TIMEOUT, secrets=self.secrets, transport=transport, now=now
        )
        self._refreshing: asyncio.Task[Credentials] | None = None

    async def aclose(self) -> None:
        """Close all connections; a running refresh is cancelled."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        await self._transport.aclose()

    async def current(self, *, rejected: str | None = None) -> Credentials:
        """Return valid credentials, refreshed first if needed.

        ``rejected`` is an access token that the server refused: if it is still the latest one,
        it is refreshed. Callers that wait at the same time share one refresh and its outcome.
        Raises :class:`ClientError` of class ``authentication``.
        """
        if self._refreshing is None:
            credentials = self._load()
            if credentials.access_token != rejected and not credentials.expired(self._now()):
                return credentials
            self._refreshing = asyncio.create_task(self._refresh(credentials))
            self._refreshing.add_done_callback(self._refresh_done)
        # A caller that is cancelled must not cancel the refresh for the others.
        return await asyncio.shield(self._refreshing)

    @property
    def can_refresh(self) -> bool:
        """Whether there is a refresh token. Raises what :meth:`current` raises."""
        return bool(self._load().refresh_token)

    def _refresh_done(self, task: asyncio.Task[Credentials]) -> None:
        self._refreshing = None
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not warn when nobody waits

    def _load(self) -> Credentials:
        try:
            credentials = self._store.load()
        except (ValueError, OSError) as exc:
            raise _authentication_error(f"the credentials cannot be read: {exc}") from None
        self._add_secrets(credentials)
        return credentials

    def _add_secrets(self, credentials: Credentials) -> None:
        self.secrets |= {credentials.access_token, credentials.refresh_token or ""} - {""}

    async def _refresh(self, old: Credentials) -> Credentials:
        if not old.refresh_token:
            raise _authentication_error("the access token is expired and there is no refresh token")
        form = {
            "grant_type": "refresh_token",
            "refresh_token": old.refresh_token,
            "client_id": self._client_id,
        }
        headers = {"accept": "application/json"}
        try:
            async with self._transport.post(self._token_url, headers=headers, form=form) as answer:
                body = await self._transport.read_whole(answer)
        except HttpError as exc:
            raise ClientError(self._rejection(exc)) from None
        except httpx.HTTPError as exc:
            raise ClientError(_as_authentication_error(self._transport.error_of(exc))) from None
        new = self._new_credentials(old, body)
        self._add_secrets(new)
        try:
            self._store.save(new)
        except OSError as exc:
            raise _authentication_error(f"the new credentials cannot be stored: {exc}") from None
        return new

    def _new_credentials(self, old: Credentials, body: bytes) -> Credentials:
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        token = data.get("access_token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token:
            raise _authentication_error("the token endpoint gave no access_token")
        refresh_token = data.get("refresh_token")
        try:
            return replace(
                old,
                access_token=token,
                refresh_token=refresh_token
                if isinstance(refresh_token, str) and refresh_token
                else old.refresh_token,
                expires_at=self._now() + _lifetime(data.get("expires_in")),
            )
        except ValueError as exc:
            raise _authentication_error(f"the token endpoint gave a bad token: {exc}") from None

    def _rejection(self, exc: HttpError) -> ErrorInfo:
        """Add OAuth's own error code and description (RFC 6749, section 5.2)."""
        error = _as_authentication_error(exc.error)
        try:
            data = json.loads(exc.body)
        except (ValueError, RecursionError):
            return error
        code = data.get("error") if isinstance(data, dict) else None
        if not isinstance(code, str):
            return error
        description = data.get("error_description")
        words = f"{code}: {description}" if isinstance(description, str) else code
        message = f"the token endpoint refused the refresh: {words}"
        return replace(error, code=code, message=clip(scrub(message, self.secrets)))


def _lifetime(value: Json) -> float:
    if isinstance(value, bool):
        return DEFAULT_LIFETIME
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return DEFAULT_LIFETIME
    return seconds if math.isfinite(seconds) and seconds > 0 else DEFAULT_LIFETIME


def _as_authentication_error(error: ErrorInfo) -> ErrorInfo:
    """Make any failure of a refresh an authentication error that is not retryable."""
    what = "refused the refresh" if error.status else "gave no answer"
    return replace(
        error,
        error_class=ErrorClass.AUTHENTICATION,
        retryable=False,
        message=clip(f"the token endpoint {what}: {error.message}"),
    )


def _authentication_error(message: str) -> ClientError:
    return ClientError(failure(ErrorClass.AUTHENTICATION, message))
