"""A server that shares its port with other processes refuses what needs to know them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mockserver import MockServer, ServerStartError
from mockserver.serving.sockets import reserve
from tests.mockserver.rawhttp import connect
from tests.mockserver.serving.conftest import error_of

CHAT = "/v1/chat/completions"


@pytest.fixture
def shared(library: Path) -> Iterator[httpx.Client]:
    with (
        MockServer(library, shared=True) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        yield client


@pytest.mark.parametrize("times", [1, 2])
def test_a_single_answer_needs_no_state(shared: httpx.Client, times: int) -> None:
    for _ in range(times):
        assert shared.get("/c/chat/two/deep/models").json() == {"n": 4}
        assert shared.post(CHAT, content=b'{"q":"other"}').json() == {"n": 3}


@pytest.mark.parametrize("path", [f"/c/chat/two{CHAT}", CHAT])
def test_the_order_of_several_answers_does(shared: httpx.Client, path: str) -> None:
    for _ in range(3):
        answer = shared.post(path, content=b'{"q":"same"}')
        assert answer.status_code == 400
        assert "answers to equal requests needs the state" in error_of(answer)["message"]


@pytest.mark.parametrize("path", ["/s/abc/v1/models", "/__tapecheck/journal", "/__tapecheck/"])
def test_sessions_and_the_journal_do(shared: httpx.Client, path: str) -> None:
    answer = shared.get(path)
    assert answer.status_code == 400
    assert error_of(answer)["type"] == "tapecheck_needs_one_process"
    assert "without --workers" in error_of(answer)["message"]


def test_what_all_know_is_answered(shared: httpx.Client) -> None:
    assert shared.get("/__tapecheck/health").json()["status"] == "ok"
    assert shared.get("/__tapecheck/cassettes").json()


def test_two_servers_share_a_reserved_port(library: Path) -> None:
    with reserve("127.0.0.1", 0) as kept:
        port = kept.getsockname()[1]
        with (
            MockServer(library, port=port, shared=True) as one,
            MockServer(library, port=port, shared=True) as two,
        ):
            assert one.url == two.url
            connect(one.url).close()


def test_a_port_in_use_cannot_be_reserved(library: Path) -> None:
    with MockServer(library) as server, pytest.raises(ServerStartError, match="port is in use"):
        reserve("127.0.0.1", int(server.url.rpartition(":")[2]))
