from __future__ import annotations

import ssl
import sys

import httpx
import pytest

from mockserver import MockServer, ServerStartError
from mockserver.backend import Settings

pytest.importorskip("trustme")
HELLO = {"model": "m", "messages": [{"role": "user", "content": "say hi"}]}


def test_clients_that_trust_its_certificate_are_answered_by_any_of_its_names() -> None:
    with MockServer(backend=Settings(), tls=True, allow_hosts=["tapecheck.test"]) as server:
        assert server.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(server.certificates))
        with httpx.Client(verify=context, trust_env=False) as client:
            port = server.url.rpartition(":")[2]
            for name in ("127.0.0.1", "localhost"):
                answer = client.post(f"https://{name}:{port}/v1/chat/completions", json=HELLO)
                assert answer.json()["choices"][0]["message"]["content"] == "hi"
            opened = client.post(f"{server.url}/__tapecheck/sessions", json={"cassette": "none"})
        assert opened.status_code == 400
        with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as client:
            client.get(server.url)


def test_its_file_is_gone_when_it_has_ended() -> None:
    with MockServer(backend=Settings(), tls=True) as server:
        file = server.certificates
        assert file is not None
    assert not file.exists()
    assert server.certificates is None


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with (
        pytest.raises(ServerStartError, match=r"pip install 'tapecheck\[tls\]'"),
        MockServer(backend=Settings(), tls=True),
    ):
        pass
