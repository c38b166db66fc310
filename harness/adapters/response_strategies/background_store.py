"""Where the ids of unfinished background jobs are stored, so that a job outlives its client."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Protocol

from mockserver import files
from mockserver.vocabulary import JsonObject


class JobStore(Protocol):
    """Stores one response id for each unfinished job, under its :func:`job_key`."""

    def load(self, key: str) -> str | None:
        """Return the id that is stored under ``key``; ``None`` if there is none."""

    def save(self, key: str, response_id: str) -> None:
        """Store ``response_id`` under ``key``; a reader sees all of it or none."""

    def remove(self, key: str) -> None:
        """Remove the id that is stored under ``key``, if any."""


def job_key(url: str, body: JsonObject) -> str:
    """Return the name of the job that ``body``, sent to ``url``, starts: 64 hex digits.

    The same request has the same name, in another process too; any other request has another,
    so that it never gets the answer of an old job.
    """
    return hashlib.sha256(json.dumps([url, body], sort_keys=True).encode()).hexdigest()


class MemoryStore:
    """Stores ids in memory."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def load(self, key: str) -> str | None:
        """See :class:`JobStore`."""
        return self._ids.get(key)

    def save(self, key: str, response_id: str) -> None:
        """See :class:`JobStore`."""
        self._ids[key] = response_id

    def remove(self, key: str) -> None:
        """See :class:`JobStore`."""
        self._ids.pop(key, None)


class FileStore:
    """Stores each id in a file of its own, ``{directory}/{key}.txt``.

    The directory is made when needed. The methods raise ``OSError``.
    """

    def __init__(self, directory: Path | str) -> None:
        self._directory = Path(directory)

    def load(self, key: str) -> str | None:
        """See :class:`JobStore`."""
        try:
            return self._path(key).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    def save(self, key: str, response_id: str) -> None:
        """See :class:`JobStore`."""
        files.replace(self._path(key), f"{response_id}\n".encode(), private=True)

    def remove(self, key: str) -> None:
        """See :class:`JobStore`."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}.txt"
