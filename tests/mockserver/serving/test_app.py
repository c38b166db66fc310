"""Routes, misses, administration and bad input, over a socket."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from mockserver import MockServer, Outcome
from mockserver.library.matcher import Part
from mockserver.serving.app import target_of
from tests.mockserver.rawhttp import (
    CHAT,
    interaction,
    json_of,
    request_bytes,
    status_of,
    talk,
)
from tests.mockserver.serving.conftest import error_of, put

ADMIN = "/__tapecheck"


def test_equal_requests_get_their_recordings_in_order_and_start_over(client) -> None:
    same = [client.post(CHAT, json={"q": "same"}).json()["n"] for _ in range(5)]
    assert same == [1, 2, 6, 1, 2]
    assert client.post(CHAT, content=b'{ "q" : "other" }').json() == {"n": 3}


def test_once_plays_nothing_twice(library: Path) -> None:
    with MockServer(library, once=True) as server, httpx.Client(base_url=server.url) as client:
        codes = [client.post(CHAT, json={"q": "same"}).status_code for _ in range(4)]
        pinned = [client.post(f"/c/z/same{CHAT}").status_code for _ in range(2)]
    assert codes == [200, 200, 200, 404]
    assert pinned == [200, 404]


def test_fewer_parts_match_more(library: Path) -> None:
    with MockServer(library, match_on=[Part.PATH]) as server:
        assert httpx.get(server.url + CHAT).json() == {"n": 1}


def test_a_miss_names_the_nearest_recording(client, server: MockServer) -> None:
    response = client.post(CHAT, json={"q": "othre"})
    assert response.status_code == 404
    error = error_of(response)
    assert error["type"] == "tapecheck_miss"
    assert error["nearest"][0]["cassette"].startswith(("chat/two", "z/same"))
    assert error["nearest"][0]["differences"][0]["got"] == '"othre"'
    assert "Unreadable cassettes: broken" in error["message"]
    (entry,) = server.journal
    assert (entry.outcome, entry.exchange, entry.status) == (Outcome.MISSED, None, 404)
    assert entry.note == error["message"].removeprefix("tapecheck: ")


def test_a_changed_file_is_indexed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.library.library.RECHECK", -1)
    put(tmp_path / "x.yaml", interaction(b"1", body=b"a"), interaction(b"22", body=b"b"))
    with MockServer(tmp_path) as server, httpx.Client(base_url=server.url) as client:
        assert client.post(CHAT, content=b"b").text == "22"
        put(tmp_path / "x.yaml", interaction(b"333", body=b"b"))
        assert client.post(CHAT, content=b"b").text == "333"
        assert client.post(CHAT, content=b"a").status_code == 404


# --- pinned cassettes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "numbers"),
    [
        ("POST", f"/c/chat/two{CHAT}", [1, 2, 3, 1]),
        ("GET", "/c/chat/two/deep/models", [4, 4]),
        ("GET", "/c/with%20space%20%5B1%5D/a:b", [5]),
        ("GET", "/c/with%20space%20[1]/a%3Ab?x=1", [5]),
        ("POST", f"/c/z/same{CHAT}", [6]),
    ],
)
def test_a_pinned_cassette_is_matched_by_method_and_path(
    server: MockServer, method: str, path: str, numbers: list[int]
) -> None:
    for number in numbers:
        answer = talk(server.url, request_bytes(path, method=method))
        assert json_of(answer) == {"n": number}


def test_a_pinned_cassette_answers_nothing_else(client) -> None:
    error = error_of(client.get("/c/chat/two/v2/models"))
    assert error["type"] == "tapecheck_miss"
    assert error["nearest"][0]["differences"] == [
        {"at": "method", "expected": "POST", "got": "GET"},
        {"at": "path", "expected": CHAT, "got": "/v2/models"},
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/c/absent/v1",
        "/c/../../etc/passwd",
        "/c/%2e%2e/%2e%2e/etc/passwd",
        "/c//etc/passwd",
        "/c/%2Fetc%2Fpasswd",
        "/c/x%00",
        "/c/chat/two.yaml/v1",
        "/c/",
        "/c/%ff%fe",
        "/c/chat%2F..%2Fchat/v1",
    ],
)
def test_path_tricks_find_nothing(server: MockServer, path: str) -> None:
    answer = talk(server.url, request_bytes(path))
    assert status_of(answer) == 404
    assert json_of(answer)["error"]["type"] == "tapecheck_unknown_cassette"


def test_a_broken_cassette_is_an_error_for_its_own_requests_only(
    client, server: MockServer
) -> None:
    response = client.get("/c/broken/v1")
    assert response.status_code == 422
    assert error_of(response)["type"] == "tapecheck_broken_cassette"
    assert "broken.yaml:2: a request needs 'uri'" in error_of(response)["message"]
    assert client.get("/c/chat/two/deep/models").json() == {"n": 4}
    assert "a request needs 'uri'" in client.get(f"{ADMIN}/health").json()["broken"]["broken"]
    assert [e.outcome for e in server.journal] == [Outcome.REFUSED, Outcome.FINISHED]


# --- sessions -----------------------------------------------------------------------------


def test_sessions_play_once_and_separately(client, server: MockServer) -> None:
    with server.session("chat/two") as a, server.session("chat/two") as b:
        answers = [client.post(f"{s.url}{CHAT}").json()["n"] for s in (a, b, a, a)]
        assert answers == [1, 1, 2, 3]
        assert client.post(f"{a.url}{CHAT}").status_code == 404
        assert len(b.unplayed) == 2
        assert [e.exchange for e in a.journal] == [0, 1, 2, None]
        assert [e.path for e in a.journal] == [CHAT] * 4
        assert {e.session for e in server.journal} == {a.id, b.id}


def test_an_unknown_or_closed_session_is_refused(client, server: MockServer) -> None:
    with server.session("chat/two") as session:
        pass
    for url in (f"{session.url}{CHAT}", "/s/nobody/v1", "/s/", "/s/%2e%2e/x"):
        response = client.post(url)
        assert response.status_code == 404
        assert error_of(response)["type"] == "tapecheck_unknown_session"


def test_a_session_without_a_path_asks_for_the_root(client, server: MockServer) -> None:
    with server.session("chat/two") as session:
        client.get(session.url)
        assert session.journal[0].path == "/"


# --- administration -----------------------------------------------------------------------


def test_health_and_cassettes(client) -> None:
    assert client.get(f"{ADMIN}/health").json() == {
        "status": "ok",
        "cassettes": 5,
        "broken": {},
        "sessions": 0,
        "requests": 0,
    }
    listed = {c["name"]: c for c in client.get(f"{ADMIN}/cassettes").json()}
    assert {n: c["interactions"] for n, c in listed.items()} == {
        "broken": 0,
        "chat/two": 3,
        "chat/two/deep": 1,
        "with space [1]": 1,
        "z/same": 1,
    }
    assert [n for n, c in listed.items() if c["error"]] == ["broken"]


def test_a_session_over_http(client) -> None:
    opened = client.post(f"{ADMIN}/sessions", json={"cassette": "chat/two"})
    assert opened.status_code == 201
    session = opened.json()
    assert client.post(f"{session['url']}{CHAT}").json() == {"n": 1}
    assert client.post(f"{ADMIN}/sessions/{session['id']}/release", json={"name": "x"}).is_success
    shown = client.get(f"{ADMIN}/sessions/{session['id']}").json()
    assert shown["unplayed"] == [f"POST {CHAT}"] * 2
    assert [e["outcome"] for e in shown["journal"]] == ["finished"]
    assert [s["id"] for s in client.get(f"{ADMIN}/sessions").json()] == [session["id"]]
    assert client.delete(f"{ADMIN}/sessions/{session['id']}").is_success
    assert client.delete(f"{ADMIN}/sessions/{session['id']}").status_code == 404
    assert client.get(f"{ADMIN}/sessions").json() == []


def test_axes_and_faults_over_http(client, tmp_path: Path) -> None:
    stream = interaction(b"data: a\n\ndata: b\n\n", content_type="text/event-stream")
    put(tmp_path / "s.yaml", stream)
    with MockServer(tmp_path) as server:
        wanted = {"cassette": "s", "axes": {"eol": "crlf"}, "fault": "cut@11", "seed": 1}
        session = httpx.post(f"{server.url}{ADMIN}/sessions", json=wanted).json()
        assert httpx.post(session["url"] + CHAT).content == b"data: a\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "expected an object"),
        (b"[" * 100_000, "neither JSON nor YAML"),
        (b'{"cassette":1}', "'cassette' must be a string"),
        (b'{"cassette":"absent"}', "no cassette 'absent'"),
        (b'{"cassette":"../x"}', "no cassette '../x'"),
        (
            b'{"cassette":"chat/two","axis":{}}',
            "unknown key 'axis' in a session (did you mean axes?)",
        ),
        (b'{"cassette":"chat/two","axes":{"eol":"x"}}', "unknown value eol=x"),
        (b'{"cassette":"chat/two","axes":[]}', "'axes' must be an object"),
        (b'{"cassette":"chat/two","seed":"1"}', "'seed' an integer"),
        (b'{"cassette":"chat/two","fault":"cut"}', "no fault 'cut'"),
        (b'{"cassette":"chat/two","fault":"cut@0"}', "no stream"),
    ],
)
def test_a_session_that_cannot_be_opened_is_explained(client, body: bytes, message: str) -> None:
    response = client.post(f"{ADMIN}/sessions", content=body)
    assert response.status_code == 400
    assert message in error_of(response)["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("POST", "/health"),
        ("DELETE", "/sessions"),
        ("GET", "/sessions/nobody"),
        ("POST", "/sessions/nobody/release"),
        ("PURGE", "/journal"),
    ],
)
def test_unknown_administration_is_refused(client, method: str, path: str) -> None:
    response = client.request(method, ADMIN + path, json={"name": "x"})
    assert response.status_code == 404


def test_the_journal_shows_no_credentials_and_no_administration(client) -> None:
    client.post(
        f"{CHAT}?key=sk-query",
        json={"q": "same"},
        headers={"authorization": "Bearer sk-header", "x-new-key": "sk-new"},
    )
    client.post(f"{CHAT}?key=sk-query", json={"api_key": "sk-body"})
    response = client.get(f"{ADMIN}/journal")
    assert [e["outcome"] for e in response.json()] == ["finished", "missed"]
    for secret in ("sk-query", "sk-header", "sk-new"):
        assert secret not in response.text


def test_a_refused_administration_is_not_in_the_journal(client, server: MockServer) -> None:
    assert client.get(f"{ADMIN}/nothing").status_code == 404
    assert client.post(f"{ADMIN}/sessions", content=b"[]").status_code == 400
    assert server.journal == ()


def test_a_session_on_a_broken_cassette_gets_the_line(client) -> None:
    response = client.post(f"{ADMIN}/sessions", json={"cassette": "broken"})
    assert response.status_code == 422
    assert error_of(response)["type"] == "tapecheck_broken_cassette"
    assert "broken.yaml:2: " in error_of(response)["message"]


def test_reset_starts_over(client, server: MockServer) -> None:
    client.post(CHAT, json={"q": "same"})
    session = server.session("chat/two")
    assert client.post(f"{ADMIN}/reset").json()["sessions"] == 0
    assert server.journal == ()
    assert client.post(CHAT, json={"q": "same"}).json() == {"n": 1}
    assert client.post(f"{session.url}{CHAT}").status_code == 404


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nhost: [::1]\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: [::1]\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\nhost: [::1]\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: [::1]\r\n" + b"x: y\r\n" * 300 + b"\r\n",
        b"POST / HTTP/1.1\r\nhost: [::1]\r\ncontent-length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: [::1]\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: [::1]\r\ncontent-length:1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: [::1]\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nhost: [::1]\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n",
    ],
    ids=range(14),
)
def test_malformed_http_gets_a_4xx_in_json_and_the_server_stays_up(
    server: MockServer, client, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = talk(server.url, data)
    assert 400 <= status_of(answer) < 500
    assert json_of(answer)["error"]["type"] == "tapecheck_bad_request"
    assert client.get(f"{ADMIN}/health").is_success
    assert caplog.records == []


@pytest.mark.parametrize(
    "target", ["*", "http://api.example.com/v1/absent?x=1", "//etc/passwd", "/%zz", "/a?b#c", "/é"]
)
def test_odd_targets_miss(server: MockServer, target: str) -> None:
    answer = talk(server.url, request_bytes(target, method="OPTIONS"))
    assert status_of(answer) in (400, 404)
    assert json_of(answer)["error"]["type"] in ("tapecheck_miss", "tapecheck_bad_request")


@pytest.mark.parametrize(
    ("target", "split"),
    [
        ("/a/b?c=d&e", ("/a/b", "c=d&e")),
        ("/a?b#c", ("/a", "b")),
        ("/a#b?c", ("/a", "")),
        ("http://h:1/a?b=c://d", ("/a", "b=c://d")),
        ("http://h", ("/", "")),
        ("*", ("/", "")),
    ],
)
def test_a_target_is_split_into_path_and_query(target: str, split: tuple[str, str]) -> None:
    assert target_of(target) == split


def test_the_absolute_form_is_answered_as_if_sent_to_a_proxy(server: MockServer) -> None:
    answer = talk(
        server.url,
        request_bytes("http://api.example.com" + CHAT, method="POST", body=b'{"q":"other"}'),
    )
    assert json_of(answer) == {"n": 3}


@pytest.mark.parametrize(("method", "status"), [("PURGE", 404), ("BREW", 400)])
def test_unusual_methods_are_refused(client, method: str, status: int) -> None:
    response = client.request(method, "/pot")
    assert response.status_code == status
    assert method in error_of(response)["message"]
