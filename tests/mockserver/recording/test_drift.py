from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from mockserver.cassettes.cassette import End, Interaction, Wire
from mockserver.recording.drift import compare
from tests.mockserver.rawhttp import interaction


def answer(*events: dict[str, Any], status: int = 200, end: End = End.EOF) -> Interaction:
    body = "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode() + b"data: [DONE]\n\n"
    made = interaction(body, content_type="text/event-stream", wire=Wire(end=end))
    return Interaction(made.request, replace(made.response, status=status))


def delta(text: str, **more: Any) -> dict[str, Any]:
    return {"object": "chunk", "choices": [{"delta": {"content": text, **more}}]}


USAGE = {"object": "chunk", "usage": {"total_tokens": 3}}
TITLE = "0 POST /v1/chat/completions"


def test_the_same_traffic_has_no_drift() -> None:
    assert str(compare([answer(delta("a"))], [answer(delta("a"))])) == "no difference"


def test_other_texts_are_values_not_shapes() -> None:
    drift = compare([answer(delta("Hi "), delta("you"), USAGE)], [answer(delta("Hello"), USAGE)])
    assert drift.shapes == ()
    assert drift.values == (f"  {TITLE}: chunk.choices[].delta.content: Hi you → Hello",)


def test_new_and_removed_fields_are_named() -> None:
    old = answer(delta("a", refusal=None), USAGE)
    new = answer(delta("a", reasoning="hm"), {**USAGE, "usage": {"total_tokens": "3"}})
    assert compare([old], [new]).shapes == (
        f"~ {TITLE}: field chunk.choices[].delta.reasoning appears",
        f"~ {TITLE}: field chunk.choices[].delta.refusal disappears",
        f"~ {TITLE}: field chunk.usage.total_tokens: number → string",
    )


def test_new_and_removed_events_are_named() -> None:
    old = answer({"type": "created"}, {"type": "delta"}, {"type": "delta"}, {"type": "done"})
    new = answer({"type": "created"}, {"type": "ping"}, {"type": "delta"}, {"type": "done"})
    lines = compare([old], [new]).shapes
    assert f"~ {TITLE}: event ping appears" in lines
    assert not any("event delta" in line for line in lines)


def test_events_among_hundreds_are_named_alone() -> None:
    many = [{"type": "a"}, {"type": "b"}] * 150
    new = [*many[:100], {"type": "ping"}, *many[100:200], {"type": "pong"}, *many[200:]]
    lines = [s for s in compare([answer(*many)], [answer(*new)]).shapes if ": event " in s]
    assert lines == [f"~ {TITLE}: event ping appears", f"~ {TITLE}: event pong appears"]


@pytest.mark.parametrize("name", ["retry-after", "x-ratelimit-limit-tokens", "x-codex-plan-type"])
def test_headers_that_come_with_load_and_plan_are_not_compared(name: str) -> None:
    old = answer()
    headers = (*old.response.headers, (name, "3"))
    new = Interaction(old.request, replace(old.response, headers=headers))
    assert compare([old], [new]).shapes == ()


def test_a_header_that_comes_or_goes_is_named() -> None:
    old = answer()
    more = replace(old.response, headers=(*old.response.headers, ("x-note", "3")))
    new = Interaction(old.request, more)
    assert compare([old], [new]).shapes == (f"~ {TITLE}: header x-note: absent → 3",)
    assert compare([new], [old]).shapes == (f"~ {TITLE}: header x-note: 3 → absent",)


def test_status_headers_and_endings_are_compared() -> None:
    old, new = answer(), answer(status=429, end=End.RESET)
    headers = (("content-type", "application/json"), ("retry-after", "3"))
    new = Interaction(new.request, replace(new.response, headers=headers))
    assert compare([old], [new]).shapes[:3] == (
        f"~ {TITLE}: status 200 → 429",
        f"~ {TITLE}: ended with eof → reset",
        f"~ {TITLE}: header content-type: text/event-stream → application/json",
    )


def test_new_and_removed_requests_are_named() -> None:
    models = interaction(b"{}", path="/v1/models", method="GET")
    assert compare([answer()], [models]).shapes == (
        "+ 0 GET /v1/models: new",
        f"- {TITLE}: no longer requested",
    )


def test_long_lists_are_shortened() -> None:
    old, new = answer(), answer({f"field{n:02}": "x" * 500 for n in range(30)})
    lines = compare([old], [new]).shapes
    assert len(lines) == 9
    assert lines[-1].endswith("more")
    assert all(len(line) < 150 for line in lines)


def test_a_request_that_changed_is_a_difference() -> None:
    old = interaction(b"{}", body=b'{"model":"m","messages":["hi"]}')
    new = interaction(b"{}", body=b'{"model":"m","messages":["hello"]}')
    drift = compare([old], [new])
    assert drift.shapes == ()
    assert str(drift) == (
        f'  {TITLE}: the request differs in body/messages/0: recorded "hi", got "hello"'
    )


def test_of_many_differences_the_first_are_shown() -> None:
    names = [f"field{n}" for n in range(30)]
    old = answer({"object": "chunk", **dict.fromkeys(names, "a")})
    new = answer({"object": "chunk", **dict.fromkeys(names, "b")})
    values = compare([old], [new]).values
    assert len(values) < 30
    assert re.search(r"and \d+ more", values[-1])


def test_of_many_differences_of_a_request_the_first_are_shown() -> None:
    sent = [json.dumps({f"field{n}": value for n in range(30)}).encode() for value in "ab"]
    old, new = (replace(answer(), request=replace(answer().request, body=body)) for body in sent)
    text = str(compare([old], [new]))
    assert re.search(r"the request differs in \d+ more", text)
