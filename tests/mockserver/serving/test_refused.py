"""What the official SDKs make of requests that are refused, limited and failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import boto3
import cohere
import httpx
import ollama
import openai
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from google import genai
from google.genai import errors, types

from mockserver import MockServer
from mockserver.backend import Settings
from mockserver.backend.limits import Limits
from mockserver.backend.notation import parse_failures
from tests.second_opinion.gemini import TLS

USER: Any = {"role": "user", "content": "Hi"}
CALL: Any = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


@contextmanager
def serving(**settings: Any) -> Iterator[str]:
    with MockServer(backend=Settings(**settings)) as server:
        yield server.url


def by_openai(url: str, *messages: Any, key: str = "any", **fields: Any) -> Any:
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        return client.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=list(messages) or [USER], **fields
        )


def by_responses(url: str, *items: Any, model: str = "gpt-4o", **fields: Any) -> Any:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        return client.responses.create(model=model, input=list(items) or "Hi", **fields)


def by_anthropic(url: str, *messages: Any, key: str = "any", **fields: Any) -> Any:
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0) as client:
        return client.messages.with_raw_response.create(
            **{
                "model": "claude-x",
                "max_tokens": 99,
                "messages": list(messages) or [USER],
                **fields,
            }
        )


def by_gemini(url: str, *contents: Any, key: str = "any") -> Any:
    options = types.HttpOptions(
        base_url=url,
        client_args={"verify": TLS},
        async_client_args={"verify": TLS, "ssl": TLS},
    )
    with genai.Client(api_key=key, http_options=options) as client:
        return client.models.generate_content(
            model="gemini-x", contents=list(contents) if contents else "Hi"
        )


def by_boto(url: str, *messages: Any) -> Any:
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0})
    client = boto3.client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=url, config=config
    )
    try:
        hello = {"role": "user", "content": [{"text": "Hi"}]}
        return client.converse(modelId="m", messages=list(messages) or [hello])
    finally:
        client.close()


def by_cohere(url: str, *messages: Any, **fields: Any) -> Any:
    with httpx.Client() as http:
        client = cohere.ClientV2(base_url=url, api_key="any", httpx_client=http)
        return client.chat(
            model="command-a",
            messages=list(messages) or [USER],
            request_options={"max_retries": 0},
            **fields,
        )


def by_ollama(url: str, model: str = "m") -> Any:
    with ollama.Client(host=url) as client:
        return client.chat(model=model, messages=[USER])


def test_openai_names_the_field_and_the_code() -> None:
    with serving() as url:
        with pytest.raises(openai.BadRequestError) as caught:
            by_openai(url, USER, CALL, USER)
        assert caught.value.param == "messages.[2].role"
        assert "did not have response messages: c1" in caught.value.message
        with pytest.raises(openai.BadRequestError) as caught:
            by_openai(url, temperature=3)
        assert caught.value.code == "decimal_above_max_value"
        with pytest.raises(openai.BadRequestError, match="No tool output found"):
            by_responses(
                url, USER, {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
            )


def test_anthropic_says_where() -> None:
    with serving() as url, pytest.raises(anthropic.BadRequestError) as caught:
        by_anthropic(
            url,
            USER,
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}],
            },
            USER,
        )
    body: Any = caught.value.body
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["message"].startswith("messages.1: `tool_use` ids were found without")


def test_a_thought_comes_back_as_it_was() -> None:
    asked: Any = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000}
    with serving() as url:
        said = by_anthropic(url, **asked).parse()
        history = [block.model_dump(exclude_none=True) for block in said.content]
        assert history[0]["type"] == "thinking"
        answer: Any = {"role": "assistant", "content": history}
        assert by_anthropic(url, USER, answer, USER, **asked).status_code == 200
        history[0]["thinking"] += "!"
        with pytest.raises(anthropic.BadRequestError, match=r"messages\.1\.content\.0: Invalid"):
            by_anthropic(url, USER, answer, USER, **asked)
        asked["tools"] = [{"name": "f", "input_schema": {"type": "object"}}]
        said = by_anthropic(url, **asked).parse()
        *_, call = history = [block.model_dump(exclude_none=True) for block in said.content]
        done = {"type": "tool_result", "tool_use_id": call["id"], "content": "done"}
        results = {"role": "user", "content": [done]}
        answer["content"] = history
        assert by_anthropic(url, USER, answer, results, **asked).status_code == 200
        answer["content"] = [call]
        with pytest.raises(anthropic.BadRequestError, match="Expected `thinking`"):
            by_anthropic(url, USER, answer, results, **asked)


def test_a_call_comes_back_with_its_reasoning() -> None:
    with serving() as url:
        said = by_responses(url, model="gpt-5", **_REASONING)
        items = [item.model_dump(exclude_none=True) for item in said.output]
        assert [item["type"] for item in items] == ["reasoning", "function_call"]
        result = {"type": "function_call_output", "call_id": items[1]["call_id"], "output": "x"}
        by_responses(url, USER, *items, result, model="gpt-5", **_REASONING)
        with pytest.raises(openai.BadRequestError, match="without its required 'reasoning' item"):
            by_responses(url, USER, items[1], result, model="gpt-5", **_REASONING)
        items[0]["encrypted_content"] += "A"
        with pytest.raises(openai.BadRequestError) as caught:
            by_responses(url, USER, *items, result, model="gpt-5", **_REASONING)
        assert caught.value.code == "invalid_encrypted_content"


_REASONING: Any = {
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "tools": [
        {
            "type": "function",
            "name": "f",
            "strict": False,
            "parameters": {"type": "object", "properties": {}},
        }
    ],
}


def test_google_has_a_status() -> None:
    call: Any = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
    hello: Any = {"role": "user", "parts": [{"text": "Hi"}]}
    with serving() as url, pytest.raises(errors.ClientError) as caught:
        by_gemini(url, hello, call, hello)
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert "number of function response parts" in str(caught.value.message)


def test_aws_has_an_exception() -> None:
    with serving() as url, pytest.raises(ClientError) as caught:
        by_boto(url, {"role": "assistant", "content": [{"text": "Hi"}]})
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert "must start with a user message" in caught.value.response["Error"]["Message"]


def test_cohere_and_ollama_say_it_in_words() -> None:
    with serving() as url:
        with pytest.raises(cohere.BadRequestError) as caught:
            by_cohere(url, temperature=3)
        assert "temperature must be between 0 and 1.0" in str(caught.value.body)
        # The SDK itself refuses a call without a model.
        refused = httpx.post(f"{url}/api/chat", json={"messages": []})
    assert (refused.status_code, refused.json()) == (400, {"error": "model is required"})


def test_lenient_settings_only_note_it() -> None:
    with MockServer(backend=Settings(lenient=True)) as server:
        assert by_openai(server.url, USER, CALL, USER).status_code == 200
        (entry,) = server.journal
    assert entry.note is not None
    assert entry.note.startswith("refused: An assistant message with 'tool_calls' must be followed")


def test_a_refused_request_is_noted_too() -> None:
    with MockServer(backend=Settings()) as server:
        with pytest.raises(openai.BadRequestError):
            by_openai(server.url, temperature=3)
        (entry,) = server.journal
    assert (entry.status, entry.answer) == (400, "refused")
    assert (entry.note or "").startswith("refused: Invalid 'temperature'")


def test_a_wrong_key_gets_the_error_of_each_provider() -> None:
    with serving(key="right") as url:
        with pytest.raises(openai.AuthenticationError) as caught:
            by_openai(url)
        assert caught.value.code == "invalid_api_key"
        assert "any" not in caught.value.message.split()
        with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
            by_anthropic(url)
        with pytest.raises(errors.ClientError) as refused:
            by_gemini(url)
        assert refused.value.code == 400
        assert "API_KEY_INVALID" in str(refused.value.details)
        with pytest.raises(ClientError) as unsigned:
            by_boto(url)
        assert unsigned.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        with pytest.raises(cohere.UnauthorizedError):
            by_cohere(url)
        with pytest.raises(ollama.ResponseError, match="unauthorized"):
            by_ollama(url)


def test_the_right_key_is_let_in_wherever_it_is() -> None:
    with serving(key="right") as url:
        assert by_openai(url, key="right").status_code == 200
        assert by_anthropic(url, key="right").status_code == 200
        assert by_gemini(url, key="right").text
        path = f"{url}/v1beta/models/gemini-x:generateContent"
        hello = {"contents": [{"parts": [{"text": "Hi"}]}]}
        assert httpx.post(f"{path}?key=right", json=hello).status_code == 200
        assert httpx.post(f"{path}?key=wrong", json=hello).status_code == 400
        assert httpx.post(path, json=hello).status_code == 403
        assert httpx.get(f"{url}/v1/models").status_code == 401


def test_one_request_too_many_gets_the_429_of_each_provider() -> None:
    once = Limits(rpm=1)
    with serving(limits=once) as url:
        headers = by_openai(url).headers
        assert headers["x-ratelimit-limit-requests"] == "1"
        assert headers["x-ratelimit-remaining-requests"] == "0"
        with pytest.raises(openai.RateLimitError, match=r"\(RPM\): Limit 1, Used 1") as caught:
            by_openai(url)
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
        assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "requests")
    with serving(limits=once) as url:
        assert by_anthropic(url).headers["anthropic-ratelimit-requests-remaining"] == "0"
        with pytest.raises(anthropic.RateLimitError, match="1 requests per minute") as limited:
            by_anthropic(url)
        assert limited.value.response.headers["anthropic-ratelimit-requests-reset"] > "2020"
    with serving(limits=once) as url:
        by_gemini(url)
        with pytest.raises(errors.ClientError) as exhausted:
            by_gemini(url)
        kinds = [
            one["@type"].rpartition(".")[2] for one in exhausted.value.details["error"]["details"]
        ]
        assert kinds == ["Help", "QuotaFailure", "RetryInfo"]
        assert exhausted.value.status == "RESOURCE_EXHAUSTED"
    with serving(limits=once) as url:
        by_boto(url)
        with pytest.raises(ClientError) as throttled:
            by_boto(url)
        assert throttled.value.response["Error"]["Code"] == "ThrottlingException"
    with serving(limits=once) as url:
        hello = {"model": "command-a", "messages": [USER]}
        headers = httpx.post(f"{url}/v2/chat", json=hello).headers
        assert headers["x-trial-endpoint-call-limit"] == "1"
        assert headers["x-trial-endpoint-call-remaining"] == "0"
        with pytest.raises(cohere.TooManyRequestsError):
            by_cohere(url)


def test_a_conversation_that_is_too_long_gets_the_words_of_each_provider() -> None:
    long: Any = {"role": "user", "content": "word " * 50}
    with serving(limits=Limits(context=20)) as url:
        with pytest.raises(openai.BadRequestError) as caught:
            by_openai(url, long)
        assert caught.value.code == "context_length_exceeded"
        assert "maximum context length is 20 tokens" in caught.value.message
        with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 51 tokens > 20"):
            by_anthropic(url, long)
        assert by_openai(url).status_code == 200


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (by_openai, openai.InternalServerError),
        (by_anthropic, anthropic.InternalServerError),
        (by_gemini, errors.ServerError),
        (by_boto, ClientError),
        (by_cohere, cohere.ServiceUnavailableError),
        (by_ollama, ollama.ResponseError),
    ],
)
def test_a_failure_comes_as_often_as_asked(
    ask: Callable[[str], Any], error: type[Exception]
) -> None:
    with serving(failures=parse_failures("503=1x")) as url:
        with pytest.raises(error):
            ask(url)
        ask(url)


def test_a_failure_may_ask_to_wait_and_has_the_status_that_was_asked_for() -> None:
    with serving(failures=parse_failures("429:2s=1x,529=1x,502=1x")) as url:
        found = [httpx.post(f"{url}/v1/messages", json=_HELLO) for _ in range(3)]
    assert [one.status_code for one in found] == [429, 529, 502]
    assert found[0].headers["retry-after"] == "2"
    assert [one.json()["error"]["type"] for one in found] == [
        "rate_limit_error",
        "overloaded_error",
        "api_error",
    ]
    assert found[0].headers["x-tapecheck-answer"] == "failed 429:2s=1x"


def test_answers_may_break_off() -> None:
    with MockServer(backend=Settings(failures=parse_failures("cut@2=1x"))) as server:
        url = f"{server.url}/v1/messages"
        broken, whole = (httpx.post(url, json={**_HELLO, "stream": True}) for _ in range(2))
        assert "message_stop" not in broken.text
        assert "message_stop" in whole.text
        assert server.journal[0].note == "failed cut@2=1x"
        found = [answer.headers["x-tapecheck-answer"] for answer in (broken, whole)]
        assert found == ["synthesised, cut=2", "synthesised"]
        assert [entry.answer for entry in server.journal] == found
    with MockServer(backend=Settings(failures=parse_failures("end"))) as server:
        url = f"{server.url}/v1/messages"
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(url, json={**_HELLO, "stream": True})
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(url, json=_HELLO)


_HELLO = {"model": "claude-x", "max_tokens": 99, "messages": [USER]}
