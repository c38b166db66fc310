from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from mockserver import MockServer
from mockserver.backend import Settings

HTML = {"accept": "text/html,*/*"}


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer(backend=Settings()) as running:
        yield running


@pytest.fixture
def client(server: MockServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/__tapecheck/", trust_env=False) as made:
        yield made


def ask(server: MockServer, text: str = "say hi", **headers: str) -> None:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
    url = f"{server.url}/v1/chat/completions"
    httpx.post(url, json=body, headers=headers, trust_env=False).raise_for_status()


def test_a_browser_gets_a_page_that_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("", headers=HTML)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for name, kind in (("watch.js", "text/javascript"), ("watch.css", "text/css")):
        assert name in page.text
        assert client.get(name).headers["content-type"].startswith(kind)
    assert "//" not in page.text.replace("<!doctype html>", "")


def test_requests_come_from_a_number_on(server: MockServer, client: httpx.Client) -> None:
    for _ in range(3):
        ask(server)
    found = client.get("watch", params={"from": 1}).json()
    assert [r["number"] for r in found["requests"]] == [1, 2]
    assert found["requests"][0]["answer"] == "synthesised"
    assert found["requests"][0]["ended"] >= found["requests"][0]["arrived"]


def test_an_answer_is_shown_event_by_event(server: MockServer, client: httpx.Client) -> None:
    ask(server)
    found = client.get("watch/0").json()
    assert found["events"][-1]["text"] == "data: [DONE]\n\n"
    assert sum(event["bytes"] for event in found["events"]) == found["sent"]
    assert all(event["sent"] for event in found["events"])


def test_no_credential_is_shown(server: MockServer, client: httpx.Client) -> None:
    secret = "sk-proj-Zz8AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd"
    ask(server, authorization=f"Bearer {secret}")
    assert secret not in client.get("watch").text + client.get("watch/0").text


def test_the_verdict_is_that_of_the_session(server: MockServer, client: httpx.Client) -> None:
    ask(server)
    found = client.get("watch", params={"verdict": ""}).json()
    assert found["failed"] is False
    assert "1 request" in found["verdict"]
    assert client.get("watch", params={"verdict": "no"}).status_code == 404


@pytest.mark.parametrize("path", ["watch?from=x", "watch/x", "watch?from=-1", "watch/²"])
def test_what_is_no_number_is_refused(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert "number" in answer.json()["error"]["message"]


def test_an_unknown_request_is_refused(client: httpx.Client) -> None:
    assert client.get("watch/7").status_code == 404
