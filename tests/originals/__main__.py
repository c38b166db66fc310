"""Play the cases of docs/bugs.md to the originals, keep what they show, and fill the column."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import sys
from collections import defaultdict

from harness.environments import listing, making
from harness.errors import HarnessError
from harness.plan.planning import Settings, plan_cases
from harness.run.run import run
from mockserver.vocabulary import JsonObject
from tests.originals import records
from tests.originals.expected import SIGHTS
from tests.originals.records import Records, Seen

_NAMES = list(dict.fromkeys(name for sight in SIGHTS for name in sight.clients))


def main() -> int:
    """Run the command. What an original that is not played showed before is kept."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.originals",
        description="Plays the cases of docs/bugs.md to the originals of the bundled clients, each "
        "in its environment, which is made if it is not there. Writes tests/originals/records.json "
        "and the last column of docs/bugs.md.",
    )
    parser.add_argument("clients", nargs="*", choices=[*_NAMES, []], metavar="CLIENT")
    asked = parser.parse_args().clients or _NAMES
    kept = records.read() if records.KEPT.exists() else Records("", {}, ())
    releases = dict(kept.releases)
    seen = [one for one in kept.seen if one.client not in asked]
    for client in asked:
        try:
            making.make(listing.third_parties()[client].environment)
            releases[client], found = _played(client)
        except HarnessError as exc:
            print(f"{client}: {exc}", file=sys.stderr)
            return 3
        seen += found
    order = {(sight.row, sight.case, sight.kind): n for n, sight in enumerate(SIGHTS)}
    seen = [one for one in seen if (one.row, one.case, one.kind) in order]
    seen.sort(key=lambda one: (order[one.row, one.case, one.kind], _NAMES.index(one.client)))
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    made = Records(today, releases, tuple(seen))
    records.write(made)
    text = records.DOCUMENT.read_text(encoding="utf-8")
    records.DOCUMENT.write_text(records.with_column(text, made), encoding="utf-8")
    return 0


def _played(client: str) -> tuple[str, list[Seen]]:
    """Play a client's cases; return its release, and what was seen."""
    sights = [sight for sight in SIGHTS if client in sight.clients]
    settings = Settings(adapters=(f"{listing.PREFIX}{client}",))
    plan, gone = plan_cases(settings, {f"{sight.case}@{client}" for sight in sights})
    for case in sorted(gone):
        print(f"no case {case}, or the client does not declare what it needs", file=sys.stderr)

    async def play() -> list[JsonObject]:
        return [record async for record in run(plan, jobs=1)]

    findings: dict[str, list[JsonObject]] = defaultdict(list)
    for record in asyncio.run(play()):
        if record["type"] == "case":
            findings[record["id"]] = record.get("findings", [])
    seen = []
    for sight in sights:
        said = findings[f"{sight.case}@{client}"]
        found = next((f for f in said if _shows(f, sight.kind, sight.says)), None)
        field, message = ("", "not seen") if found is None else (found["field"], found["message"])
        print(f"{sight.row:24} {client:36} {sight.case}: {sight.kind}: {field}: {message:.100}")
        if found is not None:
            seen.append(Seen(sight.row, client, sight.case, sight.kind, field, message))
    return plan.adapters[0].version, seen


def _shows(finding: JsonObject, kind: str, says: str) -> bool:
    return finding["kind"] == kind and says in f"{finding.get('field', '')}: {finding['message']}"


if __name__ == "__main__":
    sys.exit(main())
