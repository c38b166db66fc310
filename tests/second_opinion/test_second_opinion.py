"""A second opinion on every expectation, so that none is merely our own output.

The official SDK of a dialect reads every authored cassette. Where it sees another turn than those
that the scenario accepts, the file of its dialect in ``differences`` says why the expectation is
right; a difference that is not listed fails, and so does a listed one that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from harness.plan.planning import cassette_of
from harness.suite.scenario import Scenario
from mockserver import MockServer
from mockserver.cassettes.cassette import Origin
from tests.harness import bundled
from tests.second_opinion.playing import SDKS, sdk_turn
from tests.second_opinion.turn import differences, expected_turn, judged_by, outcomes

LISTED = [
    entry
    for path in sorted((Path(__file__).parent / "differences").glob("*.yaml"))
    for entry in yaml.safe_load(path.read_text("utf-8"))
]
KNOWN = {name: entry["differs"].split("+") for entry in LISTED for name in entry["scenarios"]}


def authored() -> Iterator[Scenario]:
    for scenario in bundled.scenarios().values():
        if scenario.dialect in SDKS and len(scenario.turns) == 1:
            interactions = cassette_of(scenario.cassette).interactions
            if {i.response.wire.origin for i in interactions} == {Origin.AUTHORED}:
                yield scenario


SCENARIOS = {s.id: s for s in authored()}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as running:
        yield running


@pytest.mark.parametrize("name", sorted(SCENARIOS))
# pydantic warns about arguments that are an object, because its type is a string.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
def test_the_sdk_reads_what_the_scenario_expects(server: MockServer, name: str) -> None:
    scenario = SCENARIOS[name]
    seen = sdk_turn(server, scenario)
    first, *others = (
        differences(expected_turn(one), seen, judged_by(one)) for one in outcomes(scenario)
    )
    found = [] if [] in others else first
    assert found == KNOWN.get(name, []), f"the SDK read {seen}"


def test_listed_differences_name_existing_scenarios_and_reasons() -> None:
    assert sorted(set(KNOWN) - set(SCENARIOS)) == []
    assert all(entry["why"] and entry["source"] for entry in LISTED)
    assert sum(len(entry["scenarios"]) for entry in LISTED) == len(KNOWN)
