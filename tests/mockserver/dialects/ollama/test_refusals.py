"""What Ollama refuses: the words of each error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mockserver.dialects import refusing


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (b"", "missing request body"),
        (b'{"model": "m"', "unexpected EOF"),
        (b"{'model': 1}", r"invalid character '\'' looking for beginning of object key string"),
        (b"[]", "json: cannot unmarshal array into Go value of type api.ChatRequest"),
        ({"messages": []}, "model is required"),
        (
            {"model": "m", "messages": "Hi"},
            "json: cannot unmarshal string into Go struct field ChatRequest.messages of type "
            "[]api.Message",
        ),
        (
            {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "top_logprobs": 21},
            "top_logprobs must be between 0 and 20",
        ),
    ],
)
def test_a_request_is_refused_in_ollamas_words(request_: Any, message: str) -> None:
    found = refusing.objections("ollama", request_, "/api/chat")
    assert found, "it is not refused"
    assert found[0].error.message == message


@pytest.mark.parametrize(
    "request_",
    [
        {"model": "m"},
        {"model": "m", "messages": [{"role": "tool", "content": "x"}, {"role": "bot"}]},
    ],
)
def test_what_ollama_takes_is_not_refused(request_: Any) -> None:
    assert refusing.objections("ollama", request_, "/api/chat") == []
