from __future__ import annotations

from typing import Any

from harness.judge.terms import Terms
from harness.judge.transcript import Emitted
from harness.run.gates import HandedOn
from mockserver.vocabulary import Event

EXPECTED: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "response_id": "r", "model": "m"},
    {"type": "reasoning_delta", "delta": "Hm"},
    {"type": "content_delta", "delta": "Hello"},
    {"type": "tool_call_start", "tool_call_index": 0, "tool_call_id": "c", "tool_name": "t"},
    {"type": "tool_call_delta", "tool_call_index": 0, "arguments_delta": "{}"},
)
EXACT = Terms(granularity="exact")
BARE = Terms(exposes=frozenset())
RICH = Terms(exposes=frozenset({"reasoning", "tool_deltas"}))


def emitted(*items: dict[str, Any]) -> list[Emitted[Event]]:
    return [Emitted(value=None, data=item) for item in items]


def is_enough(terms: Terms, seen: int, *items: dict[str, Any]) -> bool:
    handed_on = HandedOn(EXPECTED, seen, terms)
    for event in emitted(*items):
        handed_on.add(event)
    return handed_on.is_enough


def text(delta: str) -> dict[str, Any]:
    return {"type": "content_delta", "delta": delta}


def test_an_exact_client_is_counted_by_its_events() -> None:
    assert not is_enough(EXACT, 2, EXPECTED[0])
    assert is_enough(EXACT, 2, *EXPECTED[:2])


def test_any_other_client_may_cut_texts_otherwise() -> None:
    assert not is_enough(BARE, 3, text("Hel"))
    assert is_enough(BARE, 3, text("Hel"), text("lo"))
    assert is_enough(BARE, 3, text("Hello"))


def test_what_a_client_does_not_expose_does_not_count() -> None:
    assert is_enough(BARE, 5, text("Hello"))
    assert not is_enough(BARE, 5, text("Hel"), {"type": "reasoning_delta", "delta": "Hm"})
    assert not is_enough(RICH, 3, text("Hello"))
    assert is_enough(RICH, 3, {"type": "reasoning_delta", "delta": "Hm"}, text("Hello"))
    assert not is_enough(RICH, 5, *EXPECTED[:4])
    assert is_enough(RICH, 5, *EXPECTED)


def test_where_nothing_is_to_be_seen_there_is_nothing_to_prove() -> None:
    assert is_enough(BARE, 1)
    assert is_enough(BARE, 2)
    assert not is_enough(EXACT, 1)


def test_an_event_of_another_form_has_no_characters() -> None:
    assert not is_enough(BARE, 3, {"type": "content_delta", "delta": ["Hello"]}, {"type": 7})
