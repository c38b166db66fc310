from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clients.interface import Adapter
from harness.plan.expand import (
    Axes,
    expand,
    find_cases,
    pairwise,
    parse_axes,
    points,
    skip_reason,
    swept,
)
from harness.suite.scenario import CaseKind, Expectation, GateSpec, Scenario, TurnSpec
from mockserver.cassettes.cassette import Response
from mockserver.vocabulary.call import NeutralCall
from mockserver.wire.axes import RECORDED, Point, apply, point
from mockserver.wire.faults import SWEPT, FaultKind
from mockserver.wire.schedule import Schedule, from_response

SCENARIO = Scenario(
    id="openai-chat/x",
    title="x",
    dialect="openai-chat",
    requires=frozenset({"streaming", "tools"}),
    source=("s",),
    priority="P0",
    file=Path("x.yaml"),
    cassette=Path("c.yaml"),
    turns=(
        TurnSpec(
            key_path=(),
            call=NeutralCall(model="m", messages=()),
            expect=Expectation(events=({"type": "message_stop", "finish_reason": "stop"},)),
        ),
    ),
    incremental=(GateSpec(1, 1),),
)


def schedule(
    body: bytes = 'data: {"a":"é\\n"}\n\ndata: b\n\n'.encode(), kind: str = "text/event-stream"
) -> Schedule:
    headers = (("content-type", kind),)
    return from_response(Response(status=200, reason="OK", headers=headers, body=body))


def covered(rows: list[dict[str, str]]) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(sorted(p)) for row in rows for p in combinations(row.items(), 2)}


@given(
    st.dictionaries(
        st.sampled_from("abcde"),
        st.lists(st.sampled_from("uvwxyz"), min_size=2, max_size=5, unique=True).map(tuple),
        min_size=1,
    )
)
def test_pairwise_covers_every_pair_with_few_rows(values: dict[str, tuple[str, ...]]) -> None:
    rows = pairwise(values)
    everything = [dict(zip(values, row, strict=True)) for row in product(*values.values())]
    assert covered(rows) == covered(everything)
    assert all(set(row) == set(values) for row in rows)
    assert {(a, v) for row in rows for a, v in row.items()} == {
        (a, v) for a, vs in values.items() for v in vs
    }
    assert len(rows) <= len(everything)
    assert rows == pairwise(values)


def test_points_start_with_the_recorded_wire_and_have_no_twins() -> None:
    for mode in ("pairwise", "all"):
        found = list(points(SCENARIO, [schedule()], Axes(mode=mode)))
        assert found[0] == RECORDED
        assert len(set(found)) == len(found)
        wires = {
            (s.header("content-encoding"), s.coding, tuple(p.data for p in s.sends))
            for s in (apply(schedule(), at) for at in found)
        }
        # Two spellings of one wire would be counted as two tests.
        assert len(wires) >= len(found) * 0.95


def test_later_rows_of_a_table_share_the_values() -> None:
    def played(row: int, mode: str = "pairwise") -> list[Point]:
        return [*points(replace(SCENARIO, row=row), [schedule()], Axes(mode=mode))]

    rows = [played(row) for row in (1, 2, 3)]
    assert all(row[0] == RECORDED and len(row) < len(played(0)) / 5 for row in rows)
    # A cut inside CRLF needs another value beside it.
    values = {value for at in played(0) for value in at.values} - {("framing", "crlf")}
    assert {value for at in chain(*rows) for value in at.values} >= values
    assert played(1, "all") == played(0, "all")


def test_later_rows_of_a_table_break_each_event_in_one_way_by_turns() -> None:
    def fault_points(row: int, mode: str) -> list[tuple[int, FaultKind | None]]:
        cases = expand(replace(SCENARIO, row=row), "mine", [schedule()], Axes(mode=mode), True)
        return [(c.event, c.fault) for c in cases if c.kind is CaseKind.FAULT]

    everything = fault_points(0, "pairwise")
    assert everything == fault_points(1, "all") == fault_points(1, "none")
    rows = [fault_points(row, "pairwise") for row in (1, 2, 3)]
    assert all([event for event, _ in row] == [0, 1, 2] for row in rows)
    assert all({kind for _, kind in row} == set(SWEPT) for row in rows)
    assert sorted(chain(*rows)) == sorted(everything)


def test_a_value_that_no_client_could_see_is_left_out() -> None:
    ascii_only = schedule(b"data: a\n\n")
    values = {p for at in points(SCENARIO, [ascii_only], Axes(mode="all")) for p in at.values}
    assert ("framing", "utf8") not in values
    assert ("framing", "escape") not in values
    assert ("eol", "lf") not in values
    assert ("eol", "crlf") in values
    assert ("framing", "crlf") in values


def test_cutting_inside_crlf_stands_only_with_crlf() -> None:
    for at in points(SCENARIO, [schedule()], Axes(mode="all")):
        values = dict(at.values)
        assert values.get("framing") != "crlf" or values.get("eol") == "crlf"


def test_a_scenario_leaves_axes_out() -> None:
    without = replace(SCENARIO, axes_skip={"eol": "why", "framing=blob": "why"})
    for at in points(without, [schedule()], Axes(mode="all")):
        assert "eol" not in dict(at.values)
        assert dict(at.values).get("framing") != "blob"


def test_json_bodies_have_no_text_axes() -> None:
    found = points(SCENARIO, [schedule(b'{"a":1}', "application/json")], Axes(mode="all"))
    assert {axis for at in found for axis, _ in at.values} == {"gzip", "framing", "coding"}


def test_chosen_and_none() -> None:
    chosen = parse_axes("framing=one-byte,eol=crlf")
    assert list(points(SCENARIO, [schedule()], chosen)) == [
        RECORDED,
        point({"eol": "crlf", "framing": "one-byte"}),
    ]
    assert list(points(SCENARIO, [schedule()], parse_axes("none"))) == [RECORDED]


def test_the_seed_is_part_of_a_point() -> None:
    (_, at) = points(SCENARIO, [schedule()], parse_axes("framing=random", seed=7))
    assert at == Point((("framing", "random"),), 7)


@pytest.mark.parametrize("text", ["some", "eol", "eol=x", "x=y", ""])
def test_axes_that_do_not_exist(text: str) -> None:
    with pytest.raises(ValueError, match=r"axes are|unknown"):
        parse_axes(text)


def test_cases_have_stable_names() -> None:
    cases = list(expand(SCENARIO, "mine", [schedule()], Axes(mode="none"), faults=True))
    assert [c.id.removeprefix("openai-chat/x/") for c in cases] == [
        "recorded@mine",
        "hold=1@mine",
        *(f"{kind}={n}@mine" for n in range(3) for kind in ("cut", "reset", "stall")),
    ]


@pytest.mark.parametrize(
    "scenario",
    [
        replace(SCENARIO, faults_skip="why"),
        replace(SCENARIO, turns=SCENARIO.turns * 2),
        replace(SCENARIO, turns=(replace(SCENARIO.turns[0], expect=Expectation(turn={})),)),
        replace(
            SCENARIO,
            turns=(
                replace(SCENARIO.turns[0], call=NeutralCall(model="m", messages=(), max_retries=1)),
            ),
        ),
    ],
    ids=["skipped", "conversation", "no-events", "retries"],
)
def test_where_no_sweep_makes_sense(scenario: Scenario) -> None:
    cases = expand(scenario, "mine", [schedule()], Axes(mode="none"), faults=True)
    assert all(c.kind is not CaseKind.FAULT for c in cases)


def test_why_an_adapter_does_not_run_a_scenario() -> None:
    full = Adapter(
        name="a",
        run=lambda _: None,
        dialects=frozenset({"openai-chat"}),
        features=frozenset({"streaming", "tools"}),
    )
    assert skip_reason(SCENARIO, full) is None
    assert skip_reason(SCENARIO, replace(full, features=frozenset({"tools"}))) == (
        "does not declare streaming"
    )
    assert skip_reason(SCENARIO, replace(full, dialects=frozenset({"codex"}))) == "speaks codex"


RECORDING = replace(SCENARIO, turns=(replace(SCENARIO.turns[0], expect=None),), incremental=())


def faults_over(scenario: Scenario, events: int) -> list[tuple[int, FaultKind | None]]:
    wire = schedule(b"data: a\n\n" * events)
    cases = expand(scenario, "mine", [wire], Axes(mode="none"), True)
    return [(c.event, c.fault) for c in cases if c.kind is CaseKind.FAULT]


def test_a_recording_without_a_scenario_is_swept_too() -> None:
    assert faults_over(RECORDING, 2) == [(n, kind) for n in range(3) for kind in SWEPT]
    error = replace(SCENARIO.turns[0], expect=Expectation(error={"class": "timeout"}))
    assert faults_over(replace(SCENARIO, turns=(error,)), 2) == []


def test_a_long_recording_is_swept_at_its_ends_and_some_points_between() -> None:
    assert len(faults_over(RECORDING, 1000)) == 3 * 24
    # What a scenario expects is known after each event.
    assert len(faults_over(SCENARIO, 30)) == 3 * 31


@given(st.integers(min_value=0, max_value=2000))
def test_the_sweep_of_a_recording_rises_and_has_both_ends(count: int) -> None:
    points = swept(count)
    assert points[0] == 0
    assert points[-1] == count
    assert list(points) == sorted(set(points))
    assert len(points) == min(count + 1, 24)
    assert {*range(min(8, count)), *range(max(0, count - 7), count + 1)} <= set(points)


def test_cases_are_found_by_their_names() -> None:
    wires = [schedule()]
    names = ["recorded", "eol=crlf", "cut=1", "eol=cr,gzip=yes", "cut=99", "eol=none", "hold=9"]
    found = find_cases(SCENARIO, "mine", wires, names, seed=0)
    assert [case.variation for case in found] == names[:4]


def test_a_turn_with_all_its_parts_is_swept() -> None:
    parts = [{"type": "text", "text": "ab"}]
    whole = replace(SCENARIO.turns[0], expect=Expectation(turn={"parts": parts}))
    assert faults_over(replace(SCENARIO, turns=(whole,)), 1) == faults_over(SCENARIO, 1)
