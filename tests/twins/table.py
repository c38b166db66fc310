"""Expand the table of twins over the dialects. Pure but for reading the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness.suite import bundled
from mockserver.cassettes import Interaction
from mockserver.dialects import (
    Dialect,
    Pace,
    UnwritableError,
    dialects,
    fitted,
    written_answer,
    written_error,
    written_request,
)
from mockserver.vocabulary import AssistantTurn, ErrorInfo, NeutralCall, to_json
from mockserver.vocabulary.codec import turn_from_json

PACE = Pace(size=7)
MODEL = "twin-1"
#: What a twin may lose and still be one: it is not what a row is about.
_MAY_LOSE = ("model", "the id of", "usage.total_tokens", "the order of the parts")
#: Dialects whose clients sign in or ask on; their own scenarios say the same.
LEFT_OUT = frozenset({"background", "codex"})


@dataclass(frozen=True)
class Twin:
    """A row of the table in one dialect, streamed or whole."""

    name: str
    row: dict[str, Any]
    call: NeutralCall
    interaction: Interaction
    expect: dict[str, Any]


@dataclass(frozen=True)
class Unsayable:
    """A row that a dialect cannot say, and why."""

    name: str
    why: str


@cache
def table() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((bundled.root() / "specs/twins.yaml").read_text("utf-8"))
    return data


def writing_dialects() -> list[Dialect]:
    """Return the dialects that get twins: those that write answers, and have a client."""
    return [d for d in dialects().values() if d.capacity is not None and d.name not in LEFT_OUT]


def twins(dialect: Dialect) -> Iterator[Twin | Unsayable]:
    """Yield the twins of a dialect in the order of the table: streamed, then whole."""
    for row in table()["rows"]:
        for stream in (True, False):
            name = row["name"] if stream else f"{row['name']}-whole"
            try:
                yield _twin(dialect, row, name, stream)
            except UnwritableError as exc:
                yield Unsayable(name, str(exc))


def _twin(dialect: Dialect, row: dict[str, Any], name: str, stream: bool) -> Twin:
    if dialect.name in (not_in := row.get("not_in", {})):
        raise UnwritableError(not_in[dialect.name])
    call = NeutralCall(
        model=MODEL,
        messages=({"role": "user", "content": row["ask"]},),
        tools=tuple(table()["tools"]) if "tools" in row.get("requires", ()) else (),
        stream=stream,
    )
    request = written_request(dialect, call)
    if "error" in row:
        error = turn_from_json({"status": "failed", "parts": [], "error": row["error"]}).error
        assert error is not None
        response = written_error(dialect, error, call)
        return Twin(name, row, call, Interaction(request, response), {"error": _error(error)})
    turn = turn_of(row)
    if turn.error is not None and not stream:
        raise UnwritableError("an error in band needs a stream")
    fit = fitted(dialect, turn)
    lost = [what for what in fit.lost if not what.startswith(_MAY_LOSE)]
    if lost:
        raise UnwritableError(f"it cannot say {', '.join(lost)}")
    response = written_answer(dialect, turn, call, PACE)
    interaction = Interaction(request, response)
    return Twin(name, row, call, interaction, {"turn": expected(dialect, fit.turn, stream)})


def turn_of(row: dict[str, Any]) -> AssistantTurn:
    """Return the turn of a row."""
    status = "failed" if "error" in row["turn"] else "completed"
    turn = turn_from_json({"status": status, **row["turn"]})
    return replace(turn, model=MODEL)


def expected(dialect: Dialect, turn: AssistantTurn, stream: bool) -> dict[str, Any]:
    """Return what a scenario expects of a turn that a dialect says.

    A whole answer may have arguments as an object, whose text the client makes.
    """
    capacity = dialect.capacity
    assert capacity is not None
    data: dict[str, Any] = to_json(turn)
    for key in ("model", "raw_finish_reason", "response_id", "usage"):
        if data.get(key) is None or key == "model":
            data.pop(key, None)
    if turn.error is not None:
        data["error"] = _error(turn.error)
        data.pop("finish_reason", None)
    for part in data["parts"]:
        if part["type"] == "tool_call":
            if not capacity.call_ids:
                part.pop("id"), part.pop("id_synthesized", None)
            if not (capacity.call_text and stream):
                part.pop("arguments_raw")
            if turn.error is not None:
                # It may or may not be complete when the error comes.
                part.pop("arguments"), part.pop("arguments_raw", None)
    return json.loads(json.dumps(data))  # type: ignore[no-any-return]


def _error(error: ErrorInfo) -> dict[str, Any]:
    data: dict[str, Any] = {"class": str(error.error_class), "retryable": error.retryable}
    if error.retry_after is not None:
        data["retry_after"] = error.retry_after
    return data


def place(dialect: Dialect) -> tuple[Path, Path]:
    """Return where the scenarios and the cassette of a dialect's twins are."""
    root = bundled.root()
    return (
        root / "specs/scenarios" / dialect.name / "twins.yaml",
        root / "cassettes" / dialect.name / "twins.yaml",
    )
