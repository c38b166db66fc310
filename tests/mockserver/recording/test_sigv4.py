"""Requests to Bedrock, signed again by the recorder: the client has dummy credentials."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiohttp import web
from botocore.config import Config
from botocore.exceptions import ClientError

from mockserver.errors import ProviderError, RecordingError
from mockserver.library import library
from mockserver.recording.modes import Mode
from mockserver.recording.providers import DUMMY_KEY, PROVIDERS, Provider
from mockserver.recording.recorder import Recorder, TapeHandle
from mockserver.recording.signing import SigV4Signer
from tests.mockserver.live import Live
from tests.mockserver.recording.sigv4 import region_of, why_invalid
from tests.mockserver.taping import nothing_left
from tests.mockserver.tls import ca_file, server_context

ACCESS, SECRET = "AKIAREALREALREALREAL", "r3al/S3cr3tAcc3ssK3y+0123456789abcdefGHI"
TOKEN = "IQoJb3JpZ2luX2Vj-real-session-token-0123456789"
REAL = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
MODEL = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-3:0"
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    "metrics": {"latencyMs": 5},
}


async def verified(request: web.Request) -> web.StreamResponse:
    """Answer as Bedrock does, which says in a refusal what it was sent."""
    why = why_invalid(
        request.method,
        request.raw_path,
        request.headers,
        await request.read(),
        {ACCESS: SECRET},
    )
    if why is not None:
        text = f"{why}: {dict(request.headers)}"
        return web.json_response(
            {"message": text},
            status=403,
            headers={"x-amzn-errortype": "InvalidSignatureException"},
        )
    return web.json_response(ANSWER)


Open = Callable[..., TapeHandle]


def provider(live: Live) -> Provider:
    return PROVIDERS["bedrock"].at(live.url)


def ask(endpoint: str | None, region: str = "eu-west-1", **options: Any) -> dict[str, Any]:
    client = boto3.Session().client(
        "bedrock-runtime",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=DUMMY_KEY,
        aws_secret_access_key=DUMMY_KEY,
        config=Config(retries={"total_max_attempts": 1}, **options.pop("config", {})),
        **options,
    )
    messages = [{"role": "user", "content": [{"text": "hi"}]}]
    answer: dict[str, Any] = client.converse(modelId=MODEL, messages=messages)
    return answer


@pytest.fixture
def signing(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    more = getattr(request, "param", {})
    with Recorder(environment=REAL | more) as running:
        yield running


def secret_free(path: Path) -> bool:
    text = path.read_text()
    return not any(v in text for v in (ACCESS, SECRET, TOKEN, "Signature=", "aws4_request"))


@pytest.mark.parametrize("signing", [{}, {"AWS_SESSION_TOKEN": TOKEN}], indirect=True)
def test_a_client_with_dummy_credentials_is_signed_for(signing: Recorder, path: Path) -> None:
    with Live(verified) as live, signing.tape(path, [provider(live)]) as tape:
        answer = ask(tape.base_url)
        assert answer["output"] == ANSWER["output"]
        assert tape.finish().written
        ((_, target, headers, _),) = live.requests
        # The region is the client's: the address has none.
        assert region_of(headers) == "eu-west-1"
        assert "%3A" in target
        assert DUMMY_KEY not in str(headers)
        assert ("X-Amz-Security-Token" in headers) is (len(signing._environment) == 3)
    assert secret_free(path)
    with signing.tape(path, [PROVIDERS["bedrock"]], mode=Mode.NONE) as tape:
        assert ask(tape.base_url)["output"] == ANSWER["output"]


@pytest.mark.parametrize("signing", [{"AWS_SESSION_TOKEN": TOKEN}], indirect=True)
def test_what_the_provider_repeats_of_a_signature_is_not_stored(
    signing: Recorder, path: Path
) -> None:
    async def repeat(request: web.Request) -> web.StreamResponse:
        assert await verified(request)
        sent = {n: v for n, v in request.headers.items() if n.lower() != "host"}
        return web.json_response({"message": f"The String-to-Sign was {sent}"}, status=403)

    with Live(repeat) as live, signing.tape(path, [provider(live)]) as tape:
        with pytest.raises(ClientError, match="String-to-Sign"):
            ask(tape.base_url)
        tape.finish()
        ((_, _, headers, _),) = live.requests
    signature = headers["Authorization"].rpartition("=")[2]
    stored = path.read_text()
    for secret in (ACCESS, SECRET, TOKEN, signature):
        assert secret not in stored


def test_the_verifier_refuses_the_signature_of_the_client(path: Path) -> None:
    """Without the recorder's own, none of these tests would say anything."""
    with Live(verified) as live, pytest.raises(ClientError, match="unknown access key"):
        ask(live.url)


def test_headers_of_aws_are_signed_and_those_of_the_client_s_proof_dropped(
    signing: Recorder, path: Path, client: Any
) -> None:
    old = {
        "authorization": f"AWS4-HMAC-SHA256 Credential={DUMMY_KEY}/20200101/us-west-2/bedrock/"
        f"aws4_request, SignedHeaders=host, Signature={'0' * 64}",
        "x-amz-date": "20200101T000000Z",
        "x-amz-security-token": "of-the-client",
        "x-amz-content-sha256": "0" * 64,
        "X-Amzn-Bedrock-Trace": "ENABLED  now",
        "x-amz-other": "kept",
    }
    with Live(verified) as live, signing.tape(path, [provider(live)]) as tape:
        url = f"{tape.base_url}/model/m:0/converse?b=2&a=%C3%A4%20x&a=1"
        assert client.post(url, headers=old, json={"a": "ä"}).json() == ANSWER
        ((_, _, headers, _),) = live.requests
    assert region_of(headers) == "us-west-2"
    assert headers["x-amz-other"] == "kept"
    assert "of-the-client" not in str(headers)


def test_a_fixed_host_of_a_region_is_signed_for_behind_the_proxy(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a client that knows its endpoint by its region, and no other."""
    environment = {**REAL, "SSL_CERT_FILE": str(ca_file(tmp_path))}
    with (
        Recorder(environment=environment, proxy=True) as proxy,
        Live(verified, server_context()) as live,
        proxy.tape(path, [provider(live)]) as tape,
    ):
        answer = ask(live.url, verify=str(proxy.trusted), config={"proxies": {"https": proxy.url}})
        assert answer["output"] == ANSWER["output"]
        assert tape.finish().written
    (interaction,) = library.load(path).interactions
    assert interaction.request.uri.startswith(f"{live.url}/model/")
    assert secret_free(path)


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("vpce-1.bedrock-runtime.eu-west-3.vpce.amazonaws.com", "eu-west-3"),
        ("llm.example.com", "ap-south-1"),
    ],
)
def test_the_region_is_that_of_the_host(host: str, region: str) -> None:
    from mockserver.cassettes.cassette import Request

    signer = SigV4Signer(PROVIDERS["bedrock"], REAL | {"AWS_DEFAULT_REGION": "ap-south-1"})
    headers = dict(signer.sign(Request(method="POST", uri=f"https://{host}/model/m/converse")))
    assert region_of(headers) == region


def test_without_a_region_the_request_fails_and_says_so(signing: Recorder, path: Path) -> None:
    import httpx

    with Live(verified) as live, signing.tape(path, [provider(live)]) as tape:
        with httpx.Client(trust_env=False) as plain, pytest.raises(httpx.HTTPError):
            plain.post(f"{tape.base_url}/model/m/converse")
        with pytest.raises(RecordingError, match=r"no region of AWS .*; set AWS_REGION"):
            tape.finish()
        assert live.requests == []
    assert nothing_left(path)


def test_an_api_key_wins_over_credentials(path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(ANSWER)

    key = "bedrock-api-key-0123456789abcdef"
    environment = REAL | {"AWS_BEARER_TOKEN_BEDROCK": key}
    with (
        Live(answer) as live,
        Recorder(environment=environment) as recorder,
        recorder.tape(path, [provider(live)]) as tape,
    ):
        ask(tape.base_url)
        assert live.requests[0][2]["Authorization"] == f"Bearer {key}"
        assert "AWS_SECRET_ACCESS_KEY" in tape.environment()
        assert {"AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"} <= tape.hidden_variables


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "needs its key in AWS_BEARER_TOKEN_BEDROCK, or AWS credentials: set AWS_ACC"),
        ({"AWS_ACCESS_KEY_ID": ACCESS}, "no AWS credentials: PartialCredentialsError"),
        (dict.fromkeys(REAL, DUMMY_KEY), "is tapecheck's dummy key"),
    ],
)
def test_missing_credentials_are_named(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    path: Path,
    environment: dict[str, str],
    message: str,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with (
        Recorder(environment=environment) as recorder,
        pytest.raises(ProviderError, match=message) as caught,
    ):
        recorder.tape(path, [PROVIDERS["bedrock"]])
    assert SECRET not in str(caught.value)


def test_a_profile_is_used_where_no_variable_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: Path
) -> None:
    file = tmp_path / "credentials"
    file.write_text(f"[work]\naws_access_key_id={ACCESS}\naws_secret_access_key={SECRET}\n")
    for name in REAL:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "work")
    with (
        Live(verified) as live,
        Recorder(environment={}) as recorder,
        recorder.tape(path, [provider(live)]) as tape,
    ):
        assert ask(tape.base_url)["output"] == ANSWER["output"]
        assert tape.finish().written
    assert secret_free(path)


def test_the_signer_s_log_does_not_show_signatures(
    signing: Recorder, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # The client of this test signs in the same process, before the log is read.
    with Live(verified) as live, signing.tape(path, [provider(live)]) as tape:
        with caplog.at_level(logging.DEBUG):
            ask(tape.base_url)
        ((_, _, headers, _),) = live.requests
    assert headers["Authorization"].rpartition("=")[2] not in caplog.text
    assert ACCESS not in caplog.text
    assert SECRET not in caplog.text


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "botocore.credentials", None)
    with pytest.raises(ProviderError, match=r"AWS_BEARER_TOKEN_BEDROCK, or the extra aws .*aws\]"):
        SigV4Signer(PROVIDERS["bedrock"], REAL)
