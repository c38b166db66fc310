"""What the official SDK reads of Messages on Vertex AI and on Amazon Bedrock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from anthropic import AnthropicBedrock, AnthropicVertex

from mockserver import MockServer
from mockserver.backend import Backend, Settings
from mockserver.cassettes.cassette import Request

MODEL = "anthropic.claude-x-v1:0"
ASKED: Any = {"max_tokens": 100, "messages": [{"role": "user", "content": "say hello there"}]}


@pytest.fixture(params=["vertex", "bedrock"])
def client(backend: MockServer, request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "vertex":
        with AnthropicVertex(
            region="r", project_id="p", access_token="any", base_url=f"{backend.url}/v1"
        ) as vertex:
            yield vertex
    else:
        with AnthropicBedrock(
            aws_access_key="x", aws_secret_key="x", aws_region="us-east-1", base_url=backend.url
        ) as bedrock:
            yield bedrock


def test_a_message_is_answered(client: Any) -> None:
    answer = client.messages.create(model=MODEL, **ASKED)
    assert answer.content[0].text == "hello there"
    assert answer.model == MODEL
    assert answer.usage.output_tokens == 2


def test_a_stream_says_the_same(client: Any) -> None:
    with client.messages.stream(model=MODEL, **ASKED) as stream:
        assert list(stream.text_stream) == ["hello", " there"]
        assert stream.get_final_message().stop_reason == "end_turn"


def test_a_request_that_cannot_be_read_is_refused_as_aws_does(backend: MockServer) -> None:
    answer = httpx.post(f"{backend.url}/model/{MODEL}/invoke", json={"messages": 7})
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationException"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages":[{}]}'])
def test_nothing_ends_the_server(body: bytes) -> None:
    for path in (f"/model/{MODEL}/invoke-with-response-stream", "/models/claude-x:rawPredict"):
        request = Request(method="POST", uri=f"http://provider{path}", body=body)
        assert Backend(Settings()).answer(request, 0.0).exchange.schedule.status == 400


def test_vertex_counts_the_tokens_of_the_answer(backend: MockServer) -> None:
    with AnthropicVertex(
        region="r", project_id="p", access_token="any", base_url=f"{backend.url}/v1"
    ) as client:
        counted = client.messages.count_tokens(model="claude-x", messages=ASKED["messages"])
        answer = client.messages.create(model="claude-x", **ASKED)
    assert counted.input_tokens == answer.usage.input_tokens
