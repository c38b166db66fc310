"""Scripted sessions over HTTP, as tests in other languages use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver import MockServer
from mockserver.backend import Settings
from mockserver.serving.admin import ROUTES
from tests.mockserver.rawhttp import CHAT
from tests.mockserver.serving.conftest import error_of

ADMIN = "/__tapecheck"
HI = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
KEY = {"authorization": "Bearer sk-secret-of-a-user-1234567890"}


@pytest.fixture(scope="module")
def running() -> Iterator[MockServer]:
    with MockServer(backend=Settings()) as server:
        yield server


@pytest.fixture
def client(running: MockServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, trust_env=False) as opened:
        yield opened


def opened(client: httpx.Client, **wanted: Any) -> dict[str, Any]:
    response = client.post(f"{ADMIN}/sessions", json=wanted)
    assert response.status_code == 201, response.text
    session: dict[str, Any] = response.json()
    return session


def opened_at(client: httpx.Client, url: str) -> dict[str, Any]:
    session: dict[str, Any] = client.post(
        f"{url}{ADMIN}/sessions", json={"answers": [{"fail": "429, retry 9s", "times": 2}]}
    ).json()
    return session


def said(response: httpx.Response) -> Any:
    return response.json()["choices"][0]["message"]["content"]


def test_a_session_has_an_address_and_the_variables_of_all_clients(client: httpx.Client) -> None:
    session = opened(client, answers=[{"say": "Servus"}], key="sk-test")
    env = session["env"]
    assert env["OPENAI_BASE_URL"] == f"{session['url']}/v1"
    assert env["ANTHROPIC_BASE_URL"] == env["OLLAMA_HOST"] == session["url"]
    assert env["OPENAI_API_KEY"] == env["ANTHROPIC_API_KEY"] == "sk-test"
    url = f"{env['OPENAI_BASE_URL']}/chat/completions"
    assert client.post(url, json=HI).status_code == 401
    answer = client.post(url, json=HI, headers={"authorization": "Bearer sk-test"})
    assert said(answer) == "Servus"
    assert answer.headers["x-tapecheck-answer"] == "rule answers[0]"


def test_answers_are_added_and_numbered_on(client: httpx.Client) -> None:
    session = opened(client, answers=[{"say": "one"}])
    path = f"{ADMIN}/sessions/{session['id']}/answers"
    assert client.post(path, json={"answers": [{"say": "two"}]}).json() == {"answers": 2}
    assert client.post(path, json={"say": "three", "on": "bye"}).json() == {"answers": 3}
    wrong = client.post(path, json={"answers": [{"say": "x"}, {"sai": "y"}]})
    assert wrong.status_code == 400
    assert error_of(wrong)["type"] == "tapecheck_bad_script"
    assert "answers[4].sai: unknown key 'sai'" in error_of(wrong)["message"]
    answers = [said(client.post(session["url"] + CHAT, json=HI)) for _ in range(3)]
    assert answers == ["one", "two", "two"]


def test_a_script_file_may_be_posted_as_it_is(client: httpx.Client) -> None:
    text = "answers:\n- on: hi\n  say: Hello\n"
    response = client.post(f"{ADMIN}/sessions", content=text)
    assert said(client.post(response.json()["url"] + CHAT, json=HI)) == "Hello"
    wrong = client.post(f"{ADMIN}/sessions", content="answers:\n- on: hi\n  sai: Hello\n")
    assert "line 3: unknown key 'sai' in an answer (did you mean say?)" in wrong.text


def test_requests_are_told_with_what_they_ask_and_no_keys(client: httpx.Client) -> None:
    session = opened(client, answers=[{"fail": 429}, {"say": "x"}])
    for _ in range(2):
        client.post(session["url"] + CHAT, json=HI, headers=KEY)
    response = client.get(f"{ADMIN}/sessions/{session['id']}/asked")
    first, second = response.json()
    assert (first["number"], first["text"], first["model"]) == (0, "hi", "m")
    assert (first["status"], first["waited"]) == (429, None)
    assert second["waited"] >= 0
    assert "sk-secret" not in response.text


def test_the_verdict_is_a_status(client: httpx.Client) -> None:
    session = opened(client, answers=[{"fail": "429, retry 60s"}, {"say": "x"}])
    path = f"{ADMIN}/sessions/{session['id']}"
    assert client.get(f"{path}/verdict").status_code == 200
    assert client.post(f"{path}/calls").json() == {"call": 1}
    assert client.post(f"{path}/calls").status_code == 409
    for _ in range(2):
        client.post(session["url"] + CHAT, json=HI)
    assert client.delete(f"{path}/calls").json() == {"ended": 1}
    red = client.get(f"{path}/verdict")
    assert (red.status_code, red.json()["failed"]) == (422, True)
    text = client.get(f"{path}/verdict?format=text")
    assert text.status_code == 422
    assert text.text.startswith("tapecheck verdict: 1 failure")
    assert client.get(f"{path}/verdict?format=xml").status_code == 400
    excuse = {"excuses": {"retry-after": "no time"}}
    assert client.post(f"{path}/statements", json=excuse).status_code == 200
    assert client.get(f"{path}/verdict").status_code == 200
    closed = client.delete(path).json()
    assert (closed["closed"], closed["verdict"]["failed"]) == (session["id"], False)
    assert client.get(f"{path}/verdict").status_code == 404


def test_what_the_test_says_is_judged(client: httpx.Client) -> None:
    words = "The first words of a long text, and the last ones."
    session = opened(client, answers=[{"say": words, "cut": 6}])
    path = f"{ADMIN}/sessions/{session['id']}"
    client.post(session["url"] + CHAT, json={**HI, "stream": True})
    stated = client.post(f"{path}/statements", json={"answer": "The first words of a long text,"})
    assert stated.json() == {"stated": ["answer"]}
    assert "truncated-stream" in client.get(f"{path}/verdict?format=text").text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"anser": "x"}, "only these keys: answer, cancelled, timeout, excuses"),
        ({"answer": 1}, "'answer' must be a text"),
        ({"cancelled": 1}, "'cancelled' true or false"),
        ({"timeout": "2s"}, "'timeout' must be a number"),
        ({"excuses": ["retry-after"]}, "'excuses' must name checks"),
        ({"excuses": {"retry": "x"}}, "unknown check 'retry'"),
        ({"excuses": {"retry-after": ""}}, "needs a reason"),
    ],
)
def test_a_statement_that_cannot_be_meant_is_refused(
    client: httpx.Client, body: Any, expected: str
) -> None:
    session = opened(client)
    response = client.post(f"{ADMIN}/sessions/{session['id']}/statements", json=body)
    assert response.status_code == 400
    assert expected in error_of(response)["message"]


def test_a_session_is_reset(client: httpx.Client) -> None:
    session = opened(client, answers=[{"say": "x"}])
    client.post(session["url"] + CHAT, json=HI)
    client.post(f"{ADMIN}/sessions/{session['id']}/reset")
    assert client.get(f"{ADMIN}/sessions/{session['id']}/asked").json() == []
    response = client.post(session["url"] + CHAT, json=HI)
    assert response.headers["x-tapecheck-answer"] == "synthesised"


def test_the_verdict_on_all_requests_judges_each_session_apart() -> None:
    with MockServer(backend=Settings()) as server, httpx.Client(trust_env=False) as client:
        for number in range(2):
            session = opened_at(client, server.url)
            path = f"{server.url}{ADMIN}/sessions/{session['id']}"
            client.post(f"{path}/calls")
            # One call that is tried twice in each session: no layer upon another.
            for tried in ("0", "1"):
                headers = {"x-stainless-retry-count": tried}
                client.post(session["url"] + CHAT, json=HI, headers=headers)
            client.delete(f"{path}/calls")
            client.post(f"{path}/statements", json={"excuses": {"retry-after": "no time"}})
            if number:
                client.delete(path)
        response = client.get(f"{server.url}{ADMIN}/verdict")
    assert response.status_code == 200, response.text
    verdict = response.json()
    assert verdict["counts"]["request"] == 4
    assert [f["check"] for f in verdict["findings"]] == ["retry-after", "retry-after"]
    assert {f["excuse"] for f in verdict["findings"]} == {"no time"}


def test_answers_without_a_session() -> None:
    with MockServer(backend=Settings()) as server, httpx.Client(base_url=server.url) as client:
        client.post(f"{ADMIN}/answers", json={"say": "Servus"})
        assert said(client.post(CHAT, json=HI)) == "Servus"
        assert client.get(f"{ADMIN}/verdict").status_code == 200
    with MockServer() as server:
        response = httpx.post(f"{server.url}{ADMIN}/answers", json={"say": "x"})
        assert response.status_code == 400
        assert "recordings only" in error_of(response)["message"]


def test_a_cassette_comes_before_the_answers(library: Path) -> None:
    with MockServer(library) as server, httpx.Client(base_url=server.url) as client:
        session = opened(client, cassette="z/same", answers=[{"play": "chat/two"}])
        answers = [client.post(session["url"] + CHAT, json=HI).json()["n"] for _ in range(3)]
        assert answers == [6, 1, 2]


def test_only_cassettes_of_the_server_are_played(library: Path) -> None:
    with MockServer(library) as server:
        url = f"{server.url}{ADMIN}/sessions"
        for name in ("../library/z/same", str(library / "z/same.yaml"), "/etc/hostname"):
            response = httpx.post(url, json={"answers": [{"play": name}]})
            assert response.status_code == 400
            assert "no cassette" in error_of(response)["message"]


def test_programs_get_the_list_of_routes(client: httpx.Client) -> None:
    assert client.get(f"{ADMIN}/").json() == {"routes": dict(ROUTES)}
    page = client.get(f"{ADMIN}/", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "GET /__tapecheck/ lists them" in client.get(f"{ADMIN}/nothing").text


def test_every_listed_route_is_there(client: httpx.Client) -> None:
    for route in ROUTES:
        method, _, path = route.partition(" ")
        session = opened(client)
        path = path.replace("<id>", session["id"]).replace("<number>", "0")
        response = client.request(method, f"{ADMIN}/{path.removeprefix('/')}", json={})
        assert "no route" not in response.text, route


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["answers", "say", "on", "fail"]), inner, max_size=3)
    ),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=50) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_sent_is_answered(client: httpx.Client, body: bytes) -> None:
    session = opened(client)
    for path in ("sessions", *(f"sessions/{session['id']}/{p}" for p in ("answers", "statements"))):
        response = client.post(f"{ADMIN}/{path}", content=body)
        assert response.status_code in (200, 201, 400)
        response.json()
