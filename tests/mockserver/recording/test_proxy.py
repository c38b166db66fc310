from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver.cassettes.cassette import End, Origin
from mockserver.errors import ProviderError, RecordingError
from mockserver.library import library
from mockserver.recording.providers import DUMMY_KEY, Provider
from mockserver.recording.proxy import Upstream
from mockserver.recording.recorder import Recorder, TapeHandle
from tests.mockserver.live import KEY, Gate, Live, stream
from tests.mockserver.taping import CHAT, DONE, ENVIRONMENT, ask, event, hello, nothing_left


def test_the_client_sees_each_event_before_the_next_is_sent(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    seen = Gate()
    first, second = event("Hi "), event("🎉")

    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, first, seen, second[:-9], second[-9:], DONE)

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with client.stream("POST", tape.base_url + CHAT, json={}) as response:
            pieces = response.iter_raw()
            assert next(pieces) == first
            seen.open()
            assert b"".join(pieces) == second + DONE
        result = tape.finish()
        assert result.written
        assert result.live == result.interactions == 1
        (interaction,) = library.load(path).interactions
        wire = interaction.response.wire
        assert interaction.request.uri == f"{live.url}/v1/chat/completions"
    assert interaction.response.body == first + second + DONE
    assert wire.chunks is not None
    ends = [len(first), len(first + second) - 9, len(first + second), len(first + second + DONE)]
    lengths = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    assert [c.length for c in wire.chunks] == lengths
    assert (wire.end, wire.origin, wire.http) == (End.EOF, Origin.RECORDED, "HTTP/1.1")
    times = [wire.headers_ms, *(c.at_ms for c in wire.chunks), wire.end_ms]
    assert times == sorted(times, key=lambda t: t or 0)
    assert wire.recorded["via"] == "proxy"
    assert wire.recorded["by"].startswith("tapecheck/")


def test_the_real_key_is_sent_and_the_dummy_is_not(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        client.post(
            tape.base_url + "/x%20y/z?b=%C3%A4&a=1",
            content=b"{}",
            headers={
                "authorization": f"Bearer {DUMMY_KEY}",
                "x-api-key": "another-of-the-client",
                "cookie": "a=b",
                "connection": "keep-alive, x-hop",
                "te": "trailers",
                "expect": "100-continue",
                "accept-encoding": "gzip, br",
                "openai-beta": "assistants=v2",
            },
        )
        tape.finish()
        ((method, target, headers, body),) = live.requests
    assert (method, target, body) == ("POST", "/v1/x%20y/z?b=%C3%A4&a=1", b"{}")
    names = {n.lower(): v for n, v in headers.items()}
    assert names.pop("host") == live.url.removeprefix("http://")
    assert names.pop("authorization") == f"Bearer {KEY}"
    assert names.pop("accept-encoding") == "identity"
    assert names.pop("openai-beta") == "assistants=v2"
    assert not names.keys() & {"x-api-key", "cookie", "te", "connection", "expect"}
    assert KEY not in path.read_text()


def test_a_provider_without_a_key_gets_what_the_client_sends(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider(key=False)]) as tape:
        ask(client, tape)
        client.post(tape.base_url + CHAT, headers={"authorization": "Bearer the-clients-own-key"})
        tape.finish()
        sent = [r[2].get("Authorization") for r in live.requests]
    assert sent == [None, "Bearer the-clients-own-key"]
    assert "the-clients-own-key" not in path.read_text()


def test_the_dummy_key_is_not_sent_in_a_url(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        client.post(f"{tape.base_url}{CHAT}?alt=sse&key={DUMMY_KEY}")
        ((_, target, _, _),) = live.requests
    assert target == f"/v1{CHAT}?alt=sse&key="


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
def test_errors_are_relayed_and_recorded_as_they_were(
    recorder: Recorder, client: httpx.Client, path: Path, status: int
) -> None:
    body = f'{{"error":{{"message":"no {KEY}","type":"x"}}}}'.encode()

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {"retry-after": "20", "x-request-id": "req_abc", "x-other": "y"}
        headers["keep-alive"] = "timeout=5"
        return web.Response(
            status=status,
            reason="Because",
            body=body,
            headers=headers,
            content_type="application/json",
        )

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        got = ask(client, tape)
        tape.finish()
    assert (got.status_code, got.reason_phrase, got.content) == (status, "Because", body)
    assert got.headers["retry-after"] == "20"
    assert got.headers["x-other"] == "y"
    # It is about the connection to the live endpoint.
    assert "keep-alive" not in got.headers
    recorded = library.load(path).interactions[0].response
    assert (recorded.status, recorded.reason) == (status, "Because")
    assert recorded.body == body.replace(KEY.encode(), b"key_REDACTED_1")
    assert ("retry-after", "20") in recorded.headers
    assert ("x-request-id", "req_REDACTED_1") in recorded.headers
    # A body with a length has no chunks of its own.
    assert recorded.wire.chunks is None


Break = Callable[[web.Request], None]


def cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.close()


def reset(request: web.Request) -> None:
    assert request.transport is not None
    sock = request.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    request.transport.abort()


@pytest.mark.parametrize(
    ("breaks", "end", "error"),
    [(cut, End.TRUNCATED, httpx.RemoteProtocolError), (reset, End.RESET, httpx.ReadError)],
)
def test_an_upstream_that_dies_is_recorded_as_it_was(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    breaks: Break,
    end: End,
    error: type[Exception],
) -> None:
    seen = Gate()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(event("Hi"))
        await seen.passed()
        breaks(request)
        return response

    def once(tape: TapeHandle) -> bytes:
        with client.stream("POST", tape.base_url + CHAT) as response:
            assert response.status_code == 200
            pieces = response.iter_raw()
            got = next(pieces)
            seen.open()
            with pytest.raises(error):
                next(pieces)
        return got

    with Live(answer) as live:
        with recorder.tape(path, [live.provider()]) as tape:
            assert once(tape) == event("Hi")
            with pytest.raises(RecordingError, match=f"ended with {end}"):
                tape.finish()
        assert nothing_left(path)
        with recorder.tape(path, [live.provider()], ends=[end]) as tape:
            once(tape)
            tape.finish()
    wire = library.load(path).interactions[0].response.wire
    assert wire.end is end


def test_no_answer_at_all_is_no_recording(
    client: httpx.Client, path: Path, unreachable: Provider
) -> None:
    unreachable = replace(
        unreachable.at(f"{unreachable.origin}/{KEY}"), key_variables=("LIVE_KEY",)
    )
    routes: list[str] = []
    with (
        Recorder(environment=ENVIRONMENT, watch=lambda c: routes.append(c.route)) as recorder,
        recorder.tape(path, [unreachable]) as tape,
    ):
        # A reset, because a regular end would be a kind of answer.
        with pytest.raises(httpx.ReadError):
            client.post(f"{tape.base_url}/x")
        with pytest.raises(RecordingError, match=r"no answer from provider .* at http:") as caught:
            tape.finish()
    assert KEY not in str(caught.value)
    assert routes == ["POST /REDACTED/x"] * 2
    assert nothing_left(path)


def test_a_key_that_is_invalid_in_a_header_is_not_named(client: httpx.Client, path: Path) -> None:
    failures: list[str | None] = []
    # Nothing is sent on the connection, so nobody has to accept it.
    with socket.create_server(("127.0.0.1", 0)) as server:
        base_url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        provider = Provider(name="raw", base_url=base_url, key_variables=("LIVE_KEY",))
        recorder = Recorder(
            environment={"LIVE_KEY": f"{KEY}\n"}, watch=lambda c: failures.append(c.failure)
        )
        with recorder, recorder.tape(path, [provider]) as tape:
            with pytest.raises(httpx.ReadError):
                ask(client, tape)
            with pytest.raises(RecordingError, match="Illegal header value") as caught:
                tape.finish()
    assert KEY not in str(caught.value)
    assert failures[0] is None
    assert "Illegal header value" in str(failures[1])
    assert KEY not in str(failures[1])


def test_an_upstream_that_stalls_is_reset_and_recorded_as_a_timeout(
    client: httpx.Client, path: Path
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, event("Hi"), never)

    never = Gate()
    with (
        Live(answer) as live,
        Recorder(environment=ENVIRONMENT, timeout=0.2) as recorder,
        recorder.tape(path, [live.provider()], ends=[End.TIMEOUT]) as tape,
    ):
        with client.stream("POST", tape.base_url + CHAT) as response:
            pieces = response.iter_raw()
            assert next(pieces) == event("Hi")
            with pytest.raises(httpx.ReadError):
                next(pieces)
        never.open()
        tape.finish()
    response = library.load(path).interactions[0].response
    assert (response.wire.end, response.body) == (End.TIMEOUT, event("Hi"))


@pytest.mark.parametrize(
    ("base_url", "verify", "trust_env"),
    [
        ("https://api.example.com/v1", True, True),
        ("https://localhost/v1", True, False),
        ("http://127.0.0.1:8080/v1", False, False),
    ],
)
def test_certificates_are_verified_and_proxies_used_for_remote_hosts(
    monkeypatch: pytest.MonkeyPatch, base_url: str, verify: bool, trust_env: bool
) -> None:
    made: dict[str, object] = {}

    class Client(httpx.AsyncClient):
        def __init__(self, **options: object) -> None:
            made.update(options)
            super().__init__(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(httpx, "AsyncClient", Client)
    Upstream(Provider(name="x", base_url=base_url), None, {}, timeout=10)
    assert made["trust_env"] is trust_env
    checked = made["verify"]
    if verify:
        assert isinstance(checked, ssl.SSLContext)
        assert (checked.verify_mode, checked.check_hostname) == (ssl.CERT_REQUIRED, True)
    else:
        assert checked is False
    assert made["follow_redirects"] is False


def test_an_upstream_that_disconnects_without_an_answer_is_no_recording(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        cut(request)
        return web.Response()

    with Live(answer) as live, recorder.tape(path, [live.provider()]) as tape:
        with pytest.raises(httpx.TransportError):
            ask(client, tape)
        with pytest.raises(RecordingError, match="no answer"):
            tape.finish()
    assert nothing_left(path)


@pytest.mark.parametrize(
    ("method", "answer", "body", "http", "chunked"),
    [
        ("GET", b"HTTP/1.0 200 OK\r\n\r\ndata: a\n\n", b"data: a\n\n", "HTTP/1.0", True),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b"", "HTTP/1.1", True),
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"", "HTTP/1.1", False),
        ("GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"", "HTTP/1.1", False),
        (
            "GET",
            b"HTTP/1.1 307 Elsewhere\r\nlocation: https://x/y?key=abc\r\ncontent-length: 0\r\n\r\n",
            b"",
            "HTTP/1.1",
            False,
        ),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
            b"abcd",
            "HTTP/1.1",
            True,
        ),
    ],
)
def test_every_form_of_message_is_relayed_and_recorded(
    recorder: Recorder,
    client: httpx.Client,
    path: Path,
    method: str,
    answer: bytes,
    body: bytes,
    http: str,
    chunked: bool,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while b"\r\n\r\n" not in connection.recv(65536):
                    pass
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        raw = Provider(name="raw", base_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        with recorder.tape(path, [raw]) as tape:
            got = client.request(method, f"{tape.base_url}/x", follow_redirects=False)
            tape.finish()
        thread.join()
    assert got.content == body
    assert got.status_code == int(answer[9:12])
    response = library.load(path).interactions[0].response
    assert (response.status, response.body) == (got.status_code, body)
    assert (response.wire.end, response.wire.http) == (End.EOF, http)
    assert (response.wire.chunks is not None) is chunked
    if "location" in got.headers:
        assert got.headers["location"].endswith("/x/y?key=abc")
        assert response.headers == (("location", "https://x/y?key=REDACTED"),)


def test_a_file_of_certificates_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("missing.pem", "empty.pem"):
        environment = {"SSL_CERT_FILE": str(tmp_path / name)}
        with pytest.raises(ProviderError, match=rf"SSL_CERT_FILE .*{name}"):
            Upstream(Provider(name="x", base_url="https://a.test"), None, environment, timeout=10)
