from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.dialects.facts import Facts
from mockserver.dialects.registry import facts_of
from mockserver.wire.schedule import Schedule, from_response

Json = dict[str, Any]


def answer(body: str, *, status: int = 200, kind: str = "application/json") -> Schedule:
    headers = (("content-type", kind),)
    return from_response(
        Response(status=status, reason="", headers=headers, body=body.encode("utf-8"))
    )


def whole(status: str, *output: Json | str, **more: Any) -> Schedule:
    return answer(json.dumps({"id": "resp_1", "status": status, "output": list(output), **more}))


def stream(*events: Json) -> Schedule:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return answer(body, kind="text/event-stream")


def created(number: int = 0, response_id: str = "resp_1") -> Json:
    response = {"id": response_id, "status": "queued", "output": []}
    return {"type": "response.created", "sequence_number": number, "response": response}


def delta(number: int, text: str) -> Json:
    position = {"output_index": 0, "content_index": 0, "sequence_number": number}
    return {"type": "response.output_text.delta", **position, "delta": text}


def message(text: str) -> Json:
    return {"type": "message", "content": [{"type": "output_text", "text": text}]}


def ended(number: int, *output: Json) -> Json:
    response = {"id": "resp_1", "status": "completed", "output": list(output), "usage": USAGE}
    return {"type": "response.completed", "sequence_number": number, "response": response}


def facts(*answers: Schedule) -> Facts:
    found = facts_of("background", *answers)
    assert found is not None
    return found


USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
CALL = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
CUT = {"incomplete_details": {"reason": "max_output_tokens"}}
ITEM = {"type": "response.output_item.added", "output_index": 0, "sequence_number": 1}
BEGUN = stream(created(), {**ITEM, "item": {"type": "message", "content": []}}, delta(2, "a"))
BAD_GATEWAY = answer("<html>", status=502, kind="text/html")


def plain(found: Facts) -> Json:
    """Return facts with the number of calls, and whether there is an error."""
    names = (*(f.name for f in fields(found)), "terminal_seen")
    calls = None if found.calls is None else len(found.calls)
    return {
        **{name: getattr(found, name) for name in names},
        "calls": calls,
        "error": found.error is not None,
    }


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([whole("queued")], {"terminal": None, "terminal_seen": False, "text": ""}),
        (
            [whole("queued"), whole("in_progress", message("a"))],
            {"terminal_seen": False, "text": ""},
        ),
        (
            [whole("queued"), whole("completed", message("ab"), CALL, usage=USAGE)],
            {"terminal": "completed", "text": "ab", "calls": 1, "usage": USAGE, "error": False},
        ),
        ([whole("queued"), whole("incomplete", **CUT)], {"terminal": "max_output_tokens"}),
        ([whole("queued"), whole("failed", error={"code": "x"})], {"error": True, "text": ""}),
        ([whole("queued"), whole("cancelled")], {"error": True, "terminal": None}),
        ([whole("queued"), whole("unheard_of")], {"error": False, "terminal_seen": False}),
        # Only the last answer shows how the turn ended.
        ([whole("queued"), BAD_GATEWAY], {"error": True, "terminal_seen": True}),
        ([BAD_GATEWAY, whole("queued"), BAD_GATEWAY, whole("completed")], {"error": False}),
        (
            [whole("queued"), answer('{"id":'), whole("queued")],
            {"broken": False, "terminal_seen": False},
        ),
        ([whole("queued"), answer('{"id":')], {"broken": True}),
        ([whole("queued"), answer("[]")], {"error": True}),
        ([whole("queued"), answer("")], {"terminal_seen": False}),
        # A stream, and what resumes it.
        ([BEGUN], {"text": "a", "terminal_seen": False}),
        ([BEGUN, stream(delta(3, "b"), ended(4))], {"text": "ab", "terminal": "completed"}),
        ([BEGUN, stream(delta(2, "a"), delta(3, "b"), ended(4))], {"text": "ab", "usage": USAGE}),
        ([BEGUN, stream(created(), delta(2, "a")), stream(delta(3, "b"))], {"text": "ab"}),
        ([BEGUN, whole("in_progress"), whole("completed", message("abc"))], {"text": "abc"}),
        ([BEGUN, whole("completed", message("a"), message("b"), CALL)], {"text": "ab", "calls": 1}),
        ([BEGUN, whole("failed", error={"code": "x"})], {"text": "a", "error": True}),
        ([BEGUN, BAD_GATEWAY], {"text": "a", "error": True}),
        ([BEGUN, stream({"type": "error", "sequence_number": 3})], {"text": "a", "error": True}),
        # The answers contradict each other, so there is nothing to judge by.
        ([BEGUN, whole("completed", CALL)], {"text": None, "calls": None, "terminal": "completed"}),
        # A second job in place of the first.
        ([BEGUN, stream(created(0, "resp_2"), delta(1, "b"))], {"text": "b"}),
        ([whole("completed", "x", message("a"))], {"text": "a", "terminal": "completed"}),
    ],
)
def test_facts_of_all_answers_to_a_job(answers: list[Schedule], expected: Json) -> None:
    found = facts(*answers)
    assert {key: plain(found)[key] for key in expected} == expected
