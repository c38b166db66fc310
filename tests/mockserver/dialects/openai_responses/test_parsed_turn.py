from __future__ import annotations

from typing import Any

import pytest

from mockserver.dialects.openai_responses.parsed_turn import parse_turn
from mockserver.vocabulary.model import Status

Json = dict[str, Any]


def part(index: int, text: str) -> Json:
    position = {"output_index": index, "content_index": 0}
    return {"type": "response.output_text.delta", **position, "delta": text}


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
def test_a_turn_is_parsed_from_what_servers_send_or_not_at_all(
    events: list[Json], text: str | None
) -> None:
    parsed = parse_turn(events)
    assert (None if parsed is None else parsed.texts["text"]) == text


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
def test_a_parsed_turn_knows_how_it_ended(end: Json, status: Status, reason: str | None) -> None:
    parsed = parse_turn([end, {"type": "response.completed", "response": {}}])
    assert parsed is not None
    assert (parsed.ended, parsed.status, parsed.reason) == (True, status, reason)


def _delta(number: int, text: str) -> Json:
    return {**part(0, text), "content_index": number}


def _done(number: int, text: str) -> Json:
    kind = "response.output_text.done"
    return {"type": kind, "output_index": 0, "content_index": number, "text": text}


def _item(*texts: str) -> Json:
    content = [{"type": "output_text", "text": text} for text in texts]
    kind = "response.output_item.done"
    return {"type": kind, "output_index": 0, "item": {"type": "message", "content": content}}


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([_delta(1, "a"), _done(1, "a"), _item("ab")], "ab"),
        ([_delta(1, "a"), _done(0, "a"), _delta(2, "b"), _done(1, "bc"), _item("a", "bc")], "abc"),
        ([_delta(1, "a"), _delta(2, "b"), _item("a", "bc")], "abc"),
        ([_delta(0, "a"), _delta(1, "b"), _delta(2, "c"), _item("abc")], "abc"),
        ([_delta(1, "b"), _item("a", "b")], "ab"),
        ([_delta(1, "a"), _item("x")], "a"),
        ([_delta(0, "a"), _item("x", "y")], "ay"),
        ([_done(0, "a"), _done(1, "ab")], "aab"),
    ],
    ids=["from-1", "ends-from-0", "two", "each", "first-unseen", "other", "kept", "longer"],
)
def test_parts_that_are_counted_otherwise_count_once(events: list[Json], text: str) -> None:
    parsed = parse_turn(events)
    assert parsed is not None
    assert parsed.texts["text"] == text


def _args(text: str) -> Json:
    kind = "response.function_call_arguments.delta"
    return {"type": kind, "output_index": 0, "delta": text}


_CALL: Json = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
_END: Json = {"type": "response.completed", "response": {"output": []}}


@pytest.mark.parametrize(
    ("events", "arguments"),
    [
        ([added(0, _CALL), _args("{"), _args("}"), _END], "{}"),
        ([_args("{"), added(0, {**_CALL, "arguments": "{"}), _args("}"), _END], "{}"),
        ([added(0, _CALL), _END], "{}"),
        ([added(0, _CALL)], ""),
    ],
    ids=["repeated", "deltas-first", "nothing-else", "cut"],
)
def test_arguments_in_a_new_call_count_once(events: list[Json], arguments: str) -> None:
    parsed = parse_turn(events)
    assert parsed is not None
    assert [(c.call_id, c.arguments) for c in parsed.calls] == [("c", arguments)]


def test_text_in_a_new_message_and_a_new_part_counts_once() -> None:
    begun = {"type": "output_text", "text": "a"}
    new_part = {**_delta(0, ""), "type": "response.content_part.added", "part": begun}
    new_item = added(0, {"type": "message", "content": [begun]})
    parsed = parse_turn([new_item, new_part, _delta(0, "a"), _delta(0, "b"), _END])
    assert parsed is not None
    assert parsed.texts["text"] == "ab"


def _part_delta(delta: Any, key: str = "delta") -> Json:
    kind = "response.content_part.delta"
    return {"type": kind, "output_index": 0, "content_index": 0, key: delta}


@pytest.mark.parametrize(
    ("events", "texts"),
    [
        ([_part_delta("a"), _part_delta({"text": "b"})], {"text": "ab"}),
        ([_part_delta({"type": "output_text", "text": "a"}, "part")], {"text": "a"}),
        ([_part_delta({"type": "refusal", "refusal": "a"})], {"refusal": "a"}),
        ([added(0, {"type": "reasoning"}), _part_delta("a")], {"reasoning": "a"}),
        ([_part_delta("a"), part(0, "a"), _part_delta("b"), part(0, "b")], {"text": "ab"}),
        ([_part_delta({"type": "audio", "text": "a"}), _part_delta(["a"])], {}),
    ],
    ids=["text", "part", "refusal", "reasoning", "two-names", "nothing"],
)
def test_deltas_of_parts_have_text(events: list[Json], texts: dict[str, str]) -> None:
    parsed = parse_turn(events)
    assert parsed is not None
    assert {kind: text for kind, text in parsed.texts.items() if text} == texts


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"type": "message", "content": ["a", "b"]}, "text"),
        ({"type": "message", "content": [{"text": "a"}, {"type": "text", "text": "b"}]}, "text"),
        ({"type": "message", "content": "ab"}, "text"),
        ({"type": "reasoning", "content": ["ab"]}, "reasoning"),
        ({"type": "reasoning", "summary": [{"text": "ab"}]}, "summary"),
    ],
)
def test_plain_texts_and_parts_without_a_type(item: Json, kind: str) -> None:
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    parsed = parse_turn([done])
    assert parsed is not None
    assert parsed.texts[kind] == "ab"


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (['{"x', '{"x":1}'], '{"x":1}'),
        (['{"x":1}', '{"x":1}'], '{"x":1}'),
        (['{"x":2}'], '{"x":2}'),
    ],
)
def test_arguments_that_come_again(pieces: list[str], expected: str) -> None:
    kind = "response.function_call_arguments"
    deltas = [{"type": f"{kind}.delta", "output_index": 0, "delta": piece} for piece in pieces]
    done = {"type": f"{kind}.done", "output_index": 0, "arguments": '{"x":1}'}
    parsed = parse_turn([added(0, {"type": "function_call"}), *deltas, done])
    assert parsed is not None
    assert parsed.calls[0].arguments == expected
