"""Write the transcript of a failing case to a file, and read it again.

The file has the explanation as text and the evidence as data: requests, answers, events and turn.
Credentials are replaced as in the server's journal; the runner has replaced what it learned.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from harness.errors import ReportError, SetupError
from harness.judge.transcript import SeenRequest, TurnRecord
from harness.reports.explain import explain
from harness.reports.ndjson import to_json
from harness.reports.records import CaseResult, case_record
from harness.suite import formats
from mockserver import files
from mockserver.secrets import query, request_headers, shown_body
from mockserver.vocabulary import JsonObject
from mockserver.wire import Gate, Schedule

WIDTH = 100


def write(directory: Path, result: CaseResult, options: tuple[str, ...] = ()) -> Path:
    """Write the transcript of ``result`` into ``directory`` and return the file.

    Raises :class:`SetupError` if it cannot be written.
    """
    transcript = result.transcript
    data = {
        "version": formats.VERSION,
        "record": case_record(result),
        "explanation": explain(result, here=Path.cwd(), width=WIDTH, options=options),
        "turns": [_turn(t) for t in transcript.turns],
        "unplayed": list(transcript.unplayed),
        "connection_let_go": transcript.connection_closed,
    }
    text = to_json(data, indent=1)
    path = directory / f"{re.sub(r'[^A-Za-z0-9.=@,-]+', '__', result.case.id)}.json"
    try:
        files.replace(path, text.encode())
    except OSError as exc:
        raise SetupError(f"cannot write the transcript: {exc.strerror}", path=path) from None
    return path


def read(path: Path) -> JsonObject:
    """Read a transcript file. Raises :class:`ReportError` for any other file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ReportError(f"cannot be read: {exc.strerror}", path=path) from None
    except ValueError:
        data = None
    if isinstance(data, dict) and (unknown := formats.unknown_version(data)) is not None:
        raise ReportError(unknown, path=path, hint=formats.HINT)
    if not isinstance(data, dict) or not data.keys() >= {"record", "explanation"}:
        raise ReportError(
            "not a transcript file", path=path, hint="'tapecheck run --keep DIR' writes them"
        )
    return data


def _turn(turn: TurnRecord) -> JsonObject:
    return {
        "requests": [_request(r) for r in turn.requests],
        "answers": [_answer(s) for s in turn.schedules],
        "events": [event.data for event in turn.events],
        "turn": None if turn.turn is None else turn.turn.data,
        "raised": turn.raised,
        "traceback": turn.traceback,
        "hung": turn.hung,
    }


def _request(request: SeenRequest) -> JsonObject:
    return {
        "method": request.method,
        "path": request.path,
        "query": query(request.query),
        "headers": [list(pair) for pair in request_headers(request.headers)],
        "body": _body(request),
        "exchange": request.exchange,
        "miss": request.miss,
    }


def _body(request: SeenRequest) -> str:
    """Return a body without what has the name or the shape of a credential."""
    kind = next((v for n, v in request.headers if n.lower() == "content-type"), None)
    return shown_body(request.body, kind).decode(errors="replace")


def _answer(schedule: Schedule) -> JsonObject:
    return {
        "status": schedule.status,
        "headers": [list(pair) for pair in schedule.headers],
        "coding": str(schedule.coding),
        "ending": str(schedule.ending),
        "chunks": [_step(step) for step in schedule.steps],
    }


def _step(step: Any) -> JsonObject:
    if isinstance(step, Gate):
        return {"hold": step.name}
    return {"at_ms": step.at_ms, "base64": base64.b64encode(step.data).decode()}
