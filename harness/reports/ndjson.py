"""The records themselves, one JSON object per line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import ReportError
from harness.judge.kinds import Level
from harness.judge.transcript import Outcome
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


#: The types of what the reports read of each kind of record. ``run_record.schema.json`` is the
#: whole contract, and too slow for every record of a large run.
_TYPES: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "run": {"adapters": list, "options": list, "cases": int},
    "skip": {"scenario": str, "adapter": str, "reason": str},
    "case": {
        "id": str,
        "scenario": str,
        "adapter": str,
        "outcome": str,
        "level": str,
        "findings": list,
        "seconds": (int, float),
    },
    "end": {"counts": dict, "levels": dict, "problems": list, "exit_code": int},
}


def _is_record(record: Any) -> bool:
    kind = record.get("type") if isinstance(record, dict) else None
    types = _TYPES.get(kind) if isinstance(kind, str) else None
    if types is None or not all(isinstance(record[n], t) for n, t in types.items() if n in record):
        return False
    if kind == "case" and record.get("outcome") not in list(Outcome):
        return False
    return all(
        isinstance(finding, dict) and finding.get("level", Level.MUST) in list(Level)
        for finding in record.get("findings", ())
    ) and all(isinstance(adapter, dict) for adapter in record.get("adapters", ()))


def _record(path: Path, number: int, text: str) -> JsonObject:
    try:
        record: JsonObject = json.loads(text)
    except (ValueError, RecursionError):
        record = {}
    if not _is_record(record):
        raise ReportError(
            "not a record of a run",
            path=path,
            line=number,
            hint="write the file with 'tapecheck run --results FILE'",
        )
    if record["type"] == "run" and (unknown := formats.unknown_version(record)) is not None:
        raise ReportError(unknown, path=path, line=number, hint=formats.HINT)
    return record
