"""Names and web pages that are let in, by the one rule for server and recorder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mockserver import MockServer
from mockserver.cassettes.cassette import Interaction
from mockserver.errors import RecordingError
from mockserver.library.refusal import RefusalError
from mockserver.recording.recorder import Recorder
from mockserver.serving.visitors import Visitors, is_local
from tests.mockserver.live import Live
from tests.mockserver.rawhttp import CHAT, interaction
from tests.mockserver.serving.conftest import put
from tests.mockserver.taping import hello, nothing_left

PAGE = "http://localhost:5173"


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    put(tmp_path / "x.yaml", interaction(b"{}"))
    with MockServer(tmp_path) as server:
        yield server.url


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1.2.3:80", "localhost:1", "LOCALHOST", "[::1]:80", "app.localhost"],
)
def test_names_of_this_machine(base: str, host: str) -> None:
    got = httpx.get(f"{base}/__tapecheck/health", headers={"host": host}, trust_env=False)
    assert got.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "[::", "169.254.1.1"]
)
@pytest.mark.parametrize("path", ["/__tapecheck/journal", f"/c/x{CHAT}", CHAT])
def test_other_names_are_refused(base: str, host: str, path: str) -> None:
    got = httpx.get(base + path, headers={"host": host}, trust_env=False)
    assert got.status_code == 403
    assert got.json()["error"]["type"] == "tapecheck_unknown_host"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_pages_of_other_sites_are_refused(base: str, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/__tapecheck/reset"), ("POST", f"/c/x{CHAT}"), ("OPTIONS", "/")):
        got = httpx.request(method, base + path, headers=headers, trust_env=False)
        assert got.status_code == 403
        assert "access-control-allow-origin" not in got.headers
    assert httpx.get(f"{base}/__tapecheck/health", trust_env=False).json()["requests"] == 0


@pytest.mark.parametrize(
    "origin", [PAGE, "http://127.0.0.1:1", "https://[::1]:3000", "http://app.localhost"]
)
def test_pages_of_this_machine_are_let_in_and_may_read(base: str, origin: str) -> None:
    ask = {
        "origin": origin,
        "sec-fetch-site": "cross-site",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    before = httpx.options(f"{base}/c/x{CHAT}", headers=ask, trust_env=False)
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == origin
    assert before.headers["access-control-allow-methods"] == "POST"
    assert before.headers["access-control-allow-headers"] == "authorization,content-type"
    for path, status in ((f"/c/x{CHAT}", 200), ("/c/none/x", 404), ("/__tapecheck/reset", 200)):
        got = httpx.post(base + path, headers={"origin": origin}, trust_env=False)
        assert got.status_code == status
        assert got.headers.get_list("access-control-allow-origin") == [origin]
        assert got.headers["access-control-expose-headers"]
        assert got.headers["vary"] == "Origin"


def test_a_client_that_is_no_page_gets_what_is_recorded(base: str) -> None:
    # Node's fetch sends this one and no other.
    got = httpx.post(f"{base}/c/x{CHAT}", headers={"sec-fetch-mode": "cors"}, trust_env=False)
    assert got.status_code == 200
    assert "vary" not in got.headers


def test_cors_can_be_turned_off(tmp_path: Path) -> None:
    with MockServer(tmp_path, cors=False) as server:
        got = httpx.get(f"{server.url}/__tapecheck/health", headers={"origin": PAGE})
    assert got.status_code == 200
    assert "access-control-allow-origin" not in got.headers


def test_recorded_headers_for_pages_give_way(tmp_path: Path) -> None:
    made = interaction(b"{}")
    theirs = ("Access-Control-Allow-Origin", "https://recorded.example")
    put(tmp_path / "x.yaml", Interaction(made.request, replace(made.response, headers=(theirs,))))
    with MockServer(tmp_path) as server:
        url = f"{server.url}/c/x{CHAT}"
        got = httpx.post(url, headers={"origin": PAGE}, trust_env=False)
        assert got.headers.get_list("access-control-allow-origin") == [PAGE]
        plain = httpx.post(url, trust_env=False)
        assert plain.headers["access-control-allow-origin"] == "https://recorded.example"


def test_a_server_for_other_machines_answers_to_any_name_unless_some_are_given() -> None:
    anywhere = Visitors.of("0.0.0.0")
    assert anywhere.origin({"Host": "mock:8080"}) is None
    narrowed = Visitors.of("0.0.0.0", ["Mock"])
    assert narrowed.origin({"Host": "mock:8080"}) is None
    assert narrowed.origin({"Host": "localhost"}) is None
    with pytest.raises(RefusalError, match="--allow-host other"):
        narrowed.origin({"Host": "other"})
    with pytest.raises(RefusalError, match=r"--allow-origin https://evil\.example"):
        anywhere.origin({"Origin": "https://evil.example"})
    named = Visitors.of("127.0.0.1", origins=["https://App.example/"])
    assert named.origin({"Origin": "https://app.example"}) == "https://app.example"
    assert named.origin({}) is None


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost.", True), ("0.0.0.0", False), ("", False)],
)
def test_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": PAGE},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"host": "evil.example"},
    ],
)
def test_a_recorder_lets_no_page_in_that_is_not_named(
    recorder: Recorder, client: httpx.Client, path: Path, headers: dict[str, str]
) -> None:
    with Live(hello) as live, recorder.tape(path, [live.provider()]) as tape:
        for url in (f"{tape.base_url}/x", f"{recorder.url}/__tapecheck/journal"):
            assert client.post(url, headers=headers).status_code == 403
        with pytest.raises(RecordingError, match="is refused"):
            tape.finish()
        assert live.requests == []
    assert nothing_left(path)


def test_a_named_page_records(client: httpx.Client, path: Path) -> None:
    with (
        Live(hello) as live,
        Recorder(environment={"LIVE_KEY": "k" * 20}, allow_origins=[PAGE]) as recorder,
        recorder.tape(path, [live.provider()]) as tape,
    ):
        got = client.post(f"{tape.base_url}/x", json={}, headers={"origin": PAGE})
        assert got.headers["access-control-allow-origin"] == PAGE
        assert tape.finish().written
        assert "access-control" not in path.read_text()
