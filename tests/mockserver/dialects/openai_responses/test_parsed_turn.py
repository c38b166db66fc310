from __future__ import annotations

from typing import Any

import pytest

from mockserver.dialects.openai_responses.parsed_turn import story_of
from mockserver.vocabulary.model import Status

Json = dict[str, Any]


def part(index: int, text: str) -> Json:
    place = {"output_index": index, "content_index": 0}
    return {"type": "response.output_text.delta", **place, "delta": text}


def added(index: int, item: Json) -> Json:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([part(0, "a"), part(0, "b")], "ab"),
        ([part(1, "b"), part(0, "a")], "ab"),
        ([part(0, "a\ud83d")], "a"),
        ([part(0, "\ud83d"), part(0, "\ude00")], "😀"),
        ([{"type": "response.output_text.delta", "delta": "?"}], None),
        (
            [added(0, {"type": "message"}), added(0, {"type": "reasoning"})],
            None,
        ),
        (
            [
                part(0, "a"),
                {"type": "response.completed", "response": {"output": [{"type": "message"}] * 2}},
            ],
            None,
        ),
        (
            [
                {**added(0, {"type": "message"}), "type": "response.output_item.done"},
                part(0, "a"),
                {"type": "response.completed", "response": {"output": ["x", {"type": "message"}]}},
            ],
            "a",
        ),
    ],
)
def test_a_story_is_read_from_what_servers_send_or_not_at_all(
    events: list[Json], text: str | None
) -> None:
    story = story_of(events)
    assert (None if story is None else story.texts["text"]) == text


@pytest.mark.parametrize(
    ("end", "status", "reason"),
    [
        ({"type": "response.done", "response": {"status": "incomplete"}}, Status.INCOMPLETE, None),
        (
            {
                "type": "response.incomplete",
                "response": {"incomplete_details": {"reason": "max_output_tokens"}},
            },
            Status.INCOMPLETE,
            "max_output_tokens",
        ),
        ({"type": "response.completed", "response": {"error": {"code": "x"}}}, Status.FAILED, None),
        ({"type": "error", "error": {"message": "no"}}, Status.FAILED, None),
    ],
)
def test_a_story_knows_how_it_ended(end: Json, status: Status, reason: str | None) -> None:
    story = story_of([end, {"type": "response.completed", "response": {}}])
    assert story is not None
    assert (story.ended, story.status, story.reason) == (True, status, reason)
