"""Which values of an exchange are secrets by their names, not by their look."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver.cassettes.cassette import Headers, Request
from mockserver.errors import RecordingError
from mockserver.library import library
from mockserver.recording.exchange import Capture, Head
from mockserver.recording.providers import DUMMY_KEY, Provider
from mockserver.recording.recorder import Recorder
from mockserver.secrets.find import Known
from tests.mockserver.live import Live
from tests.mockserver.taping import CHAT

#: Nothing but the name of its header says that it is a secret.
SECRET = "correct-horse-battery-staple"


def credentials(*, uri: str = "http://x/", asked: Headers = (), answered: Headers = ()) -> set[str]:
    capture = Capture(1, Request(method="POST", uri=uri, headers=asked))
    capture.head = Head(status=200, reason="OK", headers=answered, http="HTTP/1.1")
    return {value for value in capture.credentials() if value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-gateway-token", SECRET),
        ("X-Client-Secret", SECRET),
        ("db_password", SECRET),
        ("xi-api-key", SECRET),
        ("Authorization", f"Bearer {SECRET}"),
        ("proxy-authorization", f"Basic {SECRET}"),
        ("cookie", f"theme=dark; sid={SECRET}"),
        ("Cookie", f"sid={SECRET}; a=b"),
    ],
)
def test_a_request_header_is_a_credential_by_its_name(name: str, value: str) -> None:
    assert credentials(asked=((name, value),)) == {SECRET}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-note", SECRET),
        ("x-tokens-left", SECRET),
        # The client's stand-in for a key is public.
        ("authorization", f"Bearer {DUMMY_KEY}"),
        ("x-api-key", DUMMY_KEY),
        # A short value may be a word, which would be replaced everywhere in the cassette.
        ("x-token", "assistant"),
        ("authorization", "Bearer assistant"),
        ("cookie", "role=assistant"),
    ],
)
def test_other_request_headers_are_not(name: str, value: str) -> None:
    assert credentials(asked=((name, value),)) == set()


def test_a_value_of_twelve_characters_is_long_enough() -> None:
    for value, found in (("k" * 11, set()), ("k" * 12, {"k" * 12})):
        assert credentials(asked=(("x-token", value),)) == found
        assert credentials(asked=(("cookie", f"a={value}"),)) == found
        assert credentials(uri=f"http://x/?key={value}") == found


def test_query_parameters_are_credentials_by_their_names() -> None:
    assert credentials(uri=f"http://x/?alt=sse&key={SECRET}&note=a-rather-long-note") == {SECRET}
    assert credentials(uri="http://x/?key=assistant") == set()


def test_a_cookie_that_the_answer_sets_is_a_credential() -> None:
    answered = (
        ("Set-Cookie", f"sid={SECRET}; Path=/a-rather-long-path"),
        ("x-note", "a-long-note-1"),
    )
    assert credentials(answered=answered) == {SECRET}


async def echo(request: web.Request) -> web.StreamResponse:
    """Repeat what the client sent, as gateways do in their errors."""
    sent = [f"{n}: {v}" for n, v in request.headers.items() if n.lower().startswith(("x-", "coo"))]
    headers = {"set-cookie": "session=staple-battery-horse; Path=/"}
    answer = {"content": f"you sent {' '.join(sent)} {request.query_string}; staple-battery-horse"}
    return web.json_response(answer, headers=headers)


def test_no_credential_of_the_client_is_recorded_where_the_answer_repeats_it(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    headers = {"x-gateway-token": SECRET, "cookie": "sid=battery-staple-horse"}
    with Live(echo) as live, recorder.tape(path, [live.provider(key=False)]) as tape:
        url = f"{tape.base_url}{CHAT}?key=horse-staple-battery"
        got = client.post(url, json={}, headers=headers).text
        tape.finish()
    body = library.load(path).interactions[0].response.body.decode()
    for secret in (
        SECRET,
        "battery-staple-horse",
        "horse-staple-battery",
        "staple-battery-horse",
    ):
        assert secret in got
        assert secret not in path.read_text()
    assert body.count("key_REDACTED_") == 4


def test_a_short_value_stays_where_the_answer_repeats_it(
    recorder: Recorder, client: httpx.Client, path: Path
) -> None:
    with Live(echo) as live, recorder.tape(path, [live.provider(key=False)]) as tape:
        client.post(tape.base_url + CHAT, json={}, headers={"x-token": "assistant"})
        tape.finish()
    body = library.load(path).interactions[0].response.body.decode()
    assert "x-token: assistant" in body


def test_what_people_see_of_a_route_names_no_known_secret() -> None:
    request = Request(method="GET", uri=f"http://x/keys/{SECRET}/y?z")
    assert Capture(1, request).route == f"GET /keys/{SECRET}/y"
    assert Capture(1, request, Known.of([SECRET])).route == "GET /keys/REDACTED/y"


def test_a_failure_names_no_credential_of_the_client(
    recorder: Recorder, client: httpx.Client, path: Path, unreachable: Provider
) -> None:
    with recorder.tape(path, [unreachable]) as tape:
        with pytest.raises(httpx.ReadError):
            client.post(f"{tape.base_url}/{SECRET}/x", headers={"x-gateway-token": SECRET})
        with pytest.raises(RecordingError, match="POST /v1/REDACTED/x: no answer") as caught:
            tape.finish()
    assert SECRET not in str(caught.value)
