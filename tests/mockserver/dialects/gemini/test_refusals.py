"""What the Gemini API refuses: the words of each error."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types
from pydantic.alias_generators import to_camel

from mockserver.dialects import find_dialect, said
from mockserver.dialects.gemini.refused_contents import signed
from mockserver.dialects.memory import Memory
from mockserver.dialects.refusals import Sent
from tests.mockserver.dialects import refusing

PATH = "/v1beta/models/gemini-3-pro-preview:generateContent"
USER = {"role": "user", "parts": [{"text": "Hi"}]}


def call(*names: str, **more: Any) -> dict[str, Any]:
    parts = [{"functionCall": {"name": name, "args": {"a": 1}}, **more} for name in names]
    return {"role": "model", "parts": parts}


def result(*names: str) -> dict[str, Any]:
    parts = [{"functionResponse": {"name": name, "response": {"a": 1}}} for name in names]
    return {"role": "user", "parts": parts}


def body(*contents: Any, **fields: Any) -> dict[str, Any]:
    return {"contents": list(contents) or [USER], **fields}


def tool(*names: str) -> dict[str, Any]:
    return {"functionDeclarations": [{"name": name} for name in names]}


NUMBER = (
    "Please ensure that the number of function response parts is equal to the number of function "
    "call parts of the function call turn."
)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            b'{"contents": [',
            "Invalid JSON payload received. Unexpected end of string. Expected a value.\n\n^",
        ),
        (b'{"contents": x}', "Invalid JSON payload received. Unexpected token.\nx}\n^"),
        (
            b"[]",
            'Invalid JSON payload received. Unknown name "": Root element must be a message.',
        ),
        ({}, "* GenerateContentRequest.contents: contents is not specified\n"),
        (
            body(temperature=1),
            'Invalid JSON payload received. Unknown name "temperature": Cannot find field.',
        ),
        (
            body(generation_config={"max_tokens": 1, "max_output_tokens": 2}),
            "Invalid JSON payload received. Unknown name \"max_tokens\" at 'generation_config': "
            "Cannot find field.",
        ),
        (body({"role": "assistant", "parts": []}), "Please use a valid role: user, model."),
        (
            body(USER, {"role": "model", "parts": [{"text": "a"}, {}]}),
            "* GenerateContentRequest.contents[1].parts[1].data: required oneof field 'data' must "
            "have one initialized field\n",
        ),
        (body(USER, call("f", "g"), result("f")), NUMBER),
        (body(USER, call("f"), USER), NUMBER),
        (
            body(USER, result("f")),
            "Please ensure that function response turn comes immediately after a function call "
            "turn.",
        ),
        (
            body(call("f"), result("f")),
            "Please ensure that function call turn comes immediately after a user turn or after a "
            "function response turn.",
        ),
        (body(tools=[tool("f"), tool("f")]), "Duplicate function declaration found: f"),
        (
            body(tools=[tool("f", "1")]),
            "* GenerateContentRequest.tools[0].function_declarations[1].name: Invalid function "
            "name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), "
            "underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.",
        ),
    ],
)
def test_a_request_is_refused_in_googles_words(request_: Any, message: str) -> None:
    found = refusing.objections("gemini", request_, PATH)
    assert found, "it is not refused"
    assert found[0].error.message == message
    assert found[0].error.status == 400
    assert found[0].source.startswith("https://")


@pytest.mark.parametrize(
    "request_",
    [
        body(),
        body({"parts": [{"text": "Hi"}]}),
        body(USER, call("f", "g"), result("f", "g"), USER),
        body(USER, call("f", "g"), result("f"), result("g")),
        body(USER, call("f"), {**result("f"), "role": "function"}),
        body(USER, call("f")),
        body(system_instruction=USER, generation_config={"top_k": 1}, safety_settings=[]),
        body(generationConfig={"temperature": 2}, cachedContent="cachedContents/1"),
        body(tools=[tool("f", "g.h"), {"googleSearch": {}}]),
    ],
)
def test_what_google_takes_is_not_refused(request_: Any) -> None:
    assert refusing.objections("gemini", request_, PATH) == []


def test_every_field_of_the_official_sdk_is_known() -> None:
    names = [to_camel(name) for name in types.GenerationConfig.model_fields]
    request = body(generationConfig=dict.fromkeys(names))
    assert refusing.objections("gemini", request, PATH) == []


def test_a_call_comes_back_with_its_signature() -> None:
    memory = Memory()
    memory.keep(signed("f", {"a": 1}), "sealed", 6)
    dialect = find_dialect("gemini")

    def refused(*contents: Any) -> list[str]:
        request = refusing.sent(dialect, body(*contents), PATH).request
        sent = Sent(request, None, memory)
        return [one.error.message for one in said(dialect, lambda r: tuple(r.objections(sent)))]

    (message,) = refused(USER, call("f"), result("f"))
    assert message.startswith("Function call is missing a thought_signature in functionCall parts.")
    assert "function call `default_api:f` , position 2." in message
    assert refused(USER, call("f", thoughtSignature="sealed"), result("f")) == []
    assert refused(USER, call("f", thought_signature="sealed"), result("f")) == []
    # Only the signatures of the current turn are asked for.
    assert refused(USER, call("f"), result("f"), {"role": "model", "parts": []}, USER) == []
    assert refused(USER, call("g"), result("g")) == []
