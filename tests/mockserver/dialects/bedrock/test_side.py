"""What boto3 reads of Bedrock's side routes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from mockserver import MockServer
from tests.second_opinion.bedrock import session


@pytest.fixture
def client(backend: MockServer) -> Iterator[Any]:
    with closing(session().client("bedrock-runtime", endpoint_url=backend.url)) as client:
        yield client


def invoke(client: Any, model: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.invoke_model(modelId=model, body=json.dumps(body))
    found: dict[str, Any] = json.loads(answer["body"].read())
    return found


@pytest.mark.parametrize(
    ("model", "size"),
    [("amazon.titan-embed-text-v1", 1536), ("amazon.titan-embed-text-v2:0", 1024)],
)
def test_titan_embeds(client: Any, model: str, size: int) -> None:
    answer = invoke(client, model, {"inputText": "Hello there"})
    assert len(answer["embedding"]) == size
    assert math.hypot(*answer["embedding"]) == pytest.approx(1.0, abs=1e-5)
    assert answer["inputTextTokenCount"] == 2


def test_cohere_embeds(client: Any) -> None:
    body = {"texts": ["Hello", "there"], "input_type": "search_query"}
    answer = invoke(client, "cohere.embed-english-v3", body)
    assert len(answer["embeddings"]) == 2
    assert answer["response_type"] == "embeddings_floats"


def test_counted_tokens_are_those_of_the_answer(client: Any) -> None:
    asked = {"messages": [{"role": "user", "content": [{"text": "Hello there, you"}]}]}
    counted = client.count_tokens(modelId="a.b-v1:0", input={"converse": asked})
    answer = client.converse(modelId="a.b-v1:0", **asked)
    assert counted["inputTokens"] == answer["usage"]["inputTokens"] > 0


def test_models_are_listed(backend: MockServer) -> None:
    with closing(session().client("bedrock", endpoint_url=backend.url)) as client:
        names = [m["modelId"] for m in client.list_foundation_models()["modelSummaries"]]
        assert len(names) > 1
        found = client.get_foundation_model(modelIdentifier=names[0])["modelDetails"]
    assert found["modelId"] == names[0]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("amazon.titan-embed-text-v2%3A0/invoke", {"inputText": 7}),
        ("amazon.titan-embed-text-v2%3A0/invoke", {"inputText": "a", "dimensions": 0}),
        ("cohere.embed-english-v3/invoke", {"texts": []}),
        ("m/count-tokens", {}),
        ("m/count-tokens", {"input": {"converse": {"messages": 7}}}),
    ],
)
def test_a_wrong_request_is_refused_in_the_words_of_aws(
    backend: MockServer, path: str, body: Any
) -> None:
    answer = httpx.post(f"{backend.url}/model/{path}", json=body)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"].startswith("ValidationException")
