"""The files of a dialect's twins, as text."""

from __future__ import annotations

from typing import Any

import yaml

from mockserver.cassettes import Cassette
from mockserver.cassettes.writer import dump
from mockserver.dialects import Dialect
from mockserver.vocabulary import NeutralCall
from tests.twins.table import MODEL, Twin, Unsayable, place, table, twins

_SOURCE = "specs/twins.yaml, written in this dialect by its write_answer"
_HEAD = "# Written by python -m tests.twins from specs/twins.yaml. Change that file, not this."
#: Rows that every client of a dialect should pass before anything else.
_FIRST = frozenset({"text", "tool-call", "tools-parallel", "error-after-text", "length"})


class _Dumper(yaml.SafeDumper):
    """Small collections on one line, no aliases."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def cassette_text(dialect: Dialect) -> bytes:
    """Return the cassette: one interaction for each twin."""
    found = [t.interaction for t in twins(dialect) if isinstance(t, Twin)]
    head = (
        b"# Written by python -m tests.twins from specs/twins.yaml. Change that file, not this.\n"
    )
    return head + dump(Cassette(place(dialect)[1], tuple(found)))


def scenario_text(dialect: Dialect) -> bytes:
    """Return the scenarios: one row for each twin."""
    every = list(twins(dialect))
    found = [t for t in every if isinstance(t, Twin)]
    head = [_HEAD]
    left_out = {t.name: t.why for t in every if isinstance(t, Unsayable)}
    said_once = {n: why for n, why in left_out.items() if left_out.get(n[: -len("-whole")]) != why}
    if said_once:
        head.append("# Rows that this dialect cannot say:")
        head += [f"#   {name}: {why}" for name, why in said_once.items()]
    data = {
        "version": 1,
        "scenario": f"{dialect.name}/twins",
        "title": "Twin",
        "dialect": dialect.name,
        "requires": ["streaming"],
        "source": _SOURCE,
        "priority": "P1",
        "about": ["text"],
        "call": {"model": MODEL, "messages": [{"role": "user", "content": "Hello!"}]},
        "rows": [_row(twin, number) for number, twin in enumerate(found)],
    }
    text = yaml.dump(
        data,
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=2**31,
        default_flow_style=None,
    )
    return "\n".join([*head, text]).encode()


def _row(twin: Twin, number: int) -> dict[str, Any]:
    row = twin.row
    call = twin.call
    requires = ["streaming" if call.stream else "non_streaming", *row.get("requires", ())]
    return {
        "name": twin.name,
        "title": row["title"] + ("" if call.stream else ", not streamed"),
        "priority": "P0" if row["name"] in _FIRST else "P1",
        "requires": requires,
        "about": row["about"],
        "interactions": [number],
        "call": _call(call),
        "expect": twin.expect,
    }


def _call(call: NeutralCall) -> dict[str, Any]:
    data: dict[str, Any] = {"messages": [dict(m) for m in call.messages]}
    if call.tools:
        data["tools"] = table()["tools"]
    if not call.stream:
        data["stream"] = False
    return data
