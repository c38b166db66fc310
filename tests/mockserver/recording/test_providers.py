from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.errors import ProviderError
from mockserver.recording import providers
from mockserver.recording.providers import DUMMY_KEY, PROVIDERS, Proof, Provider


def test_the_table_is_complete() -> None:
    for name, provider in PROVIDERS.items():
        assert provider.name == name
        assert provider.base_url.startswith(("https://", "http://127.0.0.1:")) or name in (
            "azure",
            "azure-entra",
        )
        assert provider.is_local is provider.base_url.startswith("http:")
        needs = provider.key_variables or provider.proof is not Proof.KEY
        assert bool(needs) is not provider.is_local
        # A client that reads the real key's variable must find the dummy there.
        assert set(provider.key_variables) <= {*provider.client_key, *provider.hidden}


def test_a_provider_s_key_is_in_the_variable_that_its_clients_read() -> None:
    assert {name: p.key_variables for name, p in PROVIDERS.items() if p.key_variables} == {
        "anthropic": ("ANTHROPIC_API_KEY",),
        "azure": ("AZURE_OPENAI_API_KEY",),
        "bedrock": ("AWS_BEARER_TOKEN_BEDROCK",),
        "codex": ("CODEX_ACCESS_TOKEN",),
        "cohere": ("CO_API_KEY", "COHERE_API_KEY"),
        "deepseek": ("DEEPSEEK_API_KEY",),
        "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "gemini-compat": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "groq": ("GROQ_API_KEY",),
        "mistral": ("MISTRAL_API_KEY",),
        "openai": ("OPENAI_API_KEY",),
        "openrouter": ("OPENROUTER_API_KEY",),
        "together": ("TOGETHER_API_KEY",),
        "xai": ("XAI_API_KEY",),
    }


def test_a_provider_s_base_url_is_in_the_variable_that_its_clients_read() -> None:
    assert {name: p.client_url for name, p in PROVIDERS.items() if name != "openai"} == {
        "anthropic": ("ANTHROPIC_BASE_URL",),
        "azure": ("AZURE_OPENAI_ENDPOINT",),
        "azure-entra": ("AZURE_OPENAI_ENDPOINT",),
        "bedrock": ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",),
        "codex": (),
        "cohere": ("CO_API_URL",),
        "gemini": ("GOOGLE_GEMINI_BASE_URL",),
        "groq": ("GROQ_BASE_URL",),
        "ollama": ("OLLAMA_HOST",),
        "vertex": ("GOOGLE_VERTEX_BASE_URL",),
        **dict.fromkeys(
            (
                "deepseek",
                "gemini-compat",
                "litellm",
                "llamacpp",
                "lmstudio",
                "mistral",
                "openrouter",
                "together",
                "vllm",
                "xai",
            ),
            ("OPENAI_BASE_URL",),
        ),
    }
    assert PROVIDERS["openai"].client_url == ("OPENAI_BASE_URL",)


def test_the_key_comes_from_the_first_variable_that_is_set() -> None:
    gemini = PROVIDERS["gemini"]
    assert gemini.key({"GOOGLE_API_KEY": "b", "GEMINI_API_KEY": ""}) == "b"
    assert gemini.key({"GOOGLE_API_KEY": "b", "GEMINI_API_KEY": "a"}) == "a"
    assert PROVIDERS["llamacpp"].key({}) is None
    with pytest.raises(
        ProviderError, match="GEMINI_API_KEY or GOOGLE_API_KEY; set it to a real key"
    ):
        gemini.key({})
    with pytest.raises(ProviderError, match="dummy"):
        gemini.key({"GEMINI_API_KEY": DUMMY_KEY})


def test_credentials() -> None:
    assert PROVIDERS["openai"].credential("k") == "Bearer k"
    assert PROVIDERS["anthropic"].credential("k") == "k"


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
            "gemini-compat",
        ),
        ("https://generativelanguage.googleapis.com/v1beta/models/m:generateContent", "gemini"),
        ("https://api.openai.com.evil.example/v1/x", None),
        ("https://api.anthropic.com.evil.example/v1/x", None),
        ("https://api.openai.com/v10/x", None),
        ("https://api.anthropic.com", "anthropic"),
        ("https://api.example.com/v1/x", None),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse", "bedrock"),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com.evil.example/model/m/converse", None),
        ("https://europe-west4-aiplatform.googleapis.com/v1/x", "vertex"),
        ("https://aiplatform.eu.rep.googleapis.com/v1/x", "vertex"),
    ],
)
def test_the_provider_of_a_recorded_request(uri: str, name: str | None) -> None:
    found = providers.of_uri(uri)
    assert (found.name if found else None) == name
    assert found is None or uri.startswith(found.base_url)


def test_a_file_adds_providers(tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(
        "providers:\n"
        "  gateway:\n"
        "    base_url: https://llm.example.com/v1/\n"
        "    header: X-Api-Key\n"
        "    key: GATEWAY_KEY\n"
        "    client: {base_url: OPENAI_BASE_URL, key: [OPENAI_API_KEY]}\n"
        "  openai: {base_url: 'http://localhost:9/v1'}\n"
    )
    known = providers.load(file)
    assert known["gateway"] == Provider(
        name="gateway",
        base_url="https://llm.example.com/v1",
        header="x-api-key",
        scheme="",
        key_variables=("GATEWAY_KEY",),
        client_url=("OPENAI_BASE_URL",),
        client_key=("OPENAI_API_KEY",),
    )
    assert known["openai"].is_local
    assert known["anthropic"] == PROVIDERS["anthropic"]
    with pytest.raises(ProviderError, match=r"known providers: .*gateway"):
        providers.find("gatway", known)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected only a mapping 'providers'"),
        ("providers: [a]", "expected only a mapping"),
        ("providers: {a: {}}", "needs base_url; allowed are"),
        ("providers: {a: {base_url: 'https://x', colour: red}}", "allowed are"),
        ("providers: {a: {base_url: 'ftp://x'}}", "a base URL must look like"),
        ("providers: {a: {base_url: 'https://me:pw@x'}}", "must not have credentials"),
        ("providers: {a: {base_url: 'https://x', key: sk-proj-abc}}", "give the name of an env"),
        (
            "providers: {a: {base_url: 'https://x', client: {url: A}}}",
            "client allows only base_url and key",
        ),
        ("a: [", "providers.yaml:2: not valid YAML"),
    ],
)
def test_a_wrong_file_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(text)
    with pytest.raises(ProviderError, match=message) as caught:
        providers.load(file)
    assert "sk-proj-abc" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="cannot be read"):
        providers.load(tmp_path / "none.yaml")
