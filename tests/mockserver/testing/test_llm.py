"""The object ``llm`` with the official SDKs: their environment alone leads them to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import boto3
import cohere
import httpx
import ollama
import openai
import pytest
from google import genai

from mockserver import Llm, MockServer, llm
from mockserver.errors import ScriptError, SessionError
from mockserver.library import library
from tests.mockserver.rawhttp import cassette, interaction

HI: list[Any] = [{"role": "user", "content": "hi"}]


@pytest.fixture
def provider() -> Iterator[Llm]:
    with llm() as opened:
        yield opened


def chat(text: str = "hi", **options: Any) -> str:
    with openai.OpenAI() as client:
        answer = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": text}], **options
        )
    return answer.choices[0].message.content or ""


def _responses() -> str:
    with openai.OpenAI() as client:
        return client.responses.create(model="m", input="hi").output_text


def _azure() -> str:
    with openai.AzureOpenAI() as client:
        answer = client.chat.completions.create(model="m", messages=HI)
    return answer.choices[0].message.content or ""


def _anthropic() -> str:
    with anthropic.Anthropic() as client:
        answer = client.messages.create(model="m", max_tokens=9, messages=HI)
    (block,) = answer.content
    assert block.type == "text"
    return block.text


def _gemini() -> str:
    client = genai.Client()
    try:
        return client.models.generate_content(model="m", contents="hi").text or ""
    finally:
        client.close()


def _ollama() -> str:
    client = ollama.Client()
    try:
        return client.chat("m", HI).message.content or ""
    finally:
        client._client.close()


def _cohere() -> str:
    # The SDK reads CO_API_URL only once, when its class is first used in the process.
    with httpx.Client() as transport:
        client = cohere.ClientV2(base_url=os.environ["CO_API_URL"], httpx_client=transport)
        answer = client.chat(model="m", messages=HI)
    assert answer.message.content is not None
    text = answer.message.content[0].text
    assert isinstance(text, str)
    return text


def _bedrock() -> str:
    client = boto3.client("bedrock-runtime")
    messages = [{"role": "user", "content": [{"text": "hi"}]}]
    answer = client.converse(modelId="m", messages=messages)
    client.close()
    text = answer["output"]["message"]["content"][0]["text"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    "ask", [chat, _responses, _azure, _anthropic, _gemini, _ollama, _cohere, _bedrock]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_sdk_gets_the_answer_by_its_environment(
    provider: Llm, ask: Callable[[], str]
) -> None:
    provider.say("Servus")
    assert ask() == "Servus"
    (request,) = provider.asked
    assert request.text == "hi"
    assert request.answer is not None
    assert request.answer.startswith("rule test_llm.py:")
    assert not provider.verdict.failed


def test_the_environment_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "mine")
    monkeypatch.setenv("NO_PROXY", "intra.example")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    before = dict(os.environ)
    with llm() as provider:
        assert os.environ["OPENAI_BASE_URL"] == f"{provider.url}/v1"
        assert os.environ["OPENAI_API_KEY"] == provider.key
        assert os.environ["NO_PROXY"] == "intra.example,127.0.0.1,localhost"
        assert "AWS_SESSION_TOKEN" not in os.environ
        assert provider.env.items() <= os.environ.items()
    assert dict(os.environ) == before


def test_all_of_a_process_share_one_server_and_no_session() -> None:
    with llm() as one, llm() as two:
        assert one.url.rpartition("/")[0] == two.url.rpartition("/")[0]
        one.say("one")
        two.say("two")
        urls = [f"{provider.url}/v1/chat/completions" for provider in (one, two)]
        answers = [httpx.post(u, json={"model": "m", "messages": HI}).json() for u in urls]
    assert [a["choices"][0]["message"]["content"] for a in answers] == ["one", "two"]


def test_failures_then_an_answer(provider: Llm) -> None:
    provider.fail(429, retry=0.01, times=2)
    provider.say("Hello")
    assert chat() == "Hello"
    assert [request.status for request in provider.asked] == [429, 429, 200]
    first, second, _ = provider.asked
    assert first.waited is None
    assert second.waited is not None
    assert second.waited >= 0.01


def test_words_follow_one_another(provider: Llm) -> None:
    provider.say("any")
    provider.say("B").on("beta")
    provider.say("C", on={"model": "m", "text": "gamma"})
    assert [chat("beta"), chat("Gamma"), chat("hi")] == ["B", "C", "any"]


def test_tools_are_called_and_their_results_answered(provider: Llm) -> None:
    provider.call("weather", city="Graz").on("hi")
    provider.say("21 °C").after("weather")
    with openai.OpenAI() as client:
        first = client.chat.completions.create(model="m", messages=HI).choices[0].message
        assert first.tool_calls is not None
        (call,) = first.tool_calls
        assert call.type == "function"
        assert call.function.arguments == '{"city":"Graz"}'
        done: list[Any] = [*HI, first, {"role": "tool", "tool_call_id": call.id, "content": "21"}]
        answer = client.chat.completions.create(model="m", messages=done)
    assert answer.choices[0].message.content == "21 °C"


@pytest.mark.parametrize("word", ["cut", "end", "reset"])
def test_an_answer_breaks(provider: Llm, word: str) -> None:
    answer = provider.say("one two three")
    getattr(answer, word)(2)
    got = []
    with openai.OpenAI() as client:
        stream = client.chat.completions.create(model="m", messages=HI, stream=True)
        try:
            got += [c.choices[0].delta.content for c in stream if c.choices]
        except (httpx.HTTPError, openai.APIError):
            got.append("error")
    assert "three" not in "".join(filter(None, got))


def test_a_cut_text_that_is_given_out_fails(provider: Llm) -> None:
    provider.say("The first words of a long text, and the last ones.").cut(6)
    with openai.OpenAI() as client:
        stream = client.chat.completions.create(model="m", messages=HI, stream=True)
        text = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
    assert not provider.verdict.failed
    provider.judge(text)
    assert provider.verdict.failed
    assert "truncated-stream" in provider.verdict.text
    provider.excuse("truncated-stream", "the page shows what came")
    assert not provider.verdict.failed


def test_requests_of_one_call_are_proved_to_be_retries(provider: Llm) -> None:
    provider.fail(429, retry=60)
    provider.say("ok")
    url = f"{provider.url}/v1/chat/completions"
    with provider.one_call():
        for _ in range(2):
            httpx.post(url, json={"model": "m", "messages": HI})
        with pytest.raises(SessionError, match="still open"), provider.one_call():
            pass
    assert provider.verdict.failed
    assert "retry-after" in provider.verdict.text


def test_an_excuse_needs_a_check_that_exists_and_a_reason(provider: Llm) -> None:
    with pytest.raises(SessionError, match=r"unknown check 'retry-aftr' \(did you mean"):
        provider.excuse("retry-aftr", "x")
    with pytest.raises(SessionError, match="needs a reason"):
        provider.excuse("retry-after", " ")


def test_a_script_that_is_all_and_over_fails(provider: Llm) -> None:
    provider.only()
    provider.say("once")
    assert chat() == "once"
    with pytest.raises(openai.UnprocessableEntityError, match="last answer of the script"):
        chat()
    assert provider.verdict.failed
    assert "unanswered" in provider.verdict.text


def test_embeddings_are_scripted(provider: Llm) -> None:
    provider.embed(0.6, 0.8).on("cat")
    with openai.OpenAI() as client:
        found = client.embeddings.create(model="m", input=["a cat", "a dog"], dimensions=8).data
    assert found[0].embedding == pytest.approx([0.6, 0.8])
    assert len(found[1].embedding) == 8
    assert provider.asked[0].answer is not None
    assert provider.asked[0].answer.startswith("rule test_llm.py:")


def test_a_script_file_and_a_cassette(
    provider: Llm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answers.yaml").write_text("answers:\n- on: tape\n  play: tape.yaml\n- say: file\n")
    library.write(cassette(interaction(b'{"choices":[]}'), path=tmp_path / "tape.yaml"))
    provider.load(tmp_path / "answers.yaml")
    assert chat() == "file"
    with httpx.Client() as client:
        url = f"{provider.url}/v1/chat/completions"
        asked = {"model": "m", "messages": [{"role": "user", "content": "tape"}]}
        assert client.post(url, json=asked).json() == {"choices": []}
    monkeypatch.chdir(tmp_path)
    provider.play("tape.yaml", on="other")
    assert provider.asked[-1].answer == "cassette tape.yaml#0"


def test_a_mistake_is_named_where_the_test_makes_it(provider: Llm) -> None:
    with pytest.raises(ScriptError, match=r"^test_llm\.py:\d+: unknown key 'om' in an answer"):
        provider.say("x", om="beta")
    with pytest.raises(ScriptError, match="a failure has a status"):
        provider.fail(200)
    with pytest.raises(ScriptError, match=r"missing\.yaml: cannot be read"):
        provider.load("missing.yaml")


def test_reset_forgets_all_but_the_address(provider: Llm) -> None:
    answer = provider.say("x")
    chat()
    provider.reset()
    assert provider.asked == []
    assert chat("say hello") == "hello"
    with pytest.raises(SessionError, match="this answer was forgotten"):
        answer.times(2)


def test_answers_are_added_from_many_threads(provider: Llm) -> None:
    threads = [threading.Thread(target=lambda: provider.say("x", times=1)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [chat("say y") for _ in range(9)] == ["x"] * 8 + ["y"]


def test_another_server_may_be_given(tmp_path: Path) -> None:
    with MockServer() as server, llm(server, seed=3) as provider:
        assert provider.url.startswith(server.url)


def test_a_key_is_not_shown_with_a_request(provider: Llm) -> None:
    chat()
    (request,) = provider.asked
    assert request.headers["authorization"] == f"Bearer {provider.key}"
    assert provider.key not in repr(request)


@pytest.mark.parametrize("settings", [{}, {"key": "sk-own-key-of-the-test"}])
def test_a_key_where_it_does_not_belong_is_a_failure(settings: dict[str, Any]) -> None:
    with llm(**settings) as provider:
        headers = {"authorization": f"Bearer {provider.key}"}
        with httpx.Client(base_url=provider.url, headers=headers) as client:
            said = {"model": "any", "messages": [{"role": "user", "content": "Hello"}]}
            assert client.post("/v1/chat/completions", json=said).status_code == 200
            assert not provider.verdict.failed
            client.post("/v1/chat/completions", json={**said, "user": provider.key})
            assert [f.check for f in provider.verdict.findings] == ["key"]
            assert provider.verdict.failed


def test_a_request_for_embeddings_has_its_model() -> None:
    with llm() as provider, openai.OpenAI() as client:
        client.embeddings.create(model="e", input="x")
        (request,) = provider.asked
    assert (request.model, request.text) == ("e", "")
    assert request.body["input"] == "x"
