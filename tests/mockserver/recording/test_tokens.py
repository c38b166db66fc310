"""Access tokens that the recorder makes: of Google for Vertex AI, of Entra for Azure OpenAI."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google import genai
from google.genai.types import HttpOptions
from google.oauth2.credentials import Credentials
from openai import AzureOpenAI

from mockserver.errors import ProviderError, RecordingError
from mockserver.library import library
from mockserver.recording.modes import Mode
from mockserver.recording.providers import DUMMY_KEY, PROVIDERS
from mockserver.recording.recorder import Recorder
from mockserver.recording.signing import signer_of
from tests.mockserver.live import Handler, Live
from tests.mockserver.taping import nothing_left

ANSWER = {"candidates": [{"content": {"parts": [{"text": "Hello"}], "role": "model"}}]}


@pytest.fixture
def tokens() -> list[str]:
    """The tokens that were issued."""
    return []


@pytest.fixture
def seconds() -> list[int]:
    """How long a token is valid."""
    return [3600]


@pytest.fixture
def google(tokens: list[str], seconds: list[int]) -> Iterator[Live]:
    """A token endpoint as that of Google (RFC 7523), without a look at the signature."""

    async def issue(request: web.Request) -> web.StreamResponse:
        form = parse_qs((await request.read()).decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        if not seconds:
            return web.json_response(
                {"error": "invalid_grant", "error_description": "account is gone"}, status=400
            )
        tokens.append(f"ya29.real-token-{len(tokens)}-0123456789abcdefghij")
        answer = {"access_token": tokens[-1], "expires_in": seconds[0], "token_type": "Bearer"}
        return web.json_response(answer)

    with Live(issue) as live:
        yield live


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def account(
    google: Live, private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service account of Google, as the default credentials."""
    file = tmp_path / "account.json"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "my-project",
                "private_key_id": "1",
                "private_key": private_key,
                "client_email": "me@my-project.iam.gserviceaccount.com",
                "client_id": "1",
                "token_uri": f"{google.url}/token",
            }
        )
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


def vertex(tokens: list[str]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {tokens[-1]}":
            return web.json_response({"error": {"code": 401, "message": "no"}}, status=401)
        return web.json_response(ANSWER)

    return answer


def ask_vertex(base_url: str) -> str | None:
    client = genai.Client(
        vertexai=True,
        project="my-project",
        location="us-central1",
        credentials=Credentials("token-of-the-client-0123456789"),
        http_options=HttpOptions(base_url=base_url),
    )
    answer = client.models.generate_content(model="gemini-x", contents="hi")
    client.close()
    return answer.text


@pytest.mark.usefixtures("account")
def test_a_client_of_vertex_gets_the_recorder_s_token(tokens: list[str], path: Path) -> None:
    with Live(vertex(tokens)) as live, Recorder(environment={}) as recorder:
        provider = PROVIDERS["vertex"].at(live.url)
        with recorder.tape(path, [provider]) as tape:
            assert [ask_vertex(tape.base_url) for _ in range(2)] == ["Hello", "Hello"]
            assert tape.finish().written
        # One token is enough until it expires.
        assert len(tokens) == 1
        assert live.requests[0][1].startswith("/v1beta1/projects/my-project/locations/")
        stored = path.read_text()
        for secret in (tokens[0], "token-of-the-client", "my-project", "PRIVATE"):
            assert secret not in stored
        with recorder.tape(path, [provider], mode=Mode.NONE) as tape:
            assert ask_vertex(tape.base_url) == "Hello"
    assert len(tokens) == 1


@pytest.mark.usefixtures("account")
def test_an_expired_token_is_replaced(
    tokens: list[str], seconds: list[int], path: Path, client: httpx.Client
) -> None:
    # Shorter than the time that google-auth leaves for the clocks of others.
    seconds[0] = 1

    async def repeat(request: web.Request) -> web.StreamResponse:
        return web.json_response({"got": request.headers["Authorization"]})

    with (
        Live(repeat) as live,
        Recorder(environment={}) as recorder,
        recorder.tape(path, [PROVIDERS["vertex"].at(live.url)]) as tape,
    ):
        for _ in range(2):
            client.get(f"{tape.base_url}/v1/x")
        sent = [request[2]["Authorization"] for request in live.requests]
        assert sent == [f"Bearer {token}" for token in tokens[1:]]
        assert tape.finish().written
    assert len(tokens) == 3
    # No name tells it in that answer.
    assert not any(token in path.read_text() for token in tokens)


@pytest.mark.usefixtures("account")
def test_a_refused_token_is_an_error_before_the_client_starts(
    seconds: list[int], path: Path
) -> None:
    seconds.clear()
    with (
        Recorder(environment={}) as recorder,
        pytest.raises(ProviderError, match=r"vertex: no access token: RefreshError: .*is gone"),
    ):
        recorder.tape(path, [PROVIDERS["vertex"]])


@pytest.mark.usefixtures("account")
def test_a_token_that_cannot_be_renewed_fails_the_recording(
    tokens: list[str], seconds: list[int], path: Path, client: httpx.Client
) -> None:
    seconds[0] = 1
    with (
        Live(vertex(tokens)) as live,
        Recorder(environment={}) as recorder,
        recorder.tape(path, [PROVIDERS["vertex"].at(live.url)]) as tape,
    ):
        seconds.clear()
        with pytest.raises(httpx.HTTPError):
            client.get(f"{tape.base_url}/v1/x")
        with pytest.raises(RecordingError, match="no access token"):
            tape.finish()
        assert live.requests == []
    assert nothing_left(path)


def test_missing_credentials_of_google_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(ProviderError, match=r"DefaultCredentialsError: .*none\.json"):
        signer_of(PROVIDERS["vertex"], {})


@pytest.fixture
def entra(tokens: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The endpoint that Azure App Service gives to its programs."""

    async def issue(request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-IDENTITY-HEADER") != "local-secret":
            return web.json_response({"message": "no"}, status=401)
        assert request.query["resource"] == "https://cognitiveservices.azure.com"
        tokens.append(f"entra-token-{len(tokens)}-0123456789abcdefghij")
        expires = str(int(time.time()) + 86_400)
        answer = {"access_token": tokens[-1], "expires_on": expires, "token_type": "Bearer"}
        return web.json_response(answer | {"resource": request.query["resource"]})

    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_USERNAME"):
        monkeypatch.delenv(name, raising=False)
    with Live(issue) as live:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{live.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "local-secret")
        yield live


@pytest.mark.usefixtures("entra")
def test_a_client_of_azure_gets_the_recorder_s_token(tokens: list[str], path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert "api-key" not in request.headers
        if request.headers.get("Authorization") != f"Bearer {tokens[-1]}":
            return web.json_response({"error": {"code": "401", "message": "no"}}, status=401)
        return web.json_response({"id": "1", "object": "chat.completion", "choices": []})

    with Live(answer) as live, Recorder(environment={}) as recorder:
        with recorder.tape(path, [PROVIDERS["azure-entra"].at(live.url)]) as tape:
            client = AzureOpenAI(
                azure_endpoint=tape.base_url,
                azure_ad_token=tape.environment()["AZURE_OPENAI_AD_TOKEN"],
                api_version="2024-10-21",
                max_retries=0,
            )
            with client:
                for _ in range(2):
                    client.chat.completions.create(model="m", messages=[])
            assert tape.finish().written
        assert len(live.requests) == 2
    assert len(tokens) == 1
    assert tokens[0] not in path.read_text()
    assert len(library.load(path).interactions) == 2


def test_an_address_is_needed_for_azure(path: Path) -> None:
    with (
        Recorder(environment={}) as recorder,
        pytest.raises(ProviderError, match="azure-entra has a base URL for each account"),
    ):
        recorder.tape(path, [PROVIDERS["azure-entra"]])


@pytest.mark.parametrize(
    ("name", "module"),
    [("vertex", "google.auth.transport.requests"), ("azure-entra", "azure.identity")],
)
def test_without_its_library_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ProviderError, match=r"the extra \w+ to make access tokens: pip install"):
        signer_of(PROVIDERS[name], {"X": DUMMY_KEY})
