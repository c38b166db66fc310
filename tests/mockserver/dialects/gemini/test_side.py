"""What the official SDK reads of Gemini's side routes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors, types

from mockserver import MockServer
from tests.second_opinion.gemini import TLS


@pytest.fixture
def client(backend: MockServer) -> Iterator[genai.Client]:
    options = types.HttpOptions(
        base_url=backend.url,
        client_args={"verify": TLS},
        async_client_args={"verify": TLS, "ssl": TLS},
    )
    with genai.Client(api_key="any", http_options=options) as client:
        yield client


def test_models_are_listed(client: genai.Client) -> None:
    found = list(client.models.list())
    assert all((model.name or "").startswith("models/") for model in found)
    assert [m.name for m in client.models.list(config={"page_size": 1})] == [m.name for m in found]
    model = client.models.get(model="gemini-x")
    assert model.name == "models/gemini-x"
    assert "generateContent" in (model.supported_actions or ())


def test_embeddings_have_length_1(client: genai.Client) -> None:
    answer = client.models.embed_content(
        model="gemini-embedding-001",
        contents=["Hello", "world"],
        config={"output_dimensionality": 768},
    )
    assert answer.embeddings is not None
    one, other = (embedding.values or [] for embedding in answer.embeddings)
    assert len(one) == 768
    assert math.hypot(*one) == pytest.approx(1.0, abs=1e-5)
    assert one != other


def test_counted_tokens_are_those_of_the_answer(client: genai.Client) -> None:
    asked: Any = "What is the weather in Paris?"
    counted = client.models.count_tokens(model="gemini-x", contents=asked)
    answer = client.models.generate_content(model="gemini-x", contents=asked)
    assert answer.usage_metadata is not None
    assert counted.total_tokens == answer.usage_metadata.prompt_token_count
    assert counted.total_tokens


def test_a_whole_request_is_counted(backend: MockServer) -> None:
    url = f"{backend.url}/v1beta/models/gemini-x"
    request = {
        "contents": [{"role": "user", "parts": [{"text": "Hi there"}]}],
        "system_instruction": {"parts": [{"text": "Be short."}]},
    }
    counted = httpx.post(f"{url}:countTokens", json={"generateContentRequest": request}).json()
    answer = httpx.post(f"{url}:generateContent", json=request).json()
    assert counted["totalTokens"] == answer["usageMetadata"]["promptTokenCount"] == 4


def test_vertex_embeds_by_prediction(backend: MockServer) -> None:
    url = (
        f"{backend.url}/v1beta1/projects/p/locations/l/publishers/google/models/text-embedding-005"
    )
    answer = httpx.post(f"{url}:predict", json={"instances": [{"content": "Hello there"}]}).json()
    (prediction,) = answer["predictions"]
    assert prediction["embeddings"]["statistics"]["token_count"] == 2
    refused = httpx.post(f"{url}:predict", json={"instances": [{"prompt": "a cat"}]})
    assert refused.status_code == 404
    listed = httpx.get(f"{backend.url}/v1beta1/publishers/google/models").json()
    assert listed["publisherModels"][0]["name"].startswith("publishers/google/models/")


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("embedContent", {}),
        ("embedContent", {"content": {"parts": []}}),
        ("embedContent", {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": "b"}),
        ("batchEmbedContents", {"requests": [7]}),
        ("batchEmbedContents", {"requests": {}}),
        ("countTokens", {}),
        ("countTokens", {"contents": 7}),
        ("predict", {"instances": 7}),
    ],
)
def test_a_wrong_request_is_refused_in_googles_words(
    backend: MockServer, method: str, body: Any
) -> None:
    answer = httpx.post(f"{backend.url}/v1beta/models/m:{method}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_what_is_not_served_is_said_in_googles_words(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="not served") as caught:
        list(client.files.list())
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_a_stream_is_an_array_unless_events_are_asked_for(backend: MockServer) -> None:
    url = f"{backend.url}/v1beta/models/gemini-x:streamGenerateContent"
    request = {"contents": [{"role": "user", "parts": [{"text": "say hello there"}]}]}
    answer = httpx.post(url, json=request)
    assert answer.headers["content-type"].startswith("application/json")
    texts = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in answer.json()]
    assert texts == ["hello", " there", ""]
    streamed = httpx.post(f"{url}?alt=sse", json=request)
    assert streamed.text.count("data: ") == 3
