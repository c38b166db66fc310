"""The mock server's errors, one class for each kind of failure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the suffix for an unknown name that suggests a close known one, or nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


class MockServerError(Exception):
    """Base of all errors of this package."""


class CassetteError(MockServerError):
    """A cassette file cannot be used. Names the file and the line; ``hint`` says what to do."""

    def __init__(
        self, path: Path | str, message: str, *, line: int | None = None, hint: str | None = None
    ) -> None:
        self.path = Path(path)
        self.line = line
        self.message = message
        self.hint = hint
        location = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{location}: {message}" + (f" ({hint})" if hint else ""))


class NoRecordingError(CassetteError):
    """A file can be read, but it seems to be something else than a recording of HTTP."""


class UnparsableError(CassetteError):
    """A file is not in the syntax of any format."""


class UnwritableError(CassetteError):
    """A cassette, or another file that is replaced as a whole, cannot be written."""


class CodingError(MockServerError):
    """A body cannot be decoded here. ``hint`` says what to do, if anything."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(f"{message}; {hint}" if hint else message)


class NotEncodedError(CodingError):
    """A body is not in the content coding that its headers name, or is damaged or truncated."""


class TooLargeError(CodingError):
    """A body decodes to more than is allowed."""


class MatchError(MockServerError):
    """What to compare in requests is said in words that mean nothing."""


class SettingsError(MockServerError):
    """The settings of a project cannot be used. Names the file and the key."""


class ServerStartError(MockServerError):
    """The server cannot listen on the requested address."""


class SessionError(MockServerError):
    """A requested session cannot be opened or does not exist."""


class ScriptError(MockServerError):
    """A script of answers has a mistake. ``where`` is its place, ``hint`` says what to do."""

    def __init__(self, where: str, message: str, hint: str = "") -> None:
        self.where = where
        self.message = message
        self.hint = hint
        super().__init__(f"{where}: {message}" + (f" ({hint})" if hint else ""))


class DialectError(MockServerError):
    """A dialect does not exist, or an installed one cannot be used. ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message} ({hint})")


class ProviderError(MockServerError):
    """A provider cannot be recorded from: it is unknown, or its key is missing."""


class RecordingError(MockServerError):
    """A recording cannot be saved and nothing was written. ``reasons`` say why."""

    def __init__(self, path: Path | str, reasons: Sequence[str]) -> None:
        self.path = Path(path)
        self.reasons = tuple(reasons)
        super().__init__("\n".join((f"{path}: not written:", *(f"  {r}" for r in reasons))))
