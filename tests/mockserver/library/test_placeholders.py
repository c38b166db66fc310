"""A value that was replaced in a recording matches any value when it is played."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from mockserver import MockServer
from mockserver.cassettes.cassette import Interaction, Request, Response, Wire
from mockserver.library import library
from mockserver.secrets.scrub import Scrubber
from tests.mockserver.rawhttp import cassette

AZURE = "https://acme.openai.azure.com/openai/deployments/{}/chat/completions?api-version=1"
GATEWAY = "https://gateway.ai.cloudflare.com/v1/{}/prod/openai/chat/completions"
ACCOUNT = "https://api.cloudflare.com/client/v4/accounts/{}/ai/v1/chat/completions"
PLAIN = "https://api.openai.com/v1/chat/completions"


def asked(uri: str, **fields: Any) -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    headers = (("content-type", "application/json"),)
    return Request(method="POST", uri=uri, headers=headers, body=json.dumps(body).encode())


def answered(text: str) -> Response:
    body = json.dumps({"text": text}).encode()
    headers = (("content-type", "application/json"),)
    return Response(status=200, reason="OK", headers=headers, body=body, wire=Wire())


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a cassette as a recording would be."""

    def write(name: str, *requests: Request) -> Path:
        scrubber = Scrubber()
        found = [
            scrubber.interaction(Interaction(request, answered(f"{name} {number}")))
            for number, request in enumerate(requests)
        ]
        library.write(cassette(*found, path=tmp_path / f"{name}.yaml"))
        return tmp_path

    return write


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as made:
        yield made


def send(client: httpx.Client, base: str, request: Request) -> Any:
    parts = urlsplit(request.uri)
    query = f"?{parts.query}" if parts.query else ""
    answer = client.post(f"{base}{parts.path}{query}", content=request.body)
    return answer.json().get("text", answer.status_code)


CASES = {
    "a user": (asked(PLAIN, user="alice"), asked(PLAIN, user="bob")),
    "metadata": (asked(PLAIN, metadata={"team": "red"}), asked(PLAIN, metadata={"team": "blue"})),
    "an Azure deployment": (asked(AZURE.format("prod")), asked(AZURE.format("test"))),
    "a Cloudflare gateway": (asked(GATEWAY.format("0a1b")), asked(GATEWAY.format("ffff"))),
    "a Cloudflare account": (asked(ACCOUNT.format("0a1b")), asked(ACCOUNT.format("ffff"))),
    "encrypted reasoning": (
        asked(PLAIN, input=[{"encrypted_content": "gAAA"}]),
        asked(PLAIN, input=[{"encrypted_content": "gBBB"}]),
    ),
}


@pytest.mark.parametrize("how", ["session", "pinned", "library"])
@pytest.mark.parametrize("case", CASES)
def test_any_value_is_answered(
    case: str, how: str, write: Callable[..., Path], client: httpx.Client
) -> None:
    recorded, other = CASES[case]
    with MockServer(write("tape", recorded)) as server:
        for request in (recorded, other):
            match how:
                case "session":
                    with server.session("tape") as session:
                        assert send(client, session.url, request) == "tape 0"
                case "pinned":
                    assert send(client, f"{server.url}/c/tape", request) == "tape 0"
                case _:
                    assert send(client, server.url, request) == "tape 0"


def test_a_body_that_is_no_object_may_have_a_placeholder(
    write: Callable[..., Path], client: httpx.Client
) -> None:
    recorded = replace(asked(PLAIN), body=b'["user_REDACTED_1", 1]')
    with MockServer(write("tape", recorded)) as server:
        assert send(client, server.url, replace(recorded, body=b'["alice", 1]')) == "tape 0"
        assert send(client, server.url, replace(recorded, body=b'["alice", 2]')) == 404


def test_what_was_not_replaced_must_be_equal(
    write: Callable[..., Path], client: httpx.Client
) -> None:
    with MockServer(write("tape", asked(PLAIN, user="alice", seed=1))) as server:
        assert send(client, server.url, asked(PLAIN, user="bob", seed=2)) == 404
        assert send(client, server.url, asked(PLAIN, seed=1)) == 404
        missed = client.post(
            f"{server.url}/v1/chat/completions", content=asked(PLAIN, user="bob", seed=2).body
        )
    assert missed.json()["error"]["nearest"][0]["differences"] == [
        {"at": "body/seed", "expected": "1", "got": "2"}
    ]


def test_equal_requests_of_several_users_are_answered_in_recorded_order(
    write: Callable[..., Path], client: httpx.Client
) -> None:
    users = [asked(PLAIN, user=name) for name in ("alice", "bob")]
    with MockServer(write("tape", *users)) as server:
        answers = [send(client, server.url, asked(PLAIN, user=name)) for name in ("x", "y", "x")]
    assert answers == ["tape 0", "tape 1", "tape 0"]


def test_a_request_without_placeholders_goes_first(
    write: Callable[..., Path], client: httpx.Client
) -> None:
    write("any", asked(PLAIN, note="REDACTED"))
    with MockServer(write("one", asked(PLAIN, note="this"))) as server:
        assert send(client, server.url, asked(PLAIN, note="this")) == "one 0"
        assert send(client, server.url, asked(PLAIN, note="that")) == "any 0"
