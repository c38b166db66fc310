"""The recorder as a forward proxy, for clients whose base URL cannot be set."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver.cassettes.cassette import End
from mockserver.errors import RecordingError
from mockserver.library import library
from mockserver.recording.modes import Mode
from mockserver.recording.providers import DUMMY_KEY, PROVIDERS, Provider
from mockserver.recording.recorder import Recorder
from mockserver.serving.verify import verify_cassette
from tests.mockserver.live import KEY, Gate, Live, stream
from tests.mockserver.talking import talk
from tests.mockserver.taping import CHAT, DONE, ENVIRONMENT, event, hello, nothing_left
from tests.mockserver.tls import ca_file, server_context


def ask(client: httpx.Client, base: str, text: str = "hi") -> httpx.Response:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
    return client.post(
        f"{base}/v1{CHAT}", json=body, headers={"authorization": f"Bearer {DUMMY_KEY}"}
    )


@pytest.mark.parametrize("tls", [True, False])
def test_a_client_that_knows_only_the_providers_address_is_recorded(
    proxy: Recorder, through: httpx.Client, path: Path, tls: bool
) -> None:
    with (
        Live(hello, server_context() if tls else None) as live,
        proxy.tape(path, [live.provider()]) as tape,
    ):
        answers = [ask(through, live.url) for _ in range(2)]
        assert {a.content for a in answers} == {event("Hi ") + event("you") + DONE}
        result = tape.finish()
        assert (result.written, result.live) == (True, 2)
        sent = live.requests[0][2]
        assert sent["Authorization"] == f"Bearer {KEY}"
        assert sent["Host"] == live.url.partition("://")[2]
        assert not [name for name in sent if name.lower().startswith("proxy")]
        recorded = library.load(path)
        assert [i.request.uri for i in recorded.interactions] == [f"{live.url}/v1{CHAT}"] * 2
        assert recorded.interactions[0].response.wire.chunks is not None
        assert verify_cassette(recorded) == []
        assert KEY not in path.read_text()
        before = len(live.requests)
        with proxy.tape(path, [live.provider()], mode=Mode.NONE) as tape:
            assert ask(through, live.url).content == answers[0].content
            assert ask(through, live.url, "other").status_code == 404
        assert len(live.requests) == before


def test_a_recording_of_blocked_hosts_alone_names_them(
    proxy: Recorder, through: httpx.Client, path: Path
) -> None:
    with Live(hello, server_context()) as live, proxy.tape(path, [live.provider()]) as tape:
        for number in range(4):
            with pytest.raises(httpx.ProxyError):
                through.get(f"https://other{number}.test/")
        through.get("http://plain.test/")
        with pytest.raises(RecordingError) as caught:
            tape.finish()
    (reason,) = caught.value.reasons
    assert "blocked: other0.test, other1.test, other2.test and 2 more; to record" in reason
    assert "no request came in" not in reason


def test_the_client_sees_each_event_before_the_next_is_sent(
    proxy: Recorder, through: httpx.Client, path: Path
) -> None:
    seen = Gate()

    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, event("Hi"), seen, DONE)

    with Live(answer, server_context()) as live, proxy.tape(path, [live.provider()]) as tape:
        with through.stream("POST", f"{live.url}/v1{CHAT}", json={}) as response:
            pieces = response.iter_raw()
            assert next(pieces) == event("Hi")
            seen.open()
            assert b"".join(pieces) == DONE
        assert tape.finish().written


@pytest.mark.parametrize("tls", [True, False])
def test_a_reset_reaches_the_client_behind_its_tunnel(
    proxy: Recorder, through: httpx.Client, path: Path, tls: bool
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = await stream_head(request)
        await response.write(event("Hi"))
        assert request.transport is not None
        request.transport.abort()
        return response

    with (
        Live(answer, server_context() if tls else None) as live,
        proxy.tape(path, [live.provider()], ends=[End.TRUNCATED, End.RESET]) as tape,
    ):
        with (
            through.stream("POST", f"{live.url}/v1{CHAT}", json={}) as response,
            pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)),
        ):
            for _ in response.iter_raw():
                pass
        assert tape.finish().written
    (interaction,) = library.load(path).interactions
    assert interaction.response.body == event("Hi")
    assert interaction.response.wire.end in (End.TRUNCATED, End.RESET)


async def stream_head(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    return response


def test_other_hosts_are_blocked_and_the_message_says_how_to_let_them_pass(
    proxy: Recorder, through: httpx.Client, path: Path, messages: list[str]
) -> None:
    with Live(hello, server_context()) as live, proxy.tape(path, [live.provider()]) as tape:
        ask(through, live.url)
        with pytest.raises(httpx.ProxyError, match=r"403 .*other\.test is blocked.*--allow-host"):
            through.get("https://other.test/x")
        plain = through.get("http://other.test/x")
        assert plain.status_code == 403
        assert "--allow-host other.test" in plain.json()["error"]["message"]
        # A host of the provider at another port, or without TLS, is another one.
        with pytest.raises(httpx.ProxyError, match="403"):
            through.get("https://localhost:1/x")
        assert through.get(live.url.replace("https", "http")).status_code == 403
        assert tape.finish().written
        assert len(live.requests) == 1
    assert [line for line in messages if line.startswith("other.test is blocked")]


def test_allowed_hosts_pass_untouched_and_are_not_recorded(
    proxy: Recorder, through: httpx.Client, path: Path, tmp_path: Path
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=await request.read() or b"login", headers={"x-own": "1"})

    with Live(hello) as live, Live(answer) as other, proxy.tape(path, [live.provider()]) as tape:
        # The provider is at 127.0.0.1 as well, at another port.
        secret = {"authorization": "Bearer of-another-service", "connection": "keep-alive"}
        big = os.urandom(900_000)
        for _ in range(2):
            got = through.post(f"{other.url}/token?a=b", content=big, headers=secret)
            assert (got.content, got.headers["x-own"]) == (big, "1")
        ask(through, live.url)
        result = tape.finish()
    assert result.interactions == 1
    assert [r[1] for r in other.requests] == ["/token?a=b"] * 2
    assert other.requests[0][2]["Authorization"] == "Bearer of-another-service"
    assert other.requests[0][2]["Host"] == other.url.removeprefix("http://")
    assert "of-another-service" not in path.read_text()


def test_tls_of_an_allowed_host_is_not_opened(
    tmp_path: Path, path: Path, messages: list[str]
) -> None:
    """The client checks the certificate of the host itself."""
    company = ca_file(tmp_path)
    environment = {**ENVIRONMENT, "SSL_CERT_FILE": str(company)}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="login")

    with (
        Recorder(environment=environment, proxy=True, allow_hosts=["LOCALHOST."]) as proxy,
        Live(hello, server_context("127.0.0.1")) as live,
        Live(answer, server_context()) as other,
        proxy.tape(path, [Provider(name="p", base_url=live.url.replace("localhost", "127.0.0.1"))]),
    ):
        context = ssl.create_default_context(cafile=company)
        with httpx.Client(proxy=proxy.url, verify=context, trust_env=False) as client:
            assert client.get(other.url).text == "login"
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                client.get(f"{live.url.replace('localhost', '127.0.0.1')}/v1/models")


def test_a_client_that_does_not_trust_the_proxy_fails_the_recording(
    proxy: Recorder, path: Path
) -> None:
    with Live(hello, server_context()) as live, proxy.tape(path, [live.provider()]) as tape:
        with (
            httpx.Client(proxy=proxy.url, trust_env=False) as client,
            pytest.raises(httpx.ConnectError),
        ):
            ask(client, live.url)
        with pytest.raises(RecordingError, match=r"does not accept .* SSL_CERT_FILE"):
            tape.finish()
    assert nothing_left(path)


def test_a_client_that_leaves_without_a_word_fails_the_recording_with_advice(
    proxy: Recorder, path: Path
) -> None:
    """As Node.js does, which checks certificates after the handshake."""
    with Live(hello, server_context()) as live, proxy.tape(path, [live.provider()]) as tape:
        context = ssl.create_default_context(cafile=proxy.trusted)
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(f"CONNECT {live.url.removeprefix('https://')} HTTP/1.1\r\n\r\n".encode())
            assert sock.recv(1000)
            with context.wrap_socket(sock, server_hostname="localhost"):
                pass
        with pytest.raises(RecordingError, match=r"must use the proxy .* SSL_CERT_FILE"):
            tape.finish()
    assert nothing_left(path)


def test_a_redirect_stays_as_it_is(proxy: Recorder, through: httpx.Client, path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/v1/old":
            return web.Response(status=307, headers={"location": f"{live.url}/v1/new"})
        return web.Response(text="arrived")

    with Live(answer, server_context()) as live:
        for mode in (Mode.REWRITE, Mode.NONE):
            with proxy.tape(path, [live.provider()], mode=mode) as tape:
                got = through.get(f"{live.url}/v1/old", follow_redirects=True)
                assert (got.text, str(got.url)) == ("arrived", f"{live.url}/v1/new")
                assert tape.finish().problems == ()


def test_a_base_url_works_beside_the_proxy(
    proxy: Recorder, client: httpx.Client, through: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, proxy.tape(path, [live.provider()]) as tape:
        assert client.post(tape.base_url + CHAT, json={}).status_code == 200
        # It is not the proxy's business if a client sends even local requests to it.
        assert through.post(tape.base_url + CHAT, json={}).status_code == 200
        assert tape.finish().interactions == 2


def test_a_whole_https_address_without_a_tunnel_is_recorded_as_well(
    proxy: Recorder, path: Path
) -> None:
    """As some versions of axios send it."""
    with Live(hello, server_context()) as live, proxy.tape(path, [live.provider()]) as tape:
        url = f"{live.url}/v1{CHAT}"
        head = f"POST {url}?a=b HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}"
        got = talk(proxy, head.encode())
        assert got.startswith(b"HTTP/1.1 200")
        assert b"[DONE]" in got
        assert tape.finish().written
    (interaction,) = library.load(path).interactions
    assert interaction.request.uri == f"{url}?a=b"


def test_two_cassettes_of_one_host_are_not_mixed_up(
    proxy: Recorder, through: httpx.Client, path: Path
) -> None:
    with (
        Live(hello, server_context()) as live,
        proxy.tape(path, [live.provider()]) as first,
        proxy.tape(path.with_name("other.yaml"), [live.provider()]) as second,
    ):
        got = ask(through, live.url)
        assert got.status_code == 409
        assert "several cassettes are recorded" in got.json()["error"]["message"]
        for tape in (first, second):
            with pytest.raises(RecordingError, match="several cassettes"):
                tape.finish()
    assert nothing_left(path)


def test_trailers_behind_tls_are_noticed(
    proxy: Recorder, through: httpx.Client, path: Path
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        request.transport.write(head + b"2\r\n{}\r\n0\r\nx-sum: 1\r\n\r\n")
        request.transport.close()
        return web.Response()

    with Live(answer, server_context()) as live, proxy.tape(path, [live.provider()]) as tape:
        assert ask(through, live.url).text == "{}"
        with pytest.raises(RecordingError, match=r"sends trailers \(x-sum\)"):
            tape.finish()
    assert nothing_left(path)


def test_a_page_cannot_use_the_proxy(proxy: Recorder, through: httpx.Client, path: Path) -> None:
    with Live(hello, server_context()) as live, proxy.tape(path, [live.provider()]):
        got = through.post(f"{live.url}/v1{CHAT}", headers={"origin": "https://evil.test"})
        assert got.status_code == 403
        assert live.requests == []


def test_the_certificates_of_clients_stay_trusted(proxy: Recorder, tmp_path: Path) -> None:
    file = proxy.trusted
    assert file is not None
    assert file.parent.stat().st_mode & 0o077 == 0
    assert "PRIVATE KEY" not in file.read_text()
    assert [f.name for f in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("origin", "fits"),
    [
        ("https://bedrock-runtime.us-east-1.amazonaws.com", True),
        ("https://bedrock-runtime.eu-west-3.amazonaws.com", True),
        ("https://bedrock-runtime.eu-west-3.amazonaws.com:8443", False),
        ("http://bedrock-runtime.us-east-1.amazonaws.com", False),
        ("https://bedrock-runtime.x.evil.test/.amazonaws.com", False),
        ("https://bedrock-runtime.evil.y.amazonaws.com", False),
        ("https://bedrock-runtime.us-east-1.amazonaws.com.evil.test", False),
    ],
)
def test_a_key_goes_to_hosts_of_its_provider_only(origin: str, fits: bool) -> None:
    assert PROVIDERS["bedrock"].is_at(origin) is fits
