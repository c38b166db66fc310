"""What the official SDK reads of Cohere's side routes."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterator
from typing import Any

import cohere
import httpx
import pytest
from cohere.core.api_error import ApiError

from mockserver import MockServer

ONCE: Any = {"max_retries": 0}


@pytest.fixture
def client(backend: MockServer) -> Iterator[cohere.ClientV2]:
    with httpx.Client() as http:
        yield cohere.ClientV2(base_url=backend.url, api_key="any", httpx_client=http)


def test_models_are_listed(client: cohere.ClientV2) -> None:
    names = [model.name for model in client.models.list().models]
    assert len(names) > 1
    assert client.models.get("any").name == "any"


def test_embeddings_come_in_every_type(client: cohere.ClientV2) -> None:
    answer = client.embed(
        model="embed-v4.0",
        input_type="search_query",
        texts=["Hello there", "world"],
        embedding_types=["float", "int8", "uint8", "binary", "ubinary", "base64"],
        output_dimension=256,
    )
    found = answer.embeddings
    assert found.float_ is not None
    (one, other), (text, _) = found.float_, found.base64 or ("", "")
    assert math.hypot(*one) == pytest.approx(1.0, abs=1e-5)
    assert one != other
    assert struct.unpack("<256f", base64.b64decode(text)) == pytest.approx(one, abs=1e-6)
    assert all(-128 <= number <= 127 for number in (found.int8 or [[999]])[0])
    assert all(0 <= number <= 255 for number in (found.uint8 or [[999]])[0])
    assert len((found.binary or [[]])[0]) == len((found.ubinary or [[]])[0]) == 32
    assert answer.meta is not None
    assert answer.meta.billed_units is not None
    assert answer.meta.billed_units.input_tokens == 3


def test_mixed_inputs_are_embedded(client: cohere.ClientV2) -> None:
    inputs: Any = [{"content": [{"type": "text", "text": "Hello"}]}]
    answer = client.embed(model="embed-v4.0", input_type="search_document", inputs=inputs)
    assert len(answer.embeddings.float_ or ()) == 1


def test_documents_are_ranked_by_what_they_share_with_the_query(client: cohere.ClientV2) -> None:
    documents = ["The sea is deep.", "Reset a password here", "How to reset my password"]
    answer = client.rerank(
        model="rerank-v3.5", query="reset my password", documents=documents, top_n=2
    )
    assert [result.index for result in answer.results] == [2, 1]
    assert 1 >= answer.results[0].relevance_score > answer.results[1].relevance_score >= 0


def test_version_1_embeds_and_ranks(backend: MockServer) -> None:
    embedded = httpx.post(f"{backend.url}/v1/embed", json={"texts": ["Hello"]}).json()
    assert embedded["response_type"] == "embeddings_floats"
    assert math.hypot(*embedded["embeddings"][0]) == pytest.approx(1.0, abs=1e-5)
    body = {"query": "a", "documents": [{"text": "b"}], "return_documents": True}
    ranked = httpx.post(f"{backend.url}/v1/rerank", json=body).json()
    assert ranked["results"][0]["document"] == {"text": "b"}


def test_tokens_are_those_that_an_answer_counts(client: cohere.ClientV2) -> None:
    with httpx.Client() as http:
        url = client._client_wrapper.get_base_url()
        first = cohere.Client(base_url=url, api_key="any", httpx_client=http)
        found = first.tokenize(text="What is the weather?", model="any", offline=False)
    assert "".join(found.token_strings) == "What is the weather?"
    answer = client.chat(
        model="any", messages=[{"role": "user", "content": "What is the weather?"}]
    )
    assert answer.usage is not None
    assert answer.usage.tokens is not None
    assert answer.usage.tokens.input_tokens == len(found.tokens)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v2/embed", {}),
        ("v2/embed", {"texts": "a", "embedding_types": ["none"]}),
        ("v2/embed", {"texts": [1]}),
        ("v2/embed", {"inputs": [{"content": "a"}]}),
        ("v2/embed", {"inputs": [[]]}),
        ("v2/rerank", {"query": "a", "documents": []}),
        ("v2/rerank", {"query": 7, "documents": ["a"]}),
        ("v2/rerank", {"query": "a", "documents": [7]}),
        ("v2/rerank", {"query": "a", "documents": ["a"], "top_n": -1}),
        ("v1/tokenize", {"text": ""}),
    ],
)
def test_a_wrong_request_is_refused_in_coheres_words(
    backend: MockServer, path: str, body: Any
) -> None:
    answer = httpx.post(f"{backend.url}/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json().keys() >= {"message"}


def test_what_is_not_served_is_said_in_coheres_words(client: cohere.ClientV2) -> None:
    with pytest.raises(ApiError, match="not served") as caught:
        client.datasets.list(request_options=ONCE)
    assert caught.value.status_code == 404
