from __future__ import annotations

from pathlib import Path

from harness.clients.interface import Adapter
from harness.judge.baseline import Baseline
from harness.plan.planning import Plan, Settings
from harness.reports.records import start_record


def test_a_client_of_another_language_says_what_it_is_made_of() -> None:
    adapter = Adapter(
        name="one",
        run=list,
        dialects=frozenset({"openai-chat"}),
        features=frozenset(),
        version="openai 6.49.0, node 20.20",
    )
    plan = Plan(
        settings=Settings(adapters=("cmd: node one.mjs",)),
        adapters=(adapter,),
        baselines={"one": Baseline.empty(Path("one.yaml"))},
        cases=(),
        skips=(),
    )
    (said,) = start_record(plan)["adapters"]
    assert said["versions"] == ["openai 6.49.0", "node 20.20"]
