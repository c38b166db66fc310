"""The wire of a written answer, after recordings of api.openai.com."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.dialects import Pace, find_dialect, written_answer
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    ErrorClass,
    ErrorInfo,
    FinishReason,
    ImagePart,
    NeutralCall,
    Part,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

CALL = NeutralCall(
    model="gpt-x",
    messages=({"role": "user", "content": "hi"},),
    options={"temperature": 0.5, "reasoning_effort": "low", "max_completion_tokens": 9},
)
TURN = AssistantTurn(
    response_id="resp_1",
    model="gpt-x-1",
    status=Status.COMPLETED,
    finish_reason=FinishReason.STOP,
    usage=Usage(input_tokens=5, output_tokens=7, total_tokens=12, reasoning_tokens=3),
    parts=(TextPart(text="Hello."),),
)
SOURCE = Citation(url="https://example.com/a", title="A", start=0, end=2)


def write(*parts: Part, name: str = "openai-responses", **fields: Any) -> Response:
    stream = fields.pop("stream", True)
    turn = replace(TURN, **fields, **({"parts": parts} if parts else {}))
    call = replace(CALL, stream=stream)
    return written_answer(find_dialect(name), turn, call, Pace(size=4))


def events(response: Response) -> list[dict[str, Any]]:
    found = []
    for block in response.body.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def kinds(response: Response) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events(response)]


def inside(response: Response) -> list[tuple[str, dict[str, Any]]]:
    """Return the events inside the first item, without what all have."""
    everywhere = {"type", "sequence_number", "item_id", "output_index"}
    return [
        (e["type"].removeprefix("response."), {n: v for n, v in e.items() if n not in everywhere})
        for e in events(response)
        if "item_id" in e
    ]


def test_the_events_of_a_text() -> None:
    assert kinds(write()) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    numbers = [event["sequence_number"] for event in events(write())]
    assert numbers == list(range(10))


def test_the_events_inside_a_text_with_a_source() -> None:
    cited = {
        "type": "url_citation",
        "end_index": 2,
        "start_index": 0,
        "title": "A",
        "url": "https://example.com/a",
    }
    empty = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    at = {"content_index": 0}
    assert inside(write(TextPart(text="Hello", citations=(SOURCE,)))) == [
        ("content_part.added", {**at, "part": empty}),
        ("output_text.delta", {**at, "delta": "Hell", "logprobs": []}),
        ("output_text.delta", {**at, "delta": "o", "logprobs": []}),
        ("output_text.annotation.added", {**at, "annotation_index": 0, "annotation": cited}),
        ("output_text.done", {**at, "text": "Hello", "logprobs": []}),
        ("content_part.done", {**at, "part": {**empty, "annotations": [cited], "text": "Hello"}}),
    ]


def test_the_events_inside_reasoning() -> None:
    summary = ReasoningPart(text="Hm", channel="summary")
    plain = ReasoningPart(text="Aha", channel="text", encrypted_content="seal")
    first, second = {"summary_index": 0}, {"content_index": 0}
    done, raw = {"type": "summary_text"}, {"type": "reasoning_text"}
    assert inside(write(summary, plain)) == [
        ("reasoning_summary_part.added", {**first, "part": {**done, "text": ""}}),
        ("reasoning_summary_text.delta", {**first, "delta": "Hm"}),
        ("reasoning_summary_text.done", {**first, "text": "Hm"}),
        ("reasoning_summary_part.done", {**first, "part": {**done, "text": "Hm"}}),
        ("content_part.added", {**second, "part": {**raw, "text": ""}}),
        ("reasoning_text.delta", {**second, "delta": "Aha"}),
        ("reasoning_text.done", {**second, "text": "Aha"}),
        ("content_part.done", {**second, "part": {**raw, "text": "Aha"}}),
    ]


@pytest.mark.parametrize(
    ("raw", "arguments", "found"),
    [
        (
            '{"a":1}',
            {"a": 1},
            [
                ("delta", {"delta": '{"a"'}),
                ("delta", {"delta": ":1}"}),
                ("done", {"arguments": '{"a":1}'}),
            ],
        ),
        ('{"a', None, [("delta", {"delta": '{"a'})]),
    ],
)
def test_the_events_inside_a_call(raw: str, arguments: Any, found: list[Any]) -> None:
    call = ToolCallPart(id="call_1", name="f", arguments=arguments, arguments_raw=raw)
    assert inside(write(call, finish_reason=FinishReason.TOOL_CALLS)) == [
        (f"function_call_arguments.{step}", fields) for step, fields in found
    ]


def test_the_events_inside_an_image() -> None:
    image = ImagePart(url="data:image/png;base64,AAAA")
    assert inside(write(image)) == [
        (f"image_generation_call.{step}", {}) for step in ("in_progress", "generating", "completed")
    ]


def test_the_response_repeats_the_request() -> None:
    first, *_, last = (event.get("response") for event in events(write()))
    assert first is not None
    assert last is not None
    assert (first["id"], first["object"], first["model"]) == ("resp_1", "response", "gpt-x-1")
    assert (first["status"], first["output"], first["usage"]) == ("in_progress", [], None)
    assert first["temperature"] == 0.5
    assert first["reasoning"] == {"effort": "low", "summary": None}
    assert first["text"] == {"format": {"type": "text"}, "verbosity": "medium"}
    assert (first["max_output_tokens"], first["store"], first["background"]) == (9, True, False)
    assert first["completed_at"] is None
    assert last["completed_at"] >= last["created_at"]
    changing = dict.fromkeys(("status", "output", "usage", "completed_at"))
    assert first | changing == last | changing
    assert (last["status"], len(last["output"])) == ("completed", 1)
    assert last["usage"] == {
        "input_tokens": 5,
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 12,
    }


def test_a_whole_response_is_the_end_of_a_stream() -> None:
    whole = json.loads(write(stream=False).body)
    assert whole == events(write())[-1]["response"]
    assert whole["output"][0]["content"][0]["text"] == "Hello."


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (FinishReason.LENGTH, "max_output_tokens"),
        (FinishReason.CONTENT_FILTER, "content_filter"),
    ],
)
def test_an_incomplete_response_says_why(reason: FinishReason, word: str) -> None:
    response = write(
        TextPart(text="a", phase="commentary"),
        TextPart(text="b"),
        finish_reason=reason,
        status=Status.INCOMPLETE,
    )
    end = events(response)[-1]
    assert end["type"] == "response.incomplete"
    assert end["response"]["incomplete_details"] == {"reason": word}
    assert [item["status"] for item in end["response"]["output"]] == ["completed", "incomplete"]


def test_a_failed_response_has_the_error() -> None:
    error = ErrorInfo(error_class=ErrorClass.SERVER_ERROR, message="No.", retryable=True)
    response = write(status=Status.FAILED, finish_reason=None, error=error)
    end = events(response)[-1]
    assert end["type"] == "response.failed"
    assert end["response"]["status"] == "failed"
    assert end["response"]["error"] == {"code": "server_error", "message": "No."}
    assert end["response"]["output"][0]["status"] == "incomplete"


def test_a_job_waits_before_it_begins() -> None:
    found = events(write(name="background"))
    assert [e["type"] for e in found[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    assert [e["response"]["status"] for e in found[:3]] == ["queued", "queued", "in_progress"]
    assert found[0]["response"]["background"] is True


def test_codex_does_not_repeat_the_items() -> None:
    response = write(name="codex")
    assert events(response)[-1]["response"]["output"] == []
    assert events(response)[-1]["response"]["usage"]["total_tokens"] == 12
    assert events(response)[0]["response"]["store"] is False
    assert response.header("x-codex-primary-window-minutes") == "300"


def test_what_a_turn_leaves_open_is_made_from_it() -> None:
    response = write(response_id=None, model=None)
    first = events(response)[0]["response"]
    assert (first["id"][:5], len(first["id"]), first["model"]) == ("resp_", 53, "gpt-x")
    assert events(response)[2]["item"]["id"] == events(response)[3]["item_id"]
