"""The same twenty turns, said in every dialect, are the same turns for every bundled client.

Each dialect writes a turn as its provider would send it, as far as it can; the server plays it, and
the dialect's own client reads it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.adapters.reference import ask
from mockserver import MockServer
from mockserver.dialects import (
    Pace,
    base_path,
    dialects,
    fitted,
    written_answer,
    written_request,
)
from mockserver.library.session import Exchange
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    FinishReason,
    HostedToolPart,
    ImagePart,
    JsonObject,
    NeutralCall,
    Part,
    ReasoningPart,
    RefusalPart,
    SendBackPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)
from mockserver.wire.schedule import from_response

USAGE = Usage(input_tokens=120, output_tokens=34, total_tokens=154)
DETAILS = replace(USAGE, cache_read_input_tokens=64, reasoning_tokens=12)
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: tuple[JsonObject, ...] = tuple(
    {
        "type": "function",
        "function": {"name": name, "description": f"The {name}", "parameters": WEATHER},
    }
    for name in ("weather", "time", "f")
)
_INCOMPLETE = {FinishReason.LENGTH, FinishReason.CONTENT_FILTER}


def turn(
    *parts: Part,
    reason: FinishReason = FinishReason.STOP,
    usage: Usage | None = USAGE,
    model: str = "model-1",
) -> AssistantTurn:
    return AssistantTurn(
        response_id="answer_1",
        model=model,
        status=Status.INCOMPLETE if reason in _INCOMPLETE else Status.COMPLETED,
        finish_reason=reason,
        usage=usage,
        parts=parts,
    )


def text(said: str, *citations: Citation) -> TextPart:
    return TextPart(text=said, citations=citations)


def called(name: str, arguments: JsonObject, raw: str, number: int = 0) -> ToolCallPart:
    return ToolCallPart(
        id=f"call_{number}{name}", name=name, arguments=arguments, arguments_raw=raw
    )


OSLO = called("weather", {"city": "Oslo"}, '{"city":"Oslo"}')
LIMA = called("time", {"city": "Lima"}, '{"city":"Lima"}', 1)
NONE = called("f", {}, "{}")
DEEP = {"a": [1, {"b": None, "c": [True, False]}], "d": "Zo\u00eb \U0001f600", "e": 0.5}
THOUGHT = ReasoningPart(text="First the units, then the sum.", channel="text")
CALLS = FinishReason.TOOL_CALLS
SOURCE = Citation(url="https://example.com/oslo", title="Oslo", start=0, end=4)

TURNS: dict[str, AssistantTurn] = {
    "one word": turn(text("Yes.")),
    "a long text": turn(text("The fjord is deep, and the water is cold. " * 40)),
    "hard characters": turn(
        text("e\u0301 \U0001f469\U0001f3fd\u200d\U0001f680 \u2028 \x85 \ufeff \u00a0|")
    ),
    "line ends": turn(text("a\n\nb\r\nc\rdata: d\n\n")),
    "JSON in a text": turn(text('{"type": "error", "error": {"message": "no"}}\n[DONE]')),
    "right to left": turn(text("\u0634\u0643\u0631\u0627 \u2014 \u05ea\u05d5\u05d3\u05d4")),
    "cut by the limit": turn(text("It began with"), reason=FinishReason.LENGTH),
    "filtered": turn(text("I will say"), reason=FinishReason.CONTENT_FILTER),
    "without counts": turn(text("No counts."), usage=None),
    "counts with details": turn(text("Counted."), usage=DETAILS),
    "one call": turn(OSLO, reason=CALLS),
    "two calls": turn(OSLO, LIMA, reason=CALLS),
    "text and a call": turn(text("I look it up."), OSLO, reason=CALLS),
    "a call without arguments": turn(NONE, reason=CALLS),
    "deep arguments": turn(
        called(
            "f",
            DEEP,
            '{"a": [1, {"b": null, "c": [true, false]}], "d": "Zo\\u00eb \U0001f600", "e": 0.5}',
        ),
        reason=CALLS,
    ),
    "reasoning and text": turn(THOUGHT, text("42")),
    "reasoning and a call": turn(THOUGHT, OSLO, reason=CALLS),
    "a source": turn(text("Oslo is the capital.", SOURCE)),
    "a refusal": turn(text("Hm. "), RefusalPart(refusal="I cannot help with that.")),
    "an image": turn(text("Here:"), ImagePart(url="data:image/png;base64,iVBORw0KGgo=")),
}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as running:
        yield running


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("what", TURNS)
@pytest.mark.parametrize("name", [name for name, one in dialects().items() if one.capacity])
def test_every_client_reads_the_same_turn(
    server: MockServer, name: str, what: str, stream: bool
) -> None:
    dialect = dialects()[name]
    stream = stream or name in ("background", "codex")
    call = NeutralCall(
        model="model-1",
        messages=(
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How cold is it?"},
        ),
        tools=TOOLS,
        stream=stream,
    )
    wanted = fitted(dialect, TURNS[what]).turn
    request = written_request(dialect, call)
    answer = from_response(written_answer(dialect, TURNS[what], call, Pace(size=3)))
    with server.session(exchanges=[Exchange(request, answer)]) as session:
        base_url = session.url + base_path(name, [request.url.path])
        read = asyncio.run(ask(name, call, base_url))
    assert common(read) == common(wanted)


def common(turn: AssistantTurn) -> AssistantTurn:
    """Return a turn in what all providers can say.

    Some send no total, which their clients add up, or zeros for no counts. Some have no offsets of
    a source, or give arguments as an object, so that their spacing is not known. What goes with a
    part, as the tool behind an image, is left out.
    """
    usage = turn.usage
    if usage is not None and usage.input_tokens is not None and usage.output_tokens is not None:
        total = usage.input_tokens + usage.output_tokens
        usage = replace(usage, total_tokens=total) if total else None
    parts = [p for p in turn.parts if not isinstance(p, HostedToolPart | SendBackPart)]
    return replace(turn, usage=usage, parts=tuple(map(_common_part, parts)))


def _common_part(part: Part) -> Part:
    match part:
        case TextPart():
            places = tuple(replace(c, start=None, end=None) for c in part.citations)
            return replace(part, citations=places)
        case ToolCallPart():
            # Some say of a call who made it, which goes back.
            return replace(part, arguments_raw=json.dumps(part.arguments), send_back=None)
    return part


def test_there_are_twenty_turns_and_eight_dialects() -> None:
    assert len(TURNS) == 20
    assert sum(one.capacity is not None for one in dialects().values()) >= 8
