from __future__ import annotations

import pytest

from mockserver.dialects import UnwritableError
from mockserver.dialects.openai_responses.output import items_of, whole_part
from mockserver.vocabulary import (
    HostedToolPart,
    ImagePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)


def text(said: str, phase: str | None = None) -> TextPart:
    return TextPart(text=said, phase=phase)


def thought(said: str, channel: str = "summary", sealed: str | None = None) -> ReasoningPart:
    return ReasoningPart(text=said, channel=channel, encrypted_content=sealed)


CALL = ToolCallPart(id="call_1", name="f", arguments={}, arguments_raw="{}")
CUT = ToolCallPart(id="call_1", name="f", arguments=None, arguments_raw='{"a')
IMAGE = ImagePart(url="data:image/webp;base64,AAAA")
NO = RefusalPart(refusal="No.")


@pytest.mark.parametrize(
    ("parts", "groups"),
    [
        ([], []),
        ([text("a"), text("b"), NO], [("message", 3)]),
        ([NO, text("a")], [("message", 2)]),
        ([text("a", "commentary"), text("b", "commentary")], [("message", 2)]),
        ([text("a", "commentary"), text("b", "final_answer")], [("message", 1), ("message", 1)]),
        ([text("a", "commentary"), NO], [("message", 2)]),
        ([text("a"), CALL, text("b")], [("message", 1), ("function_call", 1), ("message", 1)]),
        ([CALL, CALL], [("function_call", 1), ("function_call", 1)]),
        ([IMAGE, IMAGE], [("image_generation_call", 1), ("image_generation_call", 1)]),
        (
            [thought("a"), thought("b", sealed="s"), thought("c")],
            [("reasoning", 2), ("reasoning", 1)],
        ),
        ([thought("a"), thought("b", "text")], [("reasoning", 2)]),
        ([thought("a", "text"), thought("b")], [("reasoning", 1), ("reasoning", 1)]),
        ([thought("a", "text"), thought("b", "text")], [("reasoning", 2)]),
        ([thought("a"), thought("", sealed="s")], [("reasoning", 1), ("reasoning", 1)]),
        ([thought("", sealed="s"), thought("a")], [("reasoning", 1), ("reasoning", 1)]),
    ],
)
def test_which_parts_make_one_item(parts: list[Part], groups: list[tuple[str, int]]) -> None:
    items = items_of(parts, "resp_1")
    assert [(item.type, len(item.parts)) for item in items] == groups
    assert len({item.id for item in items}) == len(items)


@pytest.mark.parametrize(
    ("part", "prefix", "begun", "whole"),
    [
        (
            text("Hi", "final_answer"),
            "msg_",
            {"status": "in_progress", "content": []},
            {
                "status": "completed",
                "content": [
                    {"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi"}
                ],
            },
        ),
        (
            thought("Hm", sealed="seal"),
            "rs_",
            {"summary": [], "encrypted_content": "seal"},
            {
                "summary": [{"type": "summary_text", "text": "Hm"}],
                "encrypted_content": "seal",
            },
        ),
        (
            thought("Hm", "text"),
            "rs_",
            {"summary": []},
            {"summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}]},
        ),
        (
            CALL,
            "fc_",
            {"status": "in_progress", "arguments": "", "call_id": "call_1", "name": "f"},
            {"status": "completed", "arguments": "{}", "call_id": "call_1", "name": "f"},
        ),
        (
            CUT,
            "fc_",
            {"status": "in_progress", "arguments": "", "call_id": "call_1", "name": "f"},
            {"status": "incomplete", "arguments": '{"a', "call_id": "call_1", "name": "f"},
        ),
        (
            IMAGE,
            "ig_",
            {"status": "in_progress", "result": None},
            {"status": "completed", "output_format": "webp", "result": "AAAA"},
        ),
    ],
)
def test_the_forms_of_an_item(
    part: Part, prefix: str, begun: dict[str, object], whole: dict[str, object]
) -> None:
    (item,) = items_of([part], "resp_1")
    role = {"role": "assistant", "phase": "final_answer"} if isinstance(part, TextPart) else {}
    same = {"id": item.id, "type": item.type, **role}
    assert item.begun() == {**same, **begun}
    assert item.whole() == {**same, **whole}
    assert (item.id[: len(prefix)], len(item.id)) == (prefix, len(prefix) + 48)


def test_a_message_in_which_the_model_was_stopped_is_incomplete() -> None:
    (item,) = items_of([text("Hi")], "resp_1")
    assert item.whole(complete=False)["status"] == "incomplete"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (HostedToolPart(kind="web_search"), "a hosted_tool part cannot be said"),
        (ImagePart(url="https://example.com/a.png"), "not in a data: URL"),
        (ImagePart(url="data:text/plain;base64,AAAA"), "not in a data: URL"),
    ],
)
def test_parts_without_an_item(part: Part, message: str) -> None:
    with pytest.raises(UnwritableError, match=message):
        items_of([part], "resp_1")


def test_a_call_is_no_part_of_a_message() -> None:
    with pytest.raises(UnwritableError, match="tool_call part is no part of a message"):
        whole_part(CALL)
