from __future__ import annotations

import json
from dataclasses import fields
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
    assert {key: plain(found)[key] for key in expected} == expected


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
    assert {key: plain(found)[key] for key in expected} == expected


def test_an_http_error_is_an_error_whatever_the_body() -> None:
    found = facts(stream(end("completed")), status=503)
    assert (bool(found.error), found.text, found.calls) == (True, None, None)


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
        assert found.calls is not None
        assert len(found.calls) == len(expected["tool_calls"]), entry["id"]
        assert found.terminal in (expected["finish_reason"], "max_output_tokens"), entry["id"]
        for name in ("input_tokens", "output_tokens", "total_tokens"):
            assert found.usage[name] == expected["usage"][name], entry["id"]
        seen += 1
    assert seen >= 9


CREATED = {"type": "response.created", "response": {"id": "r", "model": "m"}}
ARGUED = item(0, type="function_call", call_id="a", name="f", arguments='{"q":1}')


def test_a_call_has_a_name_an_id_and_arguments() -> None:
    twice = {**ARGUED, "output_index": 1}
    (call,) = facts(stream(ARGUED, end("completed"))).calls or ()
    assert (call.name, call.id, call.arguments) == ("f", "a", ({"q": 1},))
    calls = facts(stream(ARGUED, twice, end("completed"))).calls or ()
    assert [one.id for one in calls] == [None, None]
    free = item(0, type="custom_tool_call", call_id="a", name="f", input="x")
    assert [c.arguments for c in facts(stream(free, end("completed"))).calls or ()] == [None]


def test_the_id_and_the_model_are_known_from_the_start_or_in_doubt() -> None:
    named = {"id": "r", "model": "m"}
    found = facts(stream(CREATED, end("completed", **named)))
    assert (found.response_id, found.model) == ("r", "m")
    assert facts(stream(delta("a"), end("completed", **named))).response_id is None
    assert facts(stream(CREATED, end("completed", id="other"))).response_id is None
    whole = json.dumps({**named, "status": "completed", "output": [MESSAGE]})
    assert facts(whole, kind="application/json").model == "m"


SOURCE = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2}


def test_sources_and_what_must_go_back_count_once() -> None:
    part = {"type": "output_text", "text": "Hé", "annotations": [SOURCE]}
    added = {"type": "response.output_text.annotation.added", "annotation": SOURCE}
    message = {"type": "message", "content": [part]}
    thought = {"type": "reasoning", "summary": [], "encrypted_content": "e"}
    made = {"type": "image_generation_call", "result": "AAAA"}
    items = [item(0, **message), item(1, **thought), item(2, **made)]
    output = [message, thought, made]
    found = facts(stream(added, *items, end("completed", output=output)))
    assert [(c.url, c.title, c.start, c.end) for c in found.citations or ()] == [("u", "t", 0, 2)]
    assert (found.signatures, found.images) == (("e",), ("AAAA",))
    other = [message, {**thought, "encrypted_content": "f"}, made]
    assert facts(stream(*items, end("completed", output=other))).signatures is None


def test_a_summary_beside_its_reasoning_is_in_doubt() -> None:
    summary = {**delta("s", "reasoning_summary_text"), "summary_index": 0}
    text = delta("t", "reasoning_text")
    assert facts(stream(summary, end("completed"))).reasoning == "s"
    assert facts(stream(text, end("completed"))).reasoning == "t"
    assert facts(stream(summary, text, end("completed"))).reasoning is None


def test_counts_before_the_end_are_in_doubt_unless_the_end_repeats_them() -> None:
    early = {"type": "response.in_progress", "response": {"usage": USAGE}}
    assert set(facts(stream(early, end("completed"))).usage.values()) == {None}
    assert facts(stream(early, end("completed", usage=USAGE))).usage["total_tokens"] == 7


@pytest.mark.parametrize(
    ("error", "families"),
    [
        (end("failed", error={"code": "rate_limit_exceeded", "message": "x"}), {"rate"}),
        ({"type": "error", "code": "server_error", "message": "x"}, {"server"}),
    ],
)
def test_a_failure_says_why(error: Json, families: set[str]) -> None:
    found = facts(stream(error)).error
    assert found is not None
    assert (found.message, families <= found.families) == ("x", True)


@pytest.mark.parametrize(
    ("events", "may_fail"),
    [
        ([delta("a"), end("completed")], False),
        ([ARGUED, end("completed")], False),
        ([end("completed")], True),
        ([delta("a"), end("incomplete")], True),
        ([delta("a"), end("done", status="odd")], True),
        ([item(0, type="function_call", call_id="a", name="f", arguments="{"), end("completed")],
         True),
    ],
)  # fmt: skip
def test_a_client_may_fail_an_odd_answer(events: list[Json], may_fail: bool) -> None:
    assert facts(stream(*events)).may_fail is may_fail
