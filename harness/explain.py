"""Says in plain text what is wrong with a case: briefly for reports, at length for one case.

Works on the records of a run, so that a report written tomorrow says the same as one today.
"""

from __future__ import annotations

import difflib
import json
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.model import JsonObject
from harness.results import CaseResult, case_record

#: Findings of one case that a report shows; ``explain`` shows all.
BRIEF = 3
_NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two values part: the place inside them, and both sides in one line each."""

    where: str
    expected: str
    observed: str


def brief(record: JsonObject, here: Path, width: int = 100) -> Iterator[str]:
    """Yield a failed case in a few lines, none longer than ``width`` unless it is a name."""
    findings = record.get("findings", [])
    for finding in findings[:BRIEF]:
        yield from textwrap.wrap(
            headline(finding), width, subsequent_indent="  ", break_on_hyphens=False
        )
        if "line" in finding:
            yield f"  {place(record, finding, here)}"
        if (found := difference(finding)) is not None:
            at = f" at {found.where}" if found.where else ""
            room = width - 14
            yield f"    expected{at}  {_clip(found.expected, room - len(at))}"
            yield f"    observed{at}  {_clip(found.observed, room - len(at))}"
    if len(findings) > BRIEF:
        yield f"and {len(findings) - BRIEF} more findings"


def headline(finding: JsonObject) -> str:
    """The check and what it says, in one line."""
    blame = "" if finding["blame"] == "client" else f" ({finding['blame']})"
    return f"{finding['check']}{blame}: {finding['message']}"


def place(record: JsonObject, finding: JsonObject, here: Path) -> str:
    """The ``file:line`` of the requirement behind a finding, seen from ``here``."""
    line = f":{finding['line']}" if "line" in finding else ""
    return f"{relative(record['file'], here)}{line}"


def relative(file: str, here: Path) -> str:
    """A path as somebody in the directory ``here`` would write it."""
    path = Path(file)
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def replay(case_id: str, options: Sequence[str]) -> str:
    """The command that plays the case again; ``options`` are those of its run."""
    return shlex.join(["tapecheck", "explain", case_id, *options])


def difference(finding: JsonObject) -> Difference | None:
    """The first place at which the two sides of a finding differ; ``None`` without two sides."""
    if "expected" not in finding and "observed" not in finding:
        return None
    where: list[str] = []
    expected, observed = finding.get("expected"), finding.get("observed")
    number = finding.get("event")
    while (step := _step(expected, observed, number)) is not None:
        number = None
        key, expected, observed = step
        where.append(f"event {key + 1}" if _is_event(expected, observed) else str(key))
        if _is_event(expected, observed):
            break
    before, after = _around(said(expected), said(observed))
    return Difference("/".join(where), before, after)


def said(value: Any) -> str:
    """A value in one line; an event as its type and its fields."""
    match value:
        case None:
            return _NOTHING
        case {"type": str() as kind, **fields}:
            return " ".join([kind, *(f"{k}={_json(v)}" for k, v in fields.items())])
    return _json(value)


def explain(result: CaseResult, *, here: Path, width: int, options: Sequence[str] = ()) -> str:
    """All that is known of one case, for a reader who wants to mend its client."""
    record = case_record(result)
    lines = [
        f"{record['outcome'].upper()}  {record['id']}",
        record["title"],
        "",
        f"requirement  {relative(record['file'], here)}",
        *(f"source       {source}" for source in record["source"]),
    ]
    if "known" in record:
        lines.append(f"known        {record['known']}")
    for finding in record.get("findings", []):
        lines += ["", *textwrap.wrap(headline(finding), width, subsequent_indent="  ")]
        if "line" in finding:
            lines.append(f"  {place(record, finding, here)}")
        lines += sides(finding.get("expected"), finding.get("observed"), width)
    if not record.get("findings"):
        lines += ["", f"{record['checks']} checks found nothing wrong."]
    return "\n".join([*lines, "", f"again: {replay(record['id'], options)}", ""])


def sides(expected: Any, observed: Any, width: int) -> Iterator[str]:
    """Yield two values side by side, equal parts on one line; nothing if both are absent."""
    if expected is None and observed is None:
        return
    column = (width - 5) // 2
    yield f"  {'expected':{column}} | observed"
    left, right = _listed(expected), _listed(observed)
    matcher = difflib.SequenceMatcher(a=left, b=right, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        mark = " " if tag == "equal" else ">"
        for n in range(max(b - a, d - c)):
            one = textwrap.wrap(left[a + n], column) if a + n < b else []
            other = textwrap.wrap(right[c + n], column) if c + n < d else []
            for i in range(max(len(one), len(other))):
                cells = one[i] if i < len(one) else "", other[i] if i < len(other) else ""
                yield f"{mark} {cells[0]:{column}} | {cells[1]}".rstrip()


def _listed(value: Any) -> list[str]:
    match value:
        case None:
            return []
        case list():
            return [said(item) for item in value]
        case dict():
            return [f"{k}={_json(v)}" for k, v in value.items()]
    return [said(value)]


def _step(expected: Any, observed: Any, number: int | None) -> tuple[Any, Any, Any] | None:
    if isinstance(expected, list) and isinstance(observed, list):
        if number is not None:
            return number, _item(expected, number), _item(observed, number)
        pairs: Iterable[tuple[Any, Any, Any]] = (
            (i, _item(expected, i), _item(observed, i))
            for i in range(max(len(expected), len(observed)))
        )
    elif isinstance(expected, Mapping) and isinstance(observed, Mapping):
        # What is not expected is not compared.
        pairs = ((k, v, observed.get(k)) for k, v in expected.items())
    else:
        return None
    return next((step for step in pairs if step[1] != step[2]), None)


def _item(values: list[Any], number: int) -> Any:
    return values[number] if number < len(values) else None


def _is_event(*values: Any) -> bool:
    return any(isinstance(v, Mapping) and isinstance(v.get("type"), str) for v in values)


def _around(expected: str, observed: str, lead: int = 24) -> tuple[str, str]:
    """Leave out a long beginning that both have in common."""
    same = next(
        (i for i, (a, b) in enumerate(zip(expected, observed, strict=False)) if a != b),
        min(len(expected), len(observed)),
    )
    if same <= lead * 2:
        return expected, observed
    return f"…{expected[same - lead :]}", f"…{observed[same - lead :]}"


def _clip(text: str, room: int) -> str:
    return text if len(text) <= max(room, 20) else f"{text[: max(room, 20) - 1]}…"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
