"""Answers that are made again are those of the ordinary way, and so is what is known of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockserver import MockServer
from mockserver.backend import Given, Settings, backend, synthesis
from mockserver.backend.failing import Failure
from mockserver.backend.limits import Limits
from mockserver.backend.script import script_of_yaml
from mockserver.cassettes.cassette import Request
from mockserver.dialects.writing import Pace
from mockserver.serving.app import App
from mockserver.serving.at_once import ShortCut
from mockserver.serving.journal import Record
from tests.mockserver.backend.asking import asked, tool
from tests.mockserver.rawhttp import connect, interaction, read_all, request_bytes
from tests.mockserver.serving.conftest import put
from tests.mockserver.serving.test_at_once import essence, talk

DIALECTS = ("openai-chat", "openai-responses", "anthropic", "gemini", "ollama", "bedrock", "cohere")
TOOLS = (tool("weather"), tool("time"))
ID = re.compile(rb'(?:"(?:id|responseId)": ?"|request-id: )([^"\r]+)')


def message(request: Request, *headers: str) -> bytes:
    """Return a request as it is sent."""
    target = request.url._replace(scheme="", netloc="").geturl()
    named = [f"{name}: {value}" for name, value in request.headers if name != "host"]
    return request_bytes(target, method="POST", headers=(*named, *headers), body=request.body)


VECTOR = b'{"model":"m","input":"a"}'
CHAT = message(asked(stream=True).request)


def known(record: Record) -> tuple[Any, ...]:
    found = record.found
    if not isinstance(found, Given):
        return ()
    return found.exchange.schedule, found.reply, found.asked and found.asked.call, found.note


def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return who has answered requests: ``handler``, or ``short cut`` for a new answer of its."""
    found: list[str] = []
    handle, new = App.handle, ShortCut._new

    async def handled(self: App, request: Any) -> Any:
        if "__tapecheck" not in request.path:
            found.append("handler")
        return await handle(self, request)

    def made(*args: Any) -> bytes | None:
        message = new(*args)
        found.extend(["short cut"] * (message is not None))
        return message

    monkeypatch.setattr(App, "handle", handled)
    monkeypatch.setattr(ShortCut, "_new", made)
    return found


def both(
    monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], **options: Any
) -> tuple[bytes, list[str]]:
    """Return what is sent on both ways, and what the short one does not make again."""
    made = watched(monkeypatch)
    options = {"backend": Settings(), "by_request": False, **options}
    found = []
    for short in (False, True):
        monkeypatch.setattr(MockServer, "_takes_short_cut", short)
        made.clear()
        with MockServer((), **options) as server:
            data = talk(server, pieces)
            records = server.records_after(-1)
            found.append(
                (
                    re.sub(rb"Date: [^\r]*", b"Date: now", data),
                    [essence(record.entry) for record in records],
                    [known(record) for record in records],
                )
            )
    assert found[0] == found[1]
    return found[0][0], made


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("tools", [(), TOOLS])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_sends_the_same(
    dialect: str, tools: tuple[Any, ...], stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = message(asked(dialect=dialect, tools=tools, stream=stream).request)
    data, made = both(monkeypatch, [request] * 4)
    assert data.count(b"x-tapecheck-answer: synthesised") == 4
    # Responses are stored, and frames have checksums of their ids: each is made by itself.
    differs = dialect == "openai-responses" or (dialect == "bedrock" and tools)
    assert made == ["short cut"] * (4 if differs else 1)


def test_no_id_comes_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even behind the last that differs at the end alone."""
    monkeypatch.setattr(synthesis, "BLOCK", 4)
    monkeypatch.setattr(backend, "BLOCK", 4)
    request = message(asked(tools=TOOLS).request)
    data, made = both(monkeypatch, [request] * 10)
    assert len(made) == 3
    ids = ID.findall(data)
    assert len(ids) == len(set(ids)) == 40


def test_a_message_in_pieces_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data, made = both(monkeypatch, [CHAT, CHAT[:-9], CHAT[-9:], CHAT])
    assert data.count(b"[DONE]") == 3
    assert made == ["short cut"]


def test_other_headers_are_another_request(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = asked(dialect="anthropic").request
    other = message(plain, "x-api-key: other")
    _, made = both(monkeypatch, [message(plain), other, message(plain), other])
    assert made == ["short cut"] * 2


@pytest.mark.parametrize(
    "settings",
    [
        Settings(failures=(Failure(status=503, times=1),)),
        Settings(limits=Limits(rpm=2)),
        Settings(pace=Pace(words=True, each_ms=0.01)),
        Settings(script=script_of_yaml("answers: [{say: one}, {on: Hi, say: two}]", "a.yaml")),
    ],
)
def test_what_depends_on_more_is_made_in_the_ordinary_way(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watched(monkeypatch)
    with MockServer((), backend=settings, by_request=False) as server:
        assert talk(server, [CHAT] * 3).count(b"HTTP/1.1 ") == 3
    assert made == ["handler"] * 3


def test_a_script_that_comes_later_is_obeyed() -> None:
    script = b'{"answers": [{"say": "scripted"}]}'
    added = request_bytes("/__tapecheck/answers", method="POST", body=script)
    with MockServer((), backend=Settings(), by_request=False) as server:
        assert b"scripted" not in talk(server, [CHAT] * 3)
        with connect(server.url) as sock:
            sock.sendall(added)
            assert b" 201 " in read_all(sock)
        assert b"scripted" in talk(server, [CHAT])


def test_a_recording_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(stream=True).request
    path = tmp_path / "one.yaml"
    put(path, interaction(b'{"other":1}', body=b'{"other":1}'))
    with MockServer(tmp_path, backend=Settings()) as server:
        assert b"recorded" not in talk(server, [CHAT] * 3)
        put(path, interaction(b"recorded", body=request.body, path=request.url.path))
        reset = request_bytes("/__tapecheck/reset", method="POST", body=b"{}")
        with connect(server.url) as sock:
            sock.sendall(reset)
            read_all(sock)
        assert b"recorded" in talk(server, [CHAT])


@pytest.mark.parametrize(
    "request_",
    [
        request_bytes("/v1/models", headers=()),
        request_bytes("/nowhere", headers=()),
        request_bytes("/v1/responses/none", headers=()),
        request_bytes("/v1/chat/completions", method="POST", headers=(), body=b"{"),
        request_bytes("/v1/embeddings", method="POST", headers=(), body=VECTOR),
        message(asked(response_format={"type": "json_object"}).request),
    ],
)
def test_whatever_is_asked_gets_the_handler_s_answer(
    request_: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = both(monkeypatch, [request_, request_, CHAT])
    assert data.count(b"HTTP/1.1 ") == 3


def test_a_fault_of_ours_is_for_the_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(backend.Backend, "answer", fails)
    with MockServer((), backend=Settings(), by_request=False) as server:
        assert b"HTTP/1.1 500 " in talk(server, [CHAT])


def test_a_response_that_is_not_stored_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(dialect="openai-responses").request
    body = request.body[:-1] + b',"store":false}'
    _, made = both(monkeypatch, [message(replace(request, body=body))] * 3)
    assert made == ["short cut"]
