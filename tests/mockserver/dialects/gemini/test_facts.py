"""What Gemini's answers say, read without any client."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.dialects import Facts
from mockserver.dialects.gemini.facts import read as read_all
from mockserver.dialects.gemini.sources import sources_of
from mockserver.vocabulary import Citation
from mockserver.wire import Body, Media


def chunk(*parts: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate | more.pop("candidate", {})], **more}


def sse(*events: Any) -> Body:
    texts = (e if isinstance(e, str) else f"data: {json.dumps(e)}\n\n" for e in events)
    return Body("".join(texts).encode(), Media.SSE)


def read(*events: Any) -> Facts:
    return read_all([sse(*events)])


def test_a_stream() -> None:
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 4, "totalTokenCount": 11}
    facts = read(
        chunk({"text": "Hm.", "thought": True}, {"text": "a"}, modelVersion="g", responseId="r"),
        chunk({"text": "b", "thoughtSignature": "s"}, finish="STOP", usageMetadata=usage),
    )
    assert (facts.text, facts.reasoning, facts.terminal) == ("ab", "Hm.", "STOP")
    assert (facts.response_id, facts.model, facts.signatures) == ("r", "g", ("s",))
    assert facts.usage == {"input_tokens": 7, "output_tokens": 4, "total_tokens": 11}
    assert not facts.may_fail


@pytest.mark.parametrize(
    "body",
    [
        Body(json.dumps(chunk({"text": "a"}, finish="STOP")).encode(), Media.OTHER),
        Body(json.dumps([chunk({"text": "a"}, finish="STOP")]).encode(), Media.JSON_ARRAY),
        Body(json.dumps([chunk({"text": "a"}, finish="STOP")]).encode(), Media.OTHER),
        sse([chunk({"text": "a"}, finish="STOP")]),
        sse("null\n", chunk({"text": "a"}), "data: null\n\n", chunk(finish="STOP")),
    ],
)
def test_other_forms_say_the_same(body: Body) -> None:
    facts = read_all([body])
    assert (facts.text, facts.terminal) == ("a", "STOP")


def test_nothing_is_said_by_an_empty_body() -> None:
    for media in (Media.SSE, Media.OTHER, Media.JSON_ARRAY):
        facts = read_all([Body(b"", media)])
        assert (facts.terminal_seen, facts.text) == (False, "")


@pytest.mark.parametrize(
    "data", ["data: 7\n\n", "data: {\n\n", 'data: "x"\n\n', "data: [{}, {}]\n\n"]
)
def test_what_is_no_chunk_is_broken(data: str) -> None:
    facts = read(chunk({"text": "a"}), data, chunk(finish="STOP"))
    assert (facts.broken, facts.text, facts.terminal) == (True, "a", None)


@pytest.mark.parametrize(
    "end",
    [
        'data: {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}\n\n',
        'data: [{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}]\n\n',
        '{\n "error": {\n  "code": 503,\n  "message": "busy"\n }\n}\n',
        '[{\n "error": {\n  "code": 503,\n  "message": "busy"\n }\n}\n]\n',
    ],
)
def test_an_error_wins(end: str) -> None:
    facts = read(chunk({"text": "a"}, finish="STOP"), end)
    assert facts.error is not None
    assert (facts.error.message, facts.text) == ("busy", "a")
    assert "rate" in facts.error.families


def test_a_blocked_prompt_is_a_word_and_may_fail() -> None:
    facts = read({"promptFeedback": {"blockReason": "SAFETY"}})
    assert (facts.terminal, facts.may_fail, facts.error) == ("SAFETY", True, None)
    assert read({"promptFeedback": {"safetyRatings": []}}).terminal is None


def test_the_last_event_without_its_blank_line_is_in_doubt() -> None:
    whole = json.dumps(chunk({"text": "b"}, finish="STOP"))
    facts = read(chunk({"text": "a"}), f"data: {whole}")
    assert (facts.text, facts.terminal, facts.may_fail) == ("ab", "STOP", True)
    facts = read(chunk({"text": "a"}), f"data: {whole[:-9]}")
    assert (facts.text, facts.terminal, facts.broken) == ("a", None, False)


@pytest.mark.parametrize("word", [None, ""])
def test_a_whole_answer_is_complete_without_a_finish_word(word: str | None) -> None:
    answer = chunk({"text": "a"}, candidate={"finishReason": word})
    facts = read_all([Body(json.dumps(answer).encode(), Media.OTHER)])
    assert (facts.text, facts.terminal, facts.done, facts.may_fail) == ("a", None, True, True)
    assert not read(answer).done
    error = read_all([Body(b'{"error": {"code": 500, "message": "x"}}', Media.OTHER)])
    assert not error.done


def test_the_end_marker_of_another_api() -> None:
    facts = read(chunk({"text": "a"}, finish="STOP"), "data: [DONE]\n\n")
    assert (facts.terminal, facts.done, facts.may_fail) == ("STOP", True, True)


def test_only_the_first_candidate_counts() -> None:
    second = {"content": {"parts": [{"text": "b"}]}, "index": 1, "finishReason": "SAFETY"}
    value = chunk({"text": "a"}, finish="STOP")
    value["candidates"] += [second, 7]
    facts = read(value)
    assert (facts.text, facts.terminal, facts.other_terminals) == ("a", "STOP", ())


def test_text_behind_the_finish_word_is_in_doubt() -> None:
    facts = read(chunk({"text": "a"}, finish="STOP"), chunk({"text": "b"}, finish="MAX_TOKENS"))
    assert (facts.text, facts.reasoning, facts.other_terminals) == (None, None, ("MAX_TOKENS",))
    assert facts.may_fail


def test_calls() -> None:
    facts = read(
        chunk(
            {"functionCall": {"name": "f", "args": {"a": 1}, "id": "k"}, "thoughtSignature": "s"},
            {"functionCall": {"name": "f", "id": "same"}},
            {"functionCall": {"name": "g", "args": None, "id": "same"}},
            {"functionCall": {"name": 7, "args": [1]}},
            {"functionCall": {"name": "g", "args": {"a": "\ud800"}}},
            finish="STOP",
        )
    )
    assert facts.calls is not None
    assert [c.name for c in facts.calls] == ["f", "f", "g", None, "g"]
    assert [c.id for c in facts.calls] == ["k", None, None, None, None]
    assert [c.arguments for c in facts.calls] == [({"a": 1},), ({},), ({},), None, None]
    assert [c.signature for c in facts.calls] == ["s", None, None, None, None]
    assert facts.signatures == ()
    assert facts.may_fail


def test_streamed_arguments_are_not_judged() -> None:
    facts = read(
        chunk({"functionCall": {"name": "f", "willContinue": True}}),
        chunk({"functionCall": {"partialArgs": [{"jsonPath": "$.a"}]}}),
        chunk({"functionCall": {}}, finish="STOP"),
    )
    assert facts.calls is not None
    assert [(c.name, c.arguments) for c in facts.calls] == [("f", None)]


def test_images_and_hosted_tools() -> None:
    facts = read(
        chunk(
            {"executableCode": {"code": "1"}, "thoughtSignature": "s"},
            {"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thoughtSignature": "t"},
            {"inlineData": {"mimeType": "audio/wav", "data": "BB=="}},
            {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.png"}},
            finish="STOP",
        )
    )
    assert facts.images == ("AA==", "https://x.test/a.png")
    assert facts.signatures == ("s", "t")
    assert not facts.may_fail


def test_an_answer_with_nothing_may_fail() -> None:
    assert read(chunk({}, finish="STOP")).may_fail
    assert read(chunk({"text": "a"}, finish="OTHER")).may_fail


@pytest.mark.parametrize(
    ("objects", "usage"),
    [
        (
            [
                {"promptTokenCount": 500, "totalTokenCount": 500},
                {
                    "promptTokenCount": 500,
                    "toolUsePromptTokenCount": 300,
                    "candidatesTokenCount": 120,
                    "thoughtsTokenCount": 10,
                    "cachedContentTokenCount": 5,
                    "totalTokenCount": 930,
                },
            ],
            {
                "input_tokens": 800,
                "output_tokens": 130,
                "total_tokens": 930,
                "reasoning_tokens": 10,
                "cache_read_input_tokens": 5,
            },
        ),
        # A sum that is not the total: some count is left out.
        (
            [
                {"promptTokenCount": 9, "candidatesTokenCount": 15, "totalTokenCount": 24},
                {"promptTokenCount": 87, "thoughtsTokenCount": 78, "totalTokenCount": 165},
            ],
            {
                "input_tokens": None,
                "output_tokens": None,
                "total_tokens": 165,
                "reasoning_tokens": None,
            },
        ),
        ([{"trafficType": "ON_DEMAND"}], {}),
        ([{"totalTokenCount": 4}], {"total_tokens": 4}),
        (
            [{"promptTokenCount": 3}, {"promptTokenCount": 0}],
            {"input_tokens": None},
        ),
    ],
)
def test_counts(objects: list[Any], usage: dict[str, Any]) -> None:
    assert read(*({"usageMetadata": one} for one in objects)).usage == usage


def test_an_answer_that_goes_on_is_one() -> None:
    begun = sse(chunk({"text": "a"}, finish="CONTINUATION", usageMetadata={"totalTokenCount": 3}))
    rest = sse(chunk({"text": "b"}, finish="STOP", responseId="r2"))
    facts = read_all([begun, rest])
    assert (facts.text, facts.terminal, facts.response_id) == ("ab", "STOP", None)
    assert facts.usage == {"total_tokens": None}
    again = read_all([sse(chunk({"text": "a"}, finish="STOP")), rest])
    assert (again.text, again.response_id) == ("b", "r2")


# --- sources


def web(name: str) -> dict[str, Any]:
    return {"web": {"uri": f"https://{name}.test", "title": name}}


def support(end: Any, *numbers: Any, start: Any = None, part: int = 0) -> dict[str, Any]:
    segment = {"endIndex": end} | ({"startIndex": start} if start else {})
    return {
        "segment": segment | ({"partIndex": part} if part else {}),
        "groundingChunkIndices": list(numbers),
    }


def grounding(chunks: list[Any], *supports: Any) -> dict[str, Any]:
    return {"groundingMetadata": {"groundingChunks": chunks, "groundingSupports": list(supports)}}


def test_sources() -> None:
    assert sources_of(grounding([web("a")], support(3, 0), support(9, 0, start=4))) == (
        Citation(url="https://a.test", title="a", start=0, end=3),
        Citation(url="https://a.test", title="a", start=4, end=9),
    )
    cited = {"citationMetadata": {"citations": [{"uri": "https://b.test", "endIndex": 2}, 7]}}
    assert sources_of(cited) == (Citation(url="https://b.test", start=0, end=2),)


@pytest.mark.parametrize(
    "metadata",
    [
        grounding([web("a"), web("b")], support(3, 0)),
        grounding([web("a")], support(3, 0, part=1)),
        grounding([web("a")], support(3, 4)),
        grounding([web("a")], support(3, "0")),
        {"groundingMetadata": {"groundingChunks": [web("a")]}},
    ],
)
def test_sources_in_doubt(metadata: Any) -> None:
    assert sources_of(metadata) is None


@pytest.mark.parametrize("metadata", [{}, {"groundingMetadata": 7}, {"citationMetadata": {}}])
def test_no_sources(metadata: Any) -> None:
    assert sources_of(metadata) == ()


def test_the_sources_of_an_answer() -> None:
    one = grounding([web("a")], support(3, 0))
    two = grounding([web("b")], support(3, 0))
    found = (Citation(url="https://a.test", title="a", start=0, end=3),)
    assert read(chunk({"text": "Yes"}, finish="STOP", candidate=one)).citations == found
    assert read(chunk({"text": "Yes"}, candidate=one), chunk(candidate=one)).citations == found
    assert read(chunk({"text": "Yes"}, candidate=one), chunk(candidate=two)).citations is None
    assert read(chunk({"text": "Jä."}, candidate=one)).citations is None
    assert read(chunk({"text": "Yes"})).citations == ()
