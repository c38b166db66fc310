"""Log records that contain the API key of a call: a leak by the client."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from harness.clients.protocol import MAX_LOGS, MAX_TEXT

#: How every key begins that the harness gives to a client.
KEY_PREFIX = "sk-tapecheck-"


class LogCapture(logging.Handler):
    """Collects the records of the process it is in, from INFO up. A context manager."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        # Calls that are made at once may have one key, and each of them may be the one.
        self._caught: list[tuple[str, list[str]]] = []
        self._level = logging.WARNING

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(min(root.level, logging.INFO) or logging.INFO)
        root.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level)

    @contextmanager
    def of(self, key: str) -> Iterator[list[str]]:
        """Collect the records that contain ``key``."""
        entry = key, list[str]()
        self._caught.append(entry)
        try:
            yield entry[1]
        finally:
            self._caught = [one for one in self._caught if one is not entry]

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record that contains one of the keys."""
        text = record.getMessage()
        if record.exc_info:
            text += f"\n{record.exc_info[1]!r}"
        if KEY_PREFIX not in text:
            return
        for key, caught in list(self._caught):
            if key in text and len(caught) < MAX_LOGS:
                caught.append(f"{record.name}: {text}"[:MAX_TEXT])
