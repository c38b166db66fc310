from __future__ import annotations

from mockserver.dialects.addresses import DUMMY_KEY, base_urls, environment, hidden, unproxied

URL = "http://127.0.0.1:1/s/abc"


def test_each_client_finds_the_server_where_it_looks() -> None:
    found = base_urls(URL)
    assert found["OPENAI_BASE_URL"] == found["OPENAI_API_BASE"] == f"{URL}/v1"
    for name in (
        "ANTHROPIC_BASE_URL",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "AZURE_OPENAI_ENDPOINT",
        "CO_API_URL",
        "GOOGLE_GEMINI_BASE_URL",
        "OLLAMA_HOST",
    ):
        assert found[name] == URL


def test_keys_and_what_clients_need_besides_are_set() -> None:
    found = environment(URL, "mine")
    assert base_urls(URL).items() <= found.items()
    assert found["OPENAI_API_KEY"] == found["AWS_SECRET_ACCESS_KEY"] == "mine"
    assert found["AWS_DEFAULT_REGION"]
    assert environment(URL)["CO_API_KEY"] == DUMMY_KEY
    assert "AWS_SESSION_TOKEN" in hidden()
    assert not set(hidden()) & found.keys()


def test_local_requests_pass_by_proxies() -> None:
    assert unproxied({"NO_PROXY": "a.example,localhost"}) == {
        "NO_PROXY": "a.example,localhost,127.0.0.1",
        "no_proxy": "127.0.0.1,localhost",
    }
