"""The contents of a request as messages, and messages as contents."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.dialects import UnwritableError
from mockserver.dialects.gemini.contents import contents_of, system_texts
from mockserver.dialects.gemini.history import read_history
from mockserver.dialects.gemini.plain import plain_request

SIGNATURE = "EpcCdGFwZQ=="
PNG = "iVBORw0KGgo="


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def call(name: str, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {}, **more}}


def response(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": value, **more}}


def test_contents_of_the_model_are_one_message() -> None:
    # As the chats of the official SDK send them: one for each chunk, with empty texts.
    split = [
        user({"text": "hi"}),
        model({"text": "Two "}),
        model({"text": "calls."}, {**call("f", id="k1"), "thoughtSignature": SIGNATURE}),
        model({"text": ""}),
        user(response("f", {"output": "ok"}, id="k1")),
    ]
    one, turn, result = read_history(split)
    assert one == {"role": "user", "content": "hi"}
    assert turn["content"] == "Two calls."
    assert [c["id"] for c in turn["tool_calls"]] == ["k1"]
    assert [p["type"] for p in turn["parts"]] == ["text", "tool_call"]
    assert turn["parts"][1]["thought_signature"] == SIGNATURE
    assert result == {"role": "tool", "tool_call_id": "k1", "content": "ok"}
    merged = plain_request({"contents": split})["contents"]
    assert merged == contents_of([one, turn, result])


def test_texts_with_a_signature_stay_apart() -> None:
    parts = [
        {"text": "a", "thoughtSignature": SIGNATURE},
        {"text": "b"},
        {"text": "c"},
        {"text": "", "thoughtSignature": SIGNATURE},
        {"text": "d", "thought": True},
        {"text": "e", "thought": True, "thoughtSignature": SIGNATURE},
    ]
    _, turn = read_history([user({"text": "hi"}), model(*parts)])
    assert turn["content"] == "abc"
    assert [p["text"] for p in turn["parts"]] == ["a", "bc", "", "d", "e"]
    assert turn["parts"][0]["thought_signature"] == SIGNATURE
    assert [p.get("signature") for p in turn["parts"][2:]] == [SIGNATURE, None, SIGNATURE]
    written = contents_of([{"role": "user", "content": "hi"}, turn])
    assert written == [
        user({"text": "hi"}),
        model(parts[0], {"text": "bc"}, parts[3], parts[4], parts[5]),
    ]


def test_parts_of_hosted_tools_and_images_go_back_as_they_were() -> None:
    parts = [
        {"executableCode": {"code": "1"}, "thoughtSignature": SIGNATURE},
        {"codeExecutionResult": {"output": "1"}},
        {"inlineData": {"mimeType": "image/png", "data": PNG}, "thoughtSignature": SIGNATURE},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.png"}},
    ]
    (turn,) = read_history([model(*parts)])
    assert contents_of([turn]) == [model(*parts)]


def test_signed_parts_of_any_kind_go_back_as_they_were() -> None:
    signed = {"thoughtSignature": SIGNATURE}
    parts = [
        signed | {"inlineData": {"mimeType": "audio/wav", "data": PNG}},
        signed | {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://a"}},
        signed | {"functionResponse": {"name": "f", "response": {}}},
        signed | {"brandNew": {"a": 1}},
    ]
    (turn,) = read_history([model(*parts, signed)])
    assert [part.get("kind") for part in turn["parts"]] == [
        "inlineData",
        "fileData",
        "functionResponse",
        "brandNew",
        None,
    ]
    assert contents_of([turn]) == [model(*parts, {"text": "", **signed})]


@pytest.mark.parametrize(
    "native",
    [
        {"type": "web_search_call", "id": "ws"},
        {"type": "server_tool_use", "id": "st", "name": "web_search", "input": {}},
        {"toolUse": {"toolUseId": "t", "type": "server_tool_use"}},
    ],
)
def test_native_parts_of_other_apis_are_left_out(native: dict[str, Any]) -> None:
    hosted = {"type": "hosted_tool", "native": [native]}
    turn = {"role": "assistant", "parts": [hosted, {"type": "text", "text": "a"}]}
    assert contents_of([turn]) == [model({"text": "a"})]


def test_results_without_ids_find_their_calls_by_name_and_order() -> None:
    turn, *results = read_history(
        [
            model(call("f"), call("g"), call("f")),
            user(response("g", {"output": "1"}), response("f", {"a": 2}), response("f", None)),
        ]
    )
    ids = [c["id"] for c in turn["tool_calls"]]
    assert ids == ["call_0", "call_1", "call_2"]
    assert all(p["id_synthesized"] for p in turn["parts"])
    assert [(r["tool_call_id"], r["content"]) for r in results] == [
        ("call_1", "1"),
        ("call_0", '{"a":2}'),
        ("call_2", ""),
    ]
    _, content = contents_of([turn, *results])
    assert content == user(
        response("f", {"a": 2}), response("g", {"output": "1"}), response("f", {"output": ""})
    )


def test_ids_of_another_provider_are_sent() -> None:
    message = {
        "role": "assistant",
        "content": "Looking.",
        "tool_calls": [
            {
                "id": "call_x",
                "type": "function",
                "function": {"name": "f", "arguments": '{"a": 1}'},
                "extra_content": {"google": {"thought_signature": SIGNATURE}},
            }
        ],
    }
    result = {"role": "tool", "tool_call_id": "call_x", "content": '{"b": [1]}'}
    assert contents_of([message, result, {"role": "user", "content": "go"}]) == [
        model(
            {"text": "Looking."},
            {
                "functionCall": {"name": "f", "args": {"a": 1}, "id": "call_x"},
                "thoughtSignature": SIGNATURE,
            },
        ),
        user(response("f", {"b": [1]}, id="call_x")),
        user({"text": "go"}),
    ]


def test_a_refusal_is_a_text_and_what_has_no_place_is_left_out() -> None:
    parts = [
        {"type": "refusal", "refusal": "No."},
        {"type": "send_back", "fields": {"a": 1}},
        {"type": "reasoning", "text": "", "channel": "text", "encrypted_content": "x"},
        {"type": "tool_call", "id": "a", "name": "f", "arguments": None, "arguments_raw": "{"},
    ]
    assert contents_of([{"role": "assistant", "parts": parts}]) == [model({"text": "No."})]
    assert contents_of([{"role": "assistant", "refusal": "No."}]) == [model({"text": "No."})]
    assert contents_of([{"role": "assistant", "content": ""}]) == []


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://x.test/a.webp"}},
            {"fileData": {"mimeType": "image/webp", "fileUri": "https://x.test/a.webp"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://x.test/a"}},
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/a"}},
        ),
        (
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PNG}"}},
            {"inlineData": {"mimeType": "application/pdf", "data": PNG}},
        ),
        (
            {"type": "file", "file": {"file_id": "files/1", "mime_type": "video/mp4"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "files/1"}},
        ),
        (
            {"type": "file", "file": {"file_id": "files/2"}},
            {"fileData": {"fileUri": "files/2"}},
        ),
    ],
)
def test_a_part_of_a_user(given: Any, wire: Any) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "this"}, given]}
    contents = [user({"text": "this"}, wire)]
    assert contents_of([message]) == contents
    assert read_history(contents) == [message]


def test_audio_and_pictures_of_a_result() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}}
    assert contents_of([{"role": "user", "content": [audio]}]) == [
        user({"inlineData": {"mimeType": "audio/wav", "data": PNG}})
    ]
    shown = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    contents = [
        model(call("f", id="k")),
        user(response("f", {"output": "see"}, id="k", parts=[shown])),
    ]
    turn, result = read_history(contents)
    assert [part["type"] for part in result["content"]] == ["text", "image_url"]
    assert contents_of([turn, result]) == contents


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"role": "function", "content": "x"}, "role 'function'"),
        ({"role": "tool", "tool_call_id": "k", "content": "x"}, "no call before it"),
        ({"role": "user", "content": [{"type": "video"}]}, "type 'video'"),
        ({"role": "user", "content": [7]}, "type 7"),
        (
            {"role": "assistant", "tool_calls": [{"id": "k", "function": {"arguments": "[1]"}}]},
            "no JSON object",
        ),
    ],
)
def test_what_contents_cannot_say(message: Any, why: str) -> None:
    with pytest.raises(UnwritableError, match=why):
        contents_of([message])


def test_system_messages_are_found_wherever_they_stand() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "hi"},
        {"role": "developer", "content": [{"type": "text", "text": "a"}]},
        {"role": "system", "content": "b"},
        {"role": "system", "content": ""},
    ]
    assert system_texts(messages) == ["a", "b"]
    assert contents_of(messages) == [user({"text": "hi"})]


def test_bytes_have_one_alphabet() -> None:
    def body(data: str) -> dict[str, Any]:
        parts = ({"text": "a_b-c"}, {"inlineData": {"data": data}, "thoughtSignature": data})
        return {"contents": [model(*parts)]}

    assert plain_request(body("a_b-c")) == body("a/b+c")


def test_other_forms_of_contents() -> None:
    assert read_history("hi") == [{"role": "user", "content": "hi"}]
    assert read_history({"parts": {"text": "hi"}}) == [{"role": "user", "content": "hi"}]
    assert read_history([{"role": "function", "parts": []}]) == []
    assert plain_request({"contents": "hi"}) == {"contents": "hi"}
    odd = {"contents": [model(), {"role": "model"}, {"role": "model", "parts": 7}]}
    assert plain_request(odd) == odd
