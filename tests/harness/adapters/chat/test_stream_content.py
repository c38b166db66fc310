import pytest

from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import (
    Citation,
    ErrorClass,
    FinishReason,
    Image,
    ReasoningPart,
    ReasoningSignature,
    RefusalDelta,
    SendBack,
    TextPart,
)
from tests.harness.adapters.chat.test_stream import (
    START,
    STOP,
    content_of,
    failed,
    play,
    text,
    thought,
    warning,
)

CONTENT = {
    "reasoning_content": ([{"reasoning_content": "r", "content": None}], [thought("r")]),
    "reasoning": ([{"reasoning": "r"}], [thought("r")]),
    "both": ([{"reasoning": "r", "reasoning_content": "r"}], [thought("r")]),
    "nulls": ([{"reasoning_content": None, "reasoning": "r"}], [thought("r")]),
    "openrouter": (
        [
            {
                "reasoning": "r",
                "reasoning_details": [{"type": "reasoning.text", "text": "r", "index": 0}],
            },
            {"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]},
        ],
        [thought("r"), ReasoningSignature(signature="s")],
    ),
    "openrouter, hidden": (
        [
            {
                "reasoning": "r",
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "r"},
                    {"type": "reasoning.encrypted", "data": "e"},
                    {"type": "reasoning.new", "text": "n"},
                ],
            }
        ],
        [thought("r", "summary"), ReasoningSignature(encrypted_content="e")],
    ),
    "litellm": (
        [
            {
                "thinking_blocks": [{"type": "thinking", "thinking": "r", "signature": ""}],
                "reasoning_content": "r",
            },
            {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}]},
            {"thinking_blocks": [{"type": "redacted_thinking", "data": "d"}]},
        ],
        [thought("r"), ReasoningSignature(signature="s"), ReasoningSignature(redacted_data="d")],
    ),
    "litellm, one block as an object": (
        [{"thinking_blocks": {"type": "thinking", "thinking": "r", "signature": "s"}}],
        [thought("r"), ReasoningSignature(signature="s")],
    ),
    "signature beside plain reasoning": (
        [{"thinking_blocks": [{"thinking": "", "signature": "s"}], "reasoning_content": "r"}],
        [thought("r"), ReasoningSignature(signature="s")],
    ),
    "mistral": (
        [
            {"content": ""},
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}]},
            {"content": [{"type": "text", "text": "a"}]},
            {"content": [{"type": "reference", "reference_ids": [1]}]},
            {"content": "b"},
        ],
        [
            thought("r"),
            text("a"),
            Citation(native=({"type": "reference", "reference_ids": [1]},)),
            text("b"),
        ],
    ),
    "refusal": (
        [{"content": "", "refusal": None}, {"refusal": "I "}, {"refusal": "can't"}],
        [RefusalDelta(delta="I "), RefusalDelta(delta="can't")],
    ),
    "together": ([{"token_id": 1, "content": "a"}], [text("a")]),
    "citations": (
        [
            {"content": "a"},
            {
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {
                            "url": "u",
                            "title": "t",
                            "start_index": 0,
                            "end_index": 1,
                        },
                    },
                    {"type": "file_citation"},
                ]
            },
        ],
        [text("a"), Citation(url="u", title="t", start=0, end=1)],
    ),
    "surrogates": ([{"content": "a\ud83d"}, {"content": "\ude00b"}], [text("a"), text("😀b")]),
    "surrogates across kinds": (
        [{"content": "\ud83d"}, {"reasoning": "r"}, {"content": "\ude00"}],
        [thought("r"), text("😀")],
    ),
    "a half left over": ([{"content": "a\ud83d"}], [text("a"), text("\ufffd")]),
    "a half left over in a refusal": ([{"refusal": "\ud83d"}], [RefusalDelta(delta="\ufffd")]),
}


@pytest.mark.parametrize(("deltas", "expected"), CONTENT.values(), ids=CONTENT)
def test_content(deltas, expected, chunk):
    assert content_of(*map(chunk, deltas), chunk({}, "stop")) == expected


def test_repeated_citations_are_emitted_once(chunk):
    cite = {"annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]}
    assert content_of(chunk(cite), chunk(cite), chunk({}, "stop")) == [Citation(url="u")]


def test_signed_blocks_stay_apart_in_the_turn(chunk):
    blocks = [{"thinking": t, "signature": s} for t, s in (("a", "1"), ("b", "2"))]
    message = {"content": "ok", "reasoning_content": "ab", "thinking_blocks": blocks}
    body = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    assert fold(play(body)).parts == (
        ReasoningPart(text="a", channel="text", signature="1"),
        ReasoningPart(text="b", channel="text", signature="2"),
        TextPart(text="ok"),
    )


def _call(n, call_id):
    return {"index": n, "id": call_id, "function": {"name": "f", "arguments": "{}"}}


def _message(message):
    return {"id": "c1", "choices": [{"message": message, "finish_reason": "stop"}]}


def test_a_message_after_deltas_repeats_them(chunk):
    deltas = [chunk({"content": "a", "reasoning_content": "r"}), chunk({"content": "b"})]
    whole = _message({"content": "ab", "reasoning_content": "r", "refusal": "no"})
    assert content_of(*deltas, whole) == [
        thought("r"),
        text("a"),
        text("b"),
        RefusalDelta(delta="no"),
    ]


def test_a_message_repeats_the_calls_of_deltas_or_brings_its_own(chunk):
    whole = _message({"tool_calls": [_call(0, "x"), _call(1, "y")]})
    after_call = fold(play(chunk({"tool_calls": [_call(5, "x")]}), whole))
    assert [call.id for call in after_call.tool_calls] == ["x"]
    after_text = fold(play(chunk({"content": "a", "tool_calls": []}), whole))
    assert [call.id for call in after_text.tool_calls] == ["x", "y"]
    legacy = chunk({"function_call": {"name": "f", "arguments": "{}"}})
    again = _message({"function_call": {"name": "f", "arguments": "{}"}})
    assert len(fold(play(legacy, again)).tool_calls) == 1


def test_a_whole_answer_may_be_split_over_choices():
    nameless = {"function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"content": "a"},
        {"tool_calls": [_call(0, "x"), nameless]},
        {"tool_calls": [nameless], "function_call": nameless["function"]},
        {"function_call": nameless["function"]},
        {"function_call": nameless["function"]},
        {"content": "b"},
    ]
    choices = [{"message": m, "finish_reason": "stop"} for m in messages]
    turn = fold(play({"choices": choices}))
    assert turn.content == "ab"
    assert [call.id_synthesized for call in turn.tool_calls] == [False, True, True, True, True]
    assert turn.finish_reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (["plain ", "string"], [text("plain "), text("string")]),
        ([{"text": "d"}], [text("d")]),
        ({"text": "d"}, [text("d")]),
        ([{"type": "output_text", "text": "d"}, {"type": "sound", "text": "x"}], [text("d")]),
        ([{"type": "refusal", "refusal": "no"}], [RefusalDelta(delta="no")]),
        ([{"type": "image_url", "image_url": {"url": "u"}}], [Image(url="u")]),
        ([{"type": "output_image", "image_url": "u"}], [Image(url="u")]),
        ([None, 5, [], {"text": None}], []),
    ],
)
def test_forms_of_content(content, expected, chunk):
    assert content_of(chunk({"content": content}), chunk({}, "stop")) == expected
    whole = _message({"content": content})
    assert content_of(whole) == expected


def test_images_come_once(chunk):
    url = "data:image/png;base64,iVBO"
    image = {"type": "image_url", "image_url": {"url": url}}
    chunks = [chunk({"content": "a", "images": [image]}), chunk({"images": [image, "x", {}]})]
    again = _message({"content": "a", "images": [image]})
    assert content_of(*chunks, again) == [text("a"), Image(url=url)]
    assert content_of(_message({"images": [{"b64_json": "iVBO"}]})) == [Image(url=url)]


def test_what_must_be_sent_back(chunk):
    google = {"google": {"thought_signature": "s"}}
    litellm = {"thought_signatures": ["s"], "other": 1}
    assert content_of(
        chunk({"content": "a"}),
        chunk({"extra_content": google}),
        chunk({"provider_specific_fields": litellm, "thoughtSignature": "t"}, "stop"),
        _message({"content": "a", "extra_content": google}),
    ) == [
        text("a"),
        SendBack(fields={"extra_content": google}),
        SendBack(
            fields={
                "thoughtSignature": "t",
                "provider_specific_fields": {"thought_signatures": ["s"]},
            }
        ),
    ]


def test_another_answer_in_the_middle(chunk):
    first = chunk({"role": "assistant", "content": "a"})
    again = chunk({"role": "assistant", "content": "a b"})
    other = {**again, "id": "c2", "model": "m2"}
    events, error = failed(first, other)
    assert events == [START, text("a")]
    assert (error.error_class, error.retryable) == (ErrorClass.STREAM_ERROR, True)
    assert "m2" in error.message
    *_, warned, _text, _stop = play(first, {**again, "id": "c2"}, chunk({}, "stop"))
    assert warning("answer_restarted")(warned)
    for same in (again, {**again, "model": "m2"}, {**chunk({"content": "b"}), "id": "c2"}):
        assert play(first, same, chunk({}, "stop"))[0] == START
    assert play(first, chunk({}, "stop"), other)[-1] == STOP


def test_usage_alone_is_an_empty_response(chunk):
    usage = {"id": "", "choices": [], "usage": {"prompt_tokens": 5}}
    error = play(usage, end="eof")[-1].error
    assert error.error_class is ErrorClass.EMPTY_RESPONSE
    error = play(chunk({"role": "assistant"}), usage, end="eof")[-1].error
    assert error.error_class is ErrorClass.TRUNCATED_STREAM
