"""What the official SDK reads of OpenAI's side routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from mockserver import MockServer

SMALL = "text-embedding-3-small"


@pytest.fixture
def client(backend: MockServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{backend.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def product(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_models_are_listed_and_any_is_found(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert SMALL in names
    assert client.models.retrieve(names[0]).id == names[0]
    assert client.models.retrieve("an/other").id == "an/other"


def test_embeddings_have_length_1_and_near_texts_are_near(client: OpenAI) -> None:
    texts = ["The cat sat on the mat.", "A cat sat on a mat", "Interest rates rose again"]
    answer = client.embeddings.create(model=SMALL, input=texts)
    one, near, far = (row.embedding for row in answer.data)
    assert len(one) == 1536
    assert product(one, one) == pytest.approx(1.0, abs=1e-6)
    assert product(one, near) > product(one, far) + 0.4
    assert [row.index for row in answer.data] == [0, 1, 2]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 16


def test_embeddings_as_numbers_and_as_base64_are_the_same(client: OpenAI) -> None:
    def embed(form: Any) -> Any:
        answer = client.embeddings.create(
            model=SMALL, input="Hello", dimensions=256, encoding_format=form
        )
        return answer.data[0].embedding

    numbers = embed("float")
    assert len(numbers) == 256
    assert embed("base64") != numbers
    decoded = client.embeddings.create(model=SMALL, input="Hello", dimensions=256)
    assert decoded.data[0].embedding == pytest.approx(numbers, abs=1e-6)


def test_embeddings_of_tokens_count_the_tokens(client: OpenAI) -> None:
    assert client.embeddings.create(model=SMALL, input=[1, 2, 3]).usage.prompt_tokens == 3
    assert len(client.embeddings.create(model=SMALL, input=[[1, 2], [3]]).data) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": []},
        {"input": ""},
        {"input": [""]},
        {"input": [{}]},
        {"input": [True]},
        {"input": None},
        {"input": ["a"] * 2049},
        {"input": "a", "dimensions": 0},
        {"input": "a", "dimensions": "many"},
        {"input": "a", "dimensions": 10**20},
        {"input": "a", "encoding_format": ["float"]},
        {"input": "a", "model": {}},
    ],
)
def test_embeddings_of_anything_else_are_refused(client: OpenAI, wrong: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        client.post("/embeddings", body={"model": SMALL, **wrong}, cast_to=httpx.Response)


def test_a_deployment_of_azure_is_the_model(backend: MockServer) -> None:
    url = f"{backend.url}/openai/deployments/my%20model"
    query = "?api-version=2024-10-21"
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    chat = httpx.post(f"{url}/chat/completions{query}", json=body)
    assert chat.json()["model"] == "my model"
    embedded = httpx.post(f"{url}/embeddings{query}", json={"input": "Hi"})
    assert embedded.json()["model"] == "my model"


def test_nothing_is_wrong_with_any_text(client: OpenAI) -> None:
    answer = client.moderations.create(input=["one", "two"])
    assert [result.flagged for result in answer.results] == [False, False]
    assert answer.results[0].categories.violence is False
    with pytest.raises(openai.BadRequestError):
        client.moderations.create(input=[])


def test_what_is_not_served_says_what_is(client: OpenAI) -> None:
    with pytest.raises(
        openai.NotFoundError, match=r"GET /v1/files is not served: there are no files"
    ):
        client.files.list()
