"""Records of a run that was never played, for tests of the reports."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from harness.judge.kinds import Level
from harness.suite.scenario import CaseKind

Record = dict[str, Any]
FINDING: Record = {
    "check": "turn",
    "kind": "text",
    "level": "must",
    "field": "text",
    "message": "content of the turn differs",
    "blame": "client",
    "line": 7,
    "expected": "Hello",
    "observed": "Hell",
}


def case(name: str, outcome: str = "pass", *findings: Record, **more: Any) -> Record:
    """Return the record of a case, named ``scenario/variation@adapter``."""
    path, _, adapter = name.partition("@")
    scenario, _, variation = path.rpartition("/")
    kind = {"cut": CaseKind.FAULT, "reset": CaseKind.FAULT, "stall": CaseKind.FAULT}.get(
        variation.partition("=")[0],
        CaseKind.INCREMENTAL if variation.startswith("hold") else CaseKind.WIRE,
    )
    record = {
        "type": "case",
        "id": name,
        "scenario": scenario,
        "adapter": adapter,
        "kind": str(kind),
        "variation": variation,
        "dialect": "openai-chat",
        "priority": "P0",
        "title": "A title",
        "source": ["a document"],
        "file": f"/specs/{scenario}.yaml",
        "outcome": outcome,
        "checks": 19,
        "seconds": 0.5,
    }
    if outcome not in {"pass", "skip"}:
        record["findings"] = list(findings) or [FINDING]
        record["level"] = min(
            (f["level"] for f in record["findings"] if "level" in f), key=list(Level).index
        )
        record["signature"] = "+".join(sorted({f["check"] for f in record["findings"]}))
    if outcome in {"known", "stale"}:
        record["known"] = "as agreed"
    return record | more


def run_of(
    *cases: Record, problems: tuple[str, ...] = (), level: str = "must", **more: Any
) -> list[Record]:
    """Return all records of a run of these cases; some may be skips."""
    counts = Counter(c.get("outcome", c["type"]) for c in cases)
    against = counts["fail"] or counts["stale"] or problems
    names = dict.fromkeys(c["adapter"] for c in cases)
    adapters = [
        {
            "name": n,
            "dialects": ["openai-chat"],
            "features": [],
            "granularity": "exact",
            "level": level,
        }
        for n in names
    ]
    played = [c for c in cases if c["type"] == "case"]
    start = {
        "type": "run",
        "version": 1,
        "tapecheck": "0.1.0",
        "adapters": adapters,
        "options": [],
        "patterns": [],
        "priorities": [],
        "axes": "pairwise",
        "seed": 0,
        "faults": True,
        "cases": len(played),
    }
    end = {
        "type": "end",
        "counts": {o: counts[o] for o in ("pass", "fail", "known", "stale", "skip", "error")},
        "levels": {
            str(word): sum(c.get("level") == word and c["outcome"] != "known" for c in played)
            for word in Level
        },
        "problems": list(problems),
        "exit_code": 3 if counts["error"] else 1 if against else 0,
    }
    return [start | more, *cases, end]


def skip(scenario: str, adapter: str, reason: str) -> Record:
    """Return the record of a scenario that an adapter does not run."""
    return {"type": "skip", "scenario": scenario, "adapter": adapter, "reason": reason}


def shard(
    number: int, of: int, cases: list[Record], /, *, stopped: tuple[str, ...] = (), **whole: Any
) -> tuple[Path, list[Record]]:
    """Return the file of a shard and its records: of the cases, every ``of``-th.

    ``stopped`` are its own problems; ``whole`` replaces what it says about the whole run.
    """
    known = {
        "number": number,
        "of": of,
        "cases": len(cases),
        "digest": "d",
        "problems": [],
        "unreadable": False,
        "listed": {},
        "baselines": {},
    }
    run = {k: whole.pop(k) for k in list(whole) if k not in known}
    records = run_of(
        *cases[number - 1 :: of], skip("b", "one", "no tools"), problems=stopped, **run
    )
    start = {"python": "3.13.1", "started": f"2026-01-0{number}T00:00:00+00:00"}
    records[0] = start | records[0] | {"shard": known | whole}
    return Path(f"{number}.ndjson"), records
