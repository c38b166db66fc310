"""The records themselves, one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from harness.errors import ReportError
from mockserver.vocabulary.model import JsonObject


def line(record: JsonObject) -> str:
    """One record as a line of a results file.

    Half a surrogate pair, which a broken client may hand out and UTF-8 cannot carry, is escaped.
    """
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode(errors="backslashreplace").decode() + "\n"


def read(path: Path) -> Iterator[JsonObject]:
    """Yield the records of a results file. Raises :class:`ReportError` with the line."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                yield _record(path, number, text)
    except OSError as exc:
        raise ReportError(f"cannot be read: {exc.strerror}", path=path) from None
    except UnicodeDecodeError as exc:
        raise ReportError(f"not UTF-8: {exc.reason}", path=path) from None


def _record(path: Path, number: int, text: str) -> JsonObject:
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict) or record.get("type") not in {"run", "skip", "case", "end"}:
        raise ReportError(
            "not a record of a run",
            path=path,
            line=number,
            hint="write the file with 'tapecheck run --results FILE'",
        )
    return record
