from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.cassettes.cassette import Response
from mockserver.dialects.facts import Facts
from mockserver.dialects.registry import facts_of
from mockserver.library import library
from mockserver.wire.schedule import from_response

Json = dict[str, Any]


def facts(body: str, *, status: int = 200, kind: str = "text/event-stream") -> Facts:
    headers = (("content-type", kind),)
    response = Response(status=status, reason="", headers=headers, body=body.encode())
    found = facts_of("codex", from_response(response))
    assert found is not None
    return found


def stream(*events: Json | str) -> str:
    texts = (e if isinstance(e, str) else json.dumps(e) for e in events)
    return "".join(f"data: {text}\n\n" for text in texts)


def item(index: int, **fields: Any) -> Json:
    return {"type": "response.output_item.done", "output_index": index, "item": fields}


def delta(text: str, kind: str = "output_text") -> Json:
    position = {"output_index": 0, "content_index": 0}
    return {"type": f"response.{kind}.delta", **position, "delta": text}


def end(kind: str, **fields: Any) -> Json:
    return {"type": f"response.{kind}", "response": fields}


CUT = {"incomplete_details": {"reason": "max_output_tokens"}}
CALL = item(1, type="function_call", call_id="a", name="f", arguments="{}")
USAGE = {
    "input_tokens": 5,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 7,
}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (stream(delta("a"), delta("b"), end("completed")), {"text": "ab", "terminal": "completed"}),
        (stream(delta("no", "refusal"), end("done")), {"refusal": "no", "terminal": "completed"}),
        (stream(delta("a"), end("incomplete", **CUT)), {"terminal": "max_output_tokens"}),
        (stream(end("incomplete")), {"terminal": "incomplete"}),
        (stream(end("done", status="incomplete", **CUT)), {"terminal": "max_output_tokens"}),
        (stream(delta("a")), {"terminal": None, "terminal_seen": False}),
        (stream({"type": "response.created", "response": {}}), {"terminal_seen": False}),
        (stream(CALL, end("completed")), {"calls": 1, "text": ""}),
        (stream(end("completed", output=[CALL["item"]])), {"calls": 1}),
        (stream(end("completed", usage=USAGE)), {"usage": {"input_tokens": 5, "output_tokens": 2,
            "total_tokens": 7, "cache_read_input_tokens": 0, "reasoning_tokens": 1}}),
        (stream(end("failed", error={"code": "x"})), {"error": True, "terminal": None}),
        (stream({"type": "error", "message": "x"}, end("completed")), {"error": True}),
        ("event: error\ndata: {}\n\n", {"error": True}),
        (stream({"detail": "x"}), {"error": True}),
        (stream(delta("a"), "[DONE]", delta("b")), {"done": True, "text": "a"}),
        (stream(delta("a")) + "data: [DONE]", {"done": True}),
        (stream(delta("a"), '{"type":'), {"broken": True, "text": "a"}),
        (stream("[1]"), {"broken": True}),
        (stream(": wait", end("completed")), {"broken": False, "terminal": "completed"}),
        (stream("null", end("completed")), {"broken": False, "terminal": "completed"}),
        (stream(delta("a")) + 'data: {"type":', {"broken": False, "terminal_seen": False}),
        (stream(delta("a\ud83d")), {"text": "a"}),
        (stream({"type": "response.refusal.delta", "delta": "?"}), {"text": None, "calls": None}),
    ],
)  # fmt: skip
def test_a_stream_says(body: str, expected: Json) -> None:
    found = facts(body)
    assert {key: getattr(found, key) for key in expected} == expected


MESSAGE = {"type": "message", "content": [{"type": "output_text", "text": "Hé"}]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "completed", "output": [MESSAGE]}, {"text": "Hé", "terminal": "completed"}),
        ({"status": "incomplete", "output": [], **CUT}, {"terminal": "max_output_tokens"}),
        ({"status": "failed", "output": [], "error": {"code": "x"}}, {"error": True}),
        ({"status": "in_progress", "output": []}, {"terminal": None, "terminal_seen": False}),
        ({"output": [MESSAGE]}, {"text": "Hé", "terminal": "completed"}),
        ({"status": None, "output": [], **CUT}, {"terminal": "max_output_tokens"}),
        ({"output": [], "error": {"code": "x"}}, {"error": True}),
        ({"output": []}, {"terminal": None, "terminal_seen": False}),
        ({"error": {"message": "x"}}, {"error": True}),
        ("<html>", {"broken": True}),
        ("", {"broken": False, "terminal_seen": False}),
    ],
)
def test_a_whole_answer_says(body: Json | str, expected: Json) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    found = facts(text, kind="application/json")
    assert {key: getattr(found, key) for key in expected} == expected


def test_an_http_error_is_an_error_whatever_the_body() -> None:
    found = facts(stream(end("completed")), status=503)
    assert (found.error, found.text, found.calls) == (True, None, None)


def test_real_answers_say_what_the_official_sdk_read(recordings: Path) -> None:
    index = json.loads((recordings / "index.json").read_text(encoding="utf-8"))["interactions"]
    seen = 0
    for entry in index:
        if "responses" not in entry["dialect"] or entry["expected"].get("error"):
            continue
        recorded = library.load(recordings / entry["file"]).interactions[entry["interaction"]]
        found = facts_of("openai-responses", from_response(recorded.response))
        expected = entry["expected"]
        if found is None or found.error:
            continue
        assert found.text == expected["text"], entry["id"]
        assert found.calls == len(expected["tool_calls"]), entry["id"]
        assert found.terminal in (expected["finish_reason"], "max_output_tokens"), entry["id"]
        for name in ("input_tokens", "output_tokens", "total_tokens"):
            assert found.usage[name] == expected["usage"][name], entry["id"]
        seen += 1
    assert seen >= 9
