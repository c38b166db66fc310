"""Read which texts of a project look like secrets and are none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mockserver.errors import ProviderError
from mockserver.secrets import allowed


def allowed_texts(directory: Path, named: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the texts and marks that are ``named``, and those of the file in ``directory``.

    Raises :class:`ProviderError` for a file that cannot be read.
    """
    path = directory / allowed.FILE
    try:
        found = allowed.lines(path.read_text(encoding="utf-8")) if path.is_file() else []
    except (OSError, UnicodeDecodeError) as exc:
        raise ProviderError(f"{path}: cannot be read: {exc}") from None
    return (*named, *found)
