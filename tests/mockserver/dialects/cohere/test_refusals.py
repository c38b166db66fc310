"""What Cohere refuses: the words of each error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mockserver.dialects import refusing

USER = {"role": "user", "content": "Hi"}


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "command-a-03-2025", "messages": [USER], **fields}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            b'{"model": x}',
            "invalid json syntax: invalid character 'x' looking for beginning of value",
        ),
        (b'{"model":', "invalid json syntax: unexpected end of JSON input"),
        ({"messages": [USER]}, "a model parameter is required for this endpoint."),
        (
            body(messages="Hi"),
            "invalid type: parameter 'messages' is of type string but should be of type array.",
        ),
        (body(messages=[{**USER, "content": ""}]), "message must not be empty in a turn"),
        (
            body(temperature=1.5),
            "invalid request: temperature must be between 0 and 1.0 inclusive.",
        ),
        (
            body(presence_penalty=2),
            "invalid request: presence_penalty must be between 0 and 1 inclusive.",
        ),
        (body(max_tokens=-1), "invalid request: max_tokens cannot be less than 0."),
        (
            body(presence_penalty=0.5, frequency_penalty=0.5),
            "invalid request: cannot specify both frequency_penalty and presence_penalty.",
        ),
    ],
)
def test_a_request_is_refused_in_coheres_words(request_: Any, message: str) -> None:
    found = refusing.objections("cohere", request_, "/v2/chat")
    assert found, "it is not refused"
    assert found[0].error.message == message


def test_what_cohere_takes_is_not_refused() -> None:
    request = body(temperature=1, p=0.9, k=5, max_tokens=0, stream=True, citation_options={})
    assert refusing.objections("cohere", request, "/v2/chat") == []
