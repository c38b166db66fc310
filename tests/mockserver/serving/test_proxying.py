"""A mock server as a forward proxy that answers for every host."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mockserver import MockServer
from mockserver.backend import Settings, settings_of
from mockserver.backend.notation import parse_failures
from mockserver.backend.script.reading import script_of_yaml
from mockserver.cassettes.writer import dump
from mockserver.errors import SessionError
from mockserver.serving.proxying import EveryHost, no_proxy, proxy_environment
from tests.mockserver.rawhttp import cassette, connect, interaction, talk

CALL = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
EMBEDDING = {"model": "m", "input": "Hello"}


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def proxy(tmp_path: Path, messages: list[str]) -> Iterator[MockServer]:
    moved = interaction(b"", path="/v1/moved")
    headers = (("location", "https://files.test/x"),)
    moved = replace(moved, response=replace(moved.response, status=307, headers=headers))
    file = tmp_path / "made.yaml"
    file.write_bytes(dump(cassette(interaction(b"Hello", path="/v1/chat"), moved)))
    with MockServer(file, proxy_hosts=EveryHost(messages.append)) as running:
        yield running


@pytest.fixture
def client(proxy: MockServer) -> Iterator[httpx.Client]:
    trusted = ssl.create_default_context(cafile=proxy.trusted)
    with httpx.Client(proxy=proxy.url, verify=trusted, trust_env=False, timeout=10) as made:
        yield made


@pytest.mark.parametrize("origin", ["https://api.test", "http://api.test", "https://[::1]:8443"])
def test_a_client_with_a_fixed_host_gets_what_is_recorded(
    client: httpx.Client, origin: str
) -> None:
    for _ in range(2):
        assert client.post(f"{origin}/v1/chat").text == "Hello"
    missed = client.post(f"{origin}/v1/other")
    assert missed.status_code == 404
    assert "/v1/chat" in missed.text
    # There is no base URL that could be wrong.
    assert "base URL" not in client.post(f"{origin}/chat").text


def test_a_proxy_answers_what_nobody_recorded(tmp_path: Path, messages: list[str]) -> None:
    file = tmp_path / "made.yaml"
    file.write_bytes(dump(cassette(interaction(b"Hello", path="/v1/chat"))))
    settings = settings_of(
        {"fail": "429=1x"}, lambda _: "here", script_of_yaml("answers:\n- say: Servus\n", "s.yaml")
    )
    with MockServer(file, proxy_hosts=EveryHost(messages.append), backend=settings) as running:
        trusted = ssl.create_default_context(cafile=running.trusted)
        with httpx.Client(proxy=running.url, verify=trusted, trust_env=False, timeout=10) as client:
            assert client.post("https://api.test/v1/chat").text == "Hello"
            url = "https://api.openai.com/v1/chat/completions"
            failed, said = (client.post(url, json=CALL) for _ in range(2))
            made = client.post("https://api.openai.com/v1/embeddings", json=EMBEDDING)
            unknown = client.get("https://files.test/x")
        asked = [entry.path for entry in running.journal]
    assert failed.status_code == 429
    assert said.json()["choices"][0]["message"]["content"] == "Servus"
    assert said.headers["x-tapecheck-answer"].startswith("rule ")
    assert made.headers["x-tapecheck-answer"] == "synthesised"
    assert unknown.status_code == 404
    assert "base URL" not in unknown.text
    assert len(asked) == 5


def test_a_client_with_a_fixed_host_gets_what_is_made_up(tmp_path: Path) -> None:
    hello = {"model": "m", "messages": [{"role": "user", "content": "Say hello"}]}
    settings = Settings(failures=parse_failures("503=1x"))
    with MockServer(tmp_path, proxy_hosts=EveryHost(print), backend=settings) as proxy:
        trusted = ssl.create_default_context(cafile=proxy.trusted)
        with httpx.Client(proxy=proxy.url, verify=trusted, trust_env=False) as client:
            url = "https://api.openai.com/v1/chat/completions"
            failed, made = (client.post(url, json=hello) for _ in range(2))
            missed = client.get("https://example.test/nowhere")
    assert failed.status_code == 503
    assert made.json()["choices"][0]["message"]["content"] == "hello"
    assert made.headers["x-tapecheck-answer"] == "synthesised"
    assert missed.status_code == 404


@pytest.mark.parametrize("host", ["a_b.test", f"{'a' * 70}.test", "a..test", "xn--a.test"])
def test_a_host_that_can_have_no_certificate_is_refused(proxy: MockServer, host: str) -> None:
    got = talk(proxy.url, f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
    assert got.startswith(b"HTTP/1.1 400")
    assert b"no certificate can be made" in got


def test_a_redirect_leads_where_it_led(client: httpx.Client) -> None:
    got = client.post("https://api.test/v1/moved", follow_redirects=False)
    assert got.headers["location"] == "https://files.test/x"


def test_administration_is_for_those_who_know_the_server(
    proxy: MockServer, client: httpx.Client
) -> None:
    assert client.get("https://api.test/__tapecheck/journal").status_code == 404
    with httpx.Client(trust_env=False) as direct:
        assert direct.get(f"{proxy.url}/__tapecheck/cassettes").status_code == 200
        assert direct.post(f"{proxy.url}/c/made/v1/chat").text == "Hello"


def test_a_client_that_does_not_trust_it_is_named(proxy: MockServer, messages: list[str]) -> None:
    with (
        httpx.Client(proxy=proxy.url, trust_env=False) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.post("https://api.test/v1/chat")
    # The client's alert was sent before; this request comes after it.
    with httpx.Client(trust_env=False) as direct:
        while not messages:
            direct.get(f"{proxy.url}/__tapecheck/cassettes")
    assert "does not accept the proxy's certificate for api.test" in messages[0]


def test_a_client_that_ends_its_tls_at_once_leaves_no_warning(
    proxy: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    context = ssl.create_default_context(cafile=proxy.trusted)
    with connect(proxy.url) as sock:
        sock.sendall(b"CONNECT api.test:443 HTTP/1.1\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")
        with context.wrap_socket(sock, server_hostname="api.test") as secured:
            secured.sendall(b"POST /v1/chat HTTP/1.1\r\nhost: api.test\r\n\r\n")
            with contextlib.suppress(OSError):
                secured.unwrap()
    with httpx.Client(trust_env=False) as direct:
        direct.get(f"{proxy.url}/__tapecheck/cassettes")
    assert caplog.text == ""


def test_a_server_that_is_no_proxy_has_no_variables(tmp_path: Path) -> None:
    with MockServer(tmp_path) as server, pytest.raises(SessionError, match="no running proxy"):
        server.proxy_variables({})


def test_variables_lead_clients_to_the_proxy(tmp_path: Path) -> None:
    found = proxy_environment(
        "http://127.0.0.1:5",
        tmp_path / "trusted.pem",
        {"NO_PROXY": "db.internal,.openai.com"},
        ["api.openai.com"],
    )
    assert found["HTTPS_PROXY"] == found["https_proxy"] == found["HTTP_PROXY"]
    assert found["HTTPS_PROXY"] == "http://127.0.0.1:5"
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"):
        assert found[name] == str(tmp_path / "trusted.pem")
    # What would lead past the proxy is left out.
    assert found["NO_PROXY"] == "db.internal,127.0.0.1,localhost"


@pytest.mark.parametrize("entry", ["*", "localhost", "localhost:1", ".localhost"])
def test_a_local_provider_is_not_excluded_from_the_proxy(entry: str) -> None:
    assert no_proxy({"NO_PROXY": entry}, ["localhost"])["NO_PROXY"] == ""
