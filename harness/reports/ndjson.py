"""The records themselves, one JSON object per line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import ReportError
from harness.suite import formats
from mockserver.vocabulary import JsonObject

_SURROGATE = re.compile("[\ud800-\udfff]")


def line(record: JsonObject) -> str:
    """Return one record as a line of a results file."""
    return f"{to_json(record)}\n"


def to_json(data: Any, *, indent: int | None = None) -> str:
    """Return JSON that every reader accepts, no matter what a client has put into it.

    Half a surrogate pair, which UTF-8 cannot carry and jq refuses as an escape, becomes the text
    of its escape: a backslash, ``u`` and four digits. NaN and infinity become their names.
    """
    separators = (",", ":") if indent is None else None
    dumps = partial(
        json.dumps,
        ensure_ascii=False,
        allow_nan=False,
        separators=separators,
        indent=indent,
        default=str,
    )
    try:
        text = dumps(data)
    except ValueError:
        text = dumps(_finite(data))
    return _SURROGATE.sub(lambda half: f"\\\\u{ord(half.group()):04x}", text)


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case list() | tuple():
            return [_finite(item) for item in value]
        case dict():
            return {_finite(key): _finite(item) for key, item in value.items()}
    return value


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
    if record["type"] == "run" and (unknown := formats.unknown_version(record)) is not None:
        raise ReportError(unknown, path=path, line=number, hint=formats.HINT)
    return record
