"""Text files that a verb writes bit by bit. An error while writing names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from harness.errors import SetupError


class Output(TextIOWrapper):
    """A UTF-8 text file, called ``path`` in errors, over an open ``file``.

    Raises :class:`SetupError` where the disk is full, or the file cannot be written otherwise.
    """

    def __init__(self, path: Path, file: BinaryIO, *, errors: str = "strict") -> None:
        super().__init__(file, encoding="utf-8", errors=errors, newline="\n")
        self._path = path

    def write(self, text: str, /) -> int:
        """Write a text."""
        with naming(self._path):
            return super().write(text)

    def flush(self) -> None:
        """Write what is in memory."""
        with naming(self._path):
            super().flush()

    def close(self) -> None:
        """Write what is in memory, and close the file."""
        with naming(self._path):
            super().close()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` into a :class:`SetupError` that names the file."""
    try:
        yield
    except OSError as exc:
        raise SetupError(
            f"cannot be written: {exc.strerror}", path=path, hint="name another file"
        ) from None
