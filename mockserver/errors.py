"""The mock server's errors, one class for each kind of blame."""

from __future__ import annotations

from pathlib import Path


class MockServerError(Exception):
    """Base of all errors of this package."""


class CassetteError(MockServerError):
    """A cassette file cannot be used. Names the file, the line and the remedy."""

    def __init__(
        self, path: Path | str, message: str, *, line: int | None = None, remedy: str | None = None
    ) -> None:
        self.path = Path(path)
        self.line = line
        self.message = message
        self.remedy = remedy
        place = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{place}: {message}" + (f" ({remedy})" if remedy else ""))


class ServerStartError(MockServerError):
    """The server cannot listen where it was told to."""


class SessionError(MockServerError):
    """A session was asked for that cannot be opened or is not there."""
