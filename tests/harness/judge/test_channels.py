from __future__ import annotations

from typing import Any

from harness.judge.channels import of_events, of_turn

Json = dict[str, Any]

EVENTS: list[Json] = [
    {"type": "message_start", "response_id": "r", "model": "m"},
    {"type": "reasoning_delta", "delta": "th", "channel": "text"},
    {"type": "content_delta", "delta": "Hel"},
    {"type": "reasoning_delta", "delta": "ink", "channel": "text"},
    {"type": "reasoning_signature", "signature": "s1"},
    {"type": "content_delta", "delta": "lo", "native": [1]},
    {"type": "citation", "url": "u", "title": None, "native": {"a": 1}},
    {"type": "hosted_tool", "kind": "web_search"},
    {"type": "tool_call_start", "tool_call_index": 0, "tool_call_id": "a", "tool_name": "f"},
    {"type": "tool_call_delta", "tool_call_index": 0, "arguments_delta": '{"x":'},
    {"type": "tool_call_delta", "tool_call_index": 0, "arguments_delta": "1}"},
    {
        "type": "tool_call_end",
        "tool_call_index": 0,
        "arguments": {"x": 1},
        "arguments_raw": '{"x":1}',
    },
    {"type": "usage", "usage": {"input_tokens": 1, "output_tokens": 1}},
    {"type": "usage", "usage": {"input_tokens": None, "output_tokens": 2}},
    {"type": "warning", "code": "odd", "message": "m"},
    {"type": "message_stop", "finish_reason": "stop", "raw_finish_reason": "end"},
]


def test_events_are_joined_by_channel_whatever_their_order() -> None:
    found = of_events(EVENTS)
    assert (found["text"], found["reasoning"], found["refusal"]) == ("Hello", "think", "")
    assert found["usage"] == {"input_tokens": 1, "output_tokens": 2}
    assert found["signatures"] == ["s1"]
    assert found["citations"] == [{"url": "u"}]
    assert (found["hosted_tools"], found["warnings"]) == (["web_search"], ["odd"])
    assert (found["response_id"], found["model"]) == ("r", "m")
    assert (found["status"], found["finish_reason"]) == ("completed", "stop")
    (call,) = found["tool_calls"]
    assert (call["id"], call["name"], call["pieces"]) == ("a", "f", '{"x":1}')
    assert call["arguments"] == {"x": 1}


def test_the_size_of_deltas_does_not_matter() -> None:
    whole = [
        {**EVENTS[2], "delta": "Hello"},
        {**EVENTS[1], "delta": "think"},
        *(e for e in EVENTS if not e["type"].endswith("delta") or "tool" in e["type"]),
    ]
    assert of_events(whole) == of_events(EVENTS)


def test_an_error_fails_the_turn() -> None:
    error = {"class": "timeout", "message": "m"}
    found = of_events([*EVENTS[:3], {"type": "error", "error": error}])
    assert (found["status"], found["error"], found["text"]) == ("failed", error, "Hel")


def test_halves_of_a_character_are_joined() -> None:
    halves = [{"type": "content_delta", "delta": half} for half in ("\ud83d", "\ude00")]
    assert of_events(halves)["text"] == "😀"


def test_a_turn_has_only_the_channels_that_it_states() -> None:
    assert of_turn({"content": "a"}) == {"text": "a"}
    assert of_turn({}) == {}
    assert of_turn({"usage": None}) == {"usage": {}}


def test_a_turn_is_read_from_its_parts() -> None:
    parts = [
        {"type": "reasoning", "text": "th", "signature": "s"},
        {"type": "text", "text": "He"},
        {"type": "text", "text": "llo"},
        {"type": "tool_call", "id": "a", "name": "f", "arguments": {}},
        {"type": "hosted_tool", "kind": "web_search"},
    ]
    found = of_turn({"status": "completed", "parts": parts})
    assert (found["text"], found["reasoning"], found["signatures"]) == ("Hello", "th", ["s"])
    assert found["tool_calls"] == [parts[3]]
    assert found["hosted_tools"] == ["web_search"]


def test_a_turn_that_its_limit_cut_succeeded() -> None:
    assert of_turn({"status": "incomplete"}) == {"status": "completed", "cut": True}
    assert of_turn({"status": "failed"}) == {"status": "failed"}


def test_signatures_of_texts_and_images_are_signatures() -> None:
    signed = {"thought_signature": "s1"}
    events: list[Json] = [
        {"type": "content_delta", "delta": "a", **signed},
        {"type": "content_delta", "delta": "b", **signed},
        {"type": "image", "url": "u", "thought_signature": "s2"},
    ]
    found = of_events(events)
    assert (found["signatures"], found["images"]) == (["s1", "s2"], [{"url": "u"}])
    parts = [
        {"type": "text", "text": "ab", **signed},
        {"type": "image", "url": "u", "thought_signature": "s2"},
        {"type": "tool_call", "name": "f", "thought_signature": "s3"},
    ]
    turn = of_turn({"parts": parts})
    assert (turn["signatures"], turn["images"]) == (["s1", "s2"], [{"url": "u"}])
