from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.adapters.chatcmpl_to_responses import ChatcmplToResponses
from mockserver.dialects.openai_responses.grammar import violations
from tests.harness.judge.sequences import at, changed, merged, renumbered, twice, without

Json = dict[str, Any]


def valid() -> list[Json]:
    """Reasoning, text with a source, a call: a valid sequence."""
    translator = ChatcmplToResponses({"created_at": 1, "model": "m"})
    source = {"url": "https://a.b", "title": "t", "start_index": 0, "end_index": 1}
    function = {"name": "f", "arguments": '{"x":'}
    deltas = [
        {"reasoning": "why"},
        {"content": "Hé"},
        {"content": " there"},
        {"annotations": [{"type": "url_citation", "url_citation": source}]},
        {"tool_calls": [{"index": 0, "id": "call_a", "function": function}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
    ]
    events = []
    for delta in deltas:
        events += translator.chunk({"id": "c1", "choices": [{"index": 0, "delta": delta}]})
    end = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    return events + translator.chunk({"choices": [end], "usage": usage}) + translator.done()


def swapped(events: list[Json]) -> list[Json]:
    """The first and the second item change places in the final output."""
    output = events[-1]["response"]["output"]
    output[0], output[1] = output[1], output[0]
    return events


BROKEN: list[tuple[str, Callable[[list[Json]], list[Json]], str]] = [
    ("no created", without("created"), "response.created must be the first event"),
    ("created twice", twice("created"), "response.created must be the first event"),
    ("numbers skip one", changed("in_progress", sequence_number=5), "does not increase by one"),
    ("an end is missing", without("completed"), "the sequence has no terminal event"),
    ("two ends", twice("completed"), "comes after the terminal event"),
    ("another response", changed("completed", response={"id": "x"}), "changed its id"),
    ("item added twice", twice("output_item.added"), "not the next output_index"),
    ("item twice, new index", lambda e: changed("output_item.added", 1, output_index=1)(
        twice("output_item.added")(e)), "two items have the same id"),
    ("index shared", changed("output_item.added", 1, output_index=0), "not the next output_index"),
    ("item born done", changed("output_item.added", item={"status": "completed"}), "in_progress"),
    ("item never done", without("output_item.done"), "added but never done"),
    ("item done twice", twice("output_item.done"), "its item is already done"),
    ("item never added", without("output_item.added", 2), "no item has this output_index yet"),
    ("delta to another item", changed("output_text.delta", item_id="x"), "belongs to another item"),
    ("delta to another part", changed("output_text.delta", content_index=1), "no open output_text"),
    ("part not added", without("content_part.added", 1), "no open output_text"),
    ("part index skips", changed("content_part.added", 1, content_index=1), "next content_index"),
    ("text never done", without("output_text.done"), "its text has no done event"),
    ("part never done", without("content_part.done"), "one of its parts is not done"),
    ("delta lost", without("output_text.delta"), "the text differs from its joined deltas"),
    ("text done differs", changed("output_text.done", text="Ho"), "differs from its joined deltas"),
    ("part differs", changed("content_part.done", 1, part={"text": "Ho"}), "part differs from"),
    ("source lost", changed("content_part.done", 1, part={"annotations": []}), "part differs from"),
    ("source 1 first", changed("output_text.annotation.added", annotation_index=1), "not the next"),
    ("item differs", changed("output_item.done", 1, item={"content": []}), "content differs from"),
    ("arguments lost", without("function_call_arguments.delta"), "arguments differ"),
    ("arguments never done", without("function_call_arguments.done"), "have no done event"),
    ("arguments done differ", changed("function_call_arguments.done", arguments="{}"), "joined"),
    ("call renamed", changed("output_item.done", 2, item={"name": "g"}), "changed its name"),
    ("call gets another id", changed("output_item.done", 2, item={"call_id": "z"}), "its call_id"),
    ("item not over", changed("output_item.done", item={"status": "in_progress"}), "not be in_"),
    ("output reordered", swapped, "output differs from the done items"),
    ("output empty", changed("completed", response={"output": []}), "output differs from the done"),
]  # fmt: skip


def test_the_sequence_before_it_is_broken_is_valid() -> None:
    assert list(violations(valid())) == []


@pytest.mark.parametrize(
    ("name", "damage", "message"), BROKEN, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_broken_sequence_is_caught(
    name: str, damage: Callable[[list[Json]], list[Json]], message: str
) -> None:
    assert message in " / ".join(breach.message for breach in violations(damage(valid())))


def test_cut_arguments_may_stay_unfinished_and_must_not_be_complete() -> None:
    events = valid()
    del events[at(events, "function_call_arguments.delta", 1)]
    del events[at(events, "function_call_arguments.done")]
    half = merged(events[at(events, "output_item.done", 2)]["item"], {"arguments": '{"x":'})
    for status, wrong in (("incomplete", 0), ("completed", 2)):
        item = {**half, "status": status}
        events[at(events, "output_item.done", 2)]["item"] = item
        events[-1]["response"]["output"][2] = item
        assert len(list(violations(renumbered(events)))) == wrong
