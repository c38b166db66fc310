"""OAuth credentials and where they are stored."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mockserver import files

#: How many seconds before its expiry a token counts as expired.
MARGIN = 300.0
# An expiry above this is in milliseconds: in seconds it would lie beyond the year 33000.
_MILLISECONDS = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Tokens of one account; they are left out of ``repr``.

    ``expires_at`` is in epoch seconds, or in milliseconds if above 10**12; ``None`` for a token
    that does not expire. Raises ``ValueError`` for a token with characters that a
    header cannot have.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    account_id: str | None = None
    expires_at: float | None = None

    def __post_init__(self) -> None:
        for name in ("access_token", "account_id"):
            value = getattr(self, name) or ""
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"{name} holds characters that are not allowed in a header")

    def expired(self, now: float) -> bool:
        """Return whether the token expires within :data:`MARGIN` after ``now`` (epoch seconds)."""
        if self.expires_at is None:
            return False
        seconds = self.expires_at / 1000 if self.expires_at > _MILLISECONDS else self.expires_at
        return now >= seconds - MARGIN


class CredentialStore(Protocol):
    """Stores the credentials of one account."""

    def load(self) -> Credentials:
        """Return the latest credentials. Raises ``ValueError`` or ``OSError``."""

    def save(self, credentials: Credentials) -> None:
        """Replace the credentials. Raises ``OSError``."""


class MemoryStore:
    """Stores credentials in memory."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def load(self) -> Credentials:
        """Return the latest credentials."""
        return self._credentials

    def save(self, credentials: Credentials) -> None:
        """Replace the credentials."""
        self._credentials = credentials


class FileStore:
    """Stores credentials in a JSON file that only its owner can read.

    The file is replaced as a whole, so that a reader sees the old or the new one, and a crash
    loses neither.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Credentials:
        """Read the file. Raises ``OSError``, or ``ValueError`` with the file and the problem."""
        text = self.path.read_text(encoding="utf-8")
        try:
            data = json.loads(text)
        except json.JSONDecodeError as exc:
            # The exception has the text, and so the tokens: only its line goes into the message.
            raise ValueError(f"{self.path}:{exc.lineno}: not JSON; sign in again") from None
        return _credentials(data, self.path)

    def save(self, credentials: Credentials) -> None:
        """Replace the file. Raises ``OSError``."""
        files.replace(self.path, json.dumps(asdict(credentials)).encode(), private=True)


def _credentials(data: Any, path: Path) -> Credentials:
    if not isinstance(data, dict) or not isinstance(data.get("access_token"), str):
        raise ValueError(f"{path}: no access_token; sign in again")
    for name in ("refresh_token", "account_id"):
        if not isinstance(data.get(name), str | None):
            raise ValueError(f"{path}: {name} is not a text; sign in again")
    expires_at = data.get("expires_at")
    if isinstance(expires_at, bool) or not isinstance(expires_at, int | float | None):
        raise ValueError(f"{path}: expires_at is not a number; sign in again")
    try:
        return Credentials(
            access_token=data["access_token"],
            refresh_token=data.get("refresh_token"),
            account_id=data.get("account_id"),
            expires_at=expires_at,
        )
    except ValueError as exc:
        raise ValueError(f"{path}: {exc}; sign in again") from None
