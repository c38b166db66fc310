from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.suite.schemas import definition, schema
from mockserver.dialects.openai_responses.grammar import violations
from mockserver.dialects.openai_responses.native import wire_events
from mockserver.library import library
from mockserver.wire.schedule import from_response
from tests.harness.official import MODELS

DEFINITIONS: dict[str, Any] = schema("responses_event")["$defs"]
EVENTS: list[str] = schema("responses_event")["properties"]["type"]["enum"]


def test_every_event_type_of_the_official_types_is_ours() -> None:
    assert set(EVENTS) == set(MODELS)


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_asks_for_the_same_fields_as_the_official_type(kind: str) -> None:
    fields = MODELS[kind].model_fields
    assert set(DEFINITIONS[kind]["required"]) == {n for n, f in fields.items() if f.is_required()}
    assert set(DEFINITIONS[kind]["properties"]) <= set(fields) | {"name"}


@pytest.mark.parametrize(
    ("event", "fits"),
    [
        ({"type": "response.refusal.delta", "delta": "a", "content_index": 0}, True),
        ({"type": "response.refusal.delta", "delta": None, "content_index": 0}, False),
        ({"type": "response.refusal.delta", "delta": "a", "content_index": -1}, False),
        ({"type": "response.refusal.delta", "delta": "a"}, False),
        ({"type": "response.output_item.added", "item": {"type": "message"}}, False),
        ({"type": "response.output_item.added", "item": {"type": "brand_new_tool"}}, True),
        ({"type": "response.output_item.added", "item": {}}, False),
    ],
)
def test_the_schema_tells_right_from_wrong(event: dict[str, Any], fits: bool) -> None:
    check = definition("responses_event", event["type"])
    assert check is not None
    whole = {"item_id": "i", "output_index": 0, "sequence_number": 0, **event}
    assert check.is_valid(whole) is fits


@pytest.mark.parametrize("provider", ["openai", "bedrock", "deepseek"])
def test_schema_and_grammar_are_fair_to_real_streams(recordings: Path, provider: str) -> None:
    index = json.loads((recordings / "index.json").read_text(encoding="utf-8"))["interactions"]
    entries = [
        e
        for e in index
        if "responses" in e["dialect"] and e["provider"] == provider and e["transport"] == "sse"
    ]
    assert entries
    for entry in entries:
        recorded = library.load(recordings / entry["file"]).interactions[entry["interaction"]]
        events = wire_events(from_response(recorded.response))
        for event in events:
            check = definition("responses_event", event["type"])
            assert check is not None
            assert [problem.message for problem in check.iter_errors(event)] == []
        # OpenAI itself sends reasoning that shows nothing; a translator has no reason to.
        wrong = [
            b.message for b in violations(events) if "a reasoning item is empty" not in b.message
        ]
        assert wrong == []
