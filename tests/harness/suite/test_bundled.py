from __future__ import annotations

import pytest

from harness.plan.planning import cassette_of
from harness.suite.scenario import Scenario
from mockserver.cassettes.cassette import Origin
from mockserver.vocabulary import JsonObject
from mockserver.wire import from_response
from tests.harness import bundled

#: Authored scenarios whose text has no content_part.added, because they are about such a wire.
WITHOUT_PART_ADDED = {
    "codex/deltas-only/stream",
    "codex/deltas-only/whole",
    "openai-responses/deltas-before-item/text",
    "openai-responses/items-misplaced/index-of-another",
    "openai-responses/items-misplaced/nothing-to-go-by",
    "openai-responses/part-never-added/refusal",
    "openai-responses/part-never-added/text",
    "openai-responses/part-numbers-shifted/every-delta",
    "openai-responses/part-numbers-shifted/number-of-another",
    "openai-responses/part-numbers-shifted/summary-and-refusal",
    "openai-responses/told-once/odd-values",
}


def test_every_bundled_scenario_says_what_it_is_about() -> None:
    assert [s.id for s in bundled.scenarios().values() if not s.about] == []


def test_only_scenarios_about_it_leave_out_content_part_added() -> None:
    found = {
        s.id for s in bundled.scenarios().values() if any(map(_leaves_out_part_added, _streams(s)))
    }
    assert found == WITHOUT_PART_ADDED


@pytest.mark.parametrize("field", ["parallel_tool_calls", "tool_choice", "tools"])
def test_responses_have_the_fields_that_the_official_types_require(field: str) -> None:
    without = {
        s.id
        for s in bundled.scenarios().values()
        for events in _streams(s)
        for event in events
        if isinstance(r := event.get("response"), dict) and "created_at" in r and field not in r
    }
    assert without == {"codex/no-sequence-numbers"}


def _streams(scenario: Scenario) -> list[list[JsonObject]]:
    """Return the events of the authored Responses streams that a scenario plays."""
    interactions = cassette_of(scenario.cassette).interactions
    played = range(len(interactions)) if scenario.interactions is None else scenario.interactions
    streams = []
    for number in played:
        interaction = interactions[number]
        resumed = "starting_after" in interaction.request.uri
        if interaction.response.wire.origin is not Origin.AUTHORED or resumed:
            continue
        blocks = from_response(interaction.response).plain.blocks
        events = [b.json for b in blocks if isinstance(b.json, dict)]
        if any(str(e.get("type")).startswith("response.") for e in events):
            streams.append(events)
    return streams


def _leaves_out_part_added(events: list[JsonObject]) -> bool:
    added = set()
    for event in events:
        part = (event.get("output_index"), event.get("content_index"))
        match event.get("type"):
            case "response.content_part.added":
                added.add(part)
            case "response.output_text.delta" | "response.refusal.delta" if part not in added:
                return True
    return False
