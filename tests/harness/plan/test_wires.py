from __future__ import annotations

from dataclasses import replace

from harness.judge.reading import facts_about
from harness.plan.expand import Axes
from harness.plan.planning import Settings, make_plan, schedules_of
from harness.plan.wires import GATE, schedules_for
from harness.suite.scenario import Case, CaseKind
from mockserver.wire.schedule import Ending, Gate


def cases() -> dict[str, Case]:
    settings = Settings(
        adapters=("openai-compat", "chatcmpl-to-responses"),
        patterns=("openai-chat/text-basic",),
        axes=Axes(mode="pairwise"),
    )
    return {case.id: case for case in make_plan(settings).cases}


def test_every_adapter_is_played_the_same_objects() -> None:
    found = cases()
    ours = [case for case in found.values() if case.adapter == "openai-compat"]
    assert {case.kind for case in ours} == set(CaseKind)
    for case in ours:
        schedules = schedules_for(case)
        other = replace(case, adapter="chatcmpl-to-responses")
        assert schedules_for(other) is schedules
        dialect = case.scenario.dialect
        assert facts_about(dialect, *schedules) is facts_about(dialect, *schedules_for(other))


def test_a_case_is_played_on_its_own_wire() -> None:
    found = cases()
    (whole,) = schedules_of(found["openai-chat/text-basic/recorded@openai-compat"].scenario)
    wires = {name: schedules_for(case)[0] for name, case in found.items()}
    assert wires["openai-chat/text-basic/recorded@openai-compat"] == whole
    cut = wires["openai-chat/text-basic/cut=2@openai-compat"]
    assert cut.body == whole.body[: whole.plain.event_ends[1]]
    assert wires["openai-chat/text-basic/stall=2@openai-compat"].ending is Ending.STALL
    held = wires["openai-chat/text-basic/hold=2@openai-compat"]
    assert [n for n, step in enumerate(held.steps) if isinstance(step, Gate)] == [2]
    assert Gate(GATE) in held.steps
    assert len({wire.body for wire in wires.values()}) > len(whole.plain.event_ends)
