"""What the proxy and the HTTP library below it log has no secret."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import httpcore
import httpx
import pytest
from aiohttp import web

from mockserver.recording.proxy import LogFilter
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import KEY, Live
from tests.mockserver.taping import ENVIRONMENT


def test_logs_have_no_secret(
    client: httpx.Client, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cookie = "session-cookie-0123456789"

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({}, headers={"set-cookie": f"sid={cookie}"})

    caplog.set_level(logging.DEBUG)
    with (
        Live(answer) as live,
        Recorder(environment=ENVIRONMENT) as recorder,
        recorder.tape(path, [live.provider()]) as tape,
    ):
        client.post(f"{tape.base_url}/x?key={KEY}", headers={"x-note": KEY})
        tape.finish()
    text = caplog.text
    assert "httpcore" in text
    upstream_lines = [line for line in text.splitlines() if live.url[-5:] in line]
    assert upstream_lines
    assert not [line for line in upstream_lines if KEY in line]
    assert f"sid={cookie}" not in text
    assert logging.getLogger("httpx").filters == []


def test_logs_have_no_credential_that_only_its_name_tells(
    client: httpx.Client, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sent, asked, got = "purple monkey dishwasher", "correcthorsebattery", "staple-of-a-horse"

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"x": 1}, headers={"x-auth-token": got})

    caplog.set_level(logging.DEBUG, "httpcore")
    caplog.set_level(logging.DEBUG, "httpx")
    with (
        Live(answer) as live,
        Recorder() as recorder,
        recorder.tape(path, [live.provider(key=False)]) as tape,
    ):
        url = f"{tape.base_url}/x?token={asked}"
        headers = {"x-api-key": sent, "x-note": f"as {asked}"}
        client.post(url, json={"password": "x"}, headers=headers)
        tape.finish()
    lines = [r.getMessage() for r in caplog.records if live.url[-5:] in r.getMessage()]
    lines += [r.getMessage() for r in caplog.records if "headers" in r.getMessage()]
    upstream = [line for line in lines if "/_c/" not in line]
    assert any("x-auth-token" in line.lower() for line in upstream)
    assert not [line for line in upstream if sent in line or asked in line or got in line]


def test_every_logger_of_the_http_library_is_masked() -> None:
    source = "".join(p.read_text() for p in Path(httpcore.__file__).parent.rglob("*.py"))
    named = set(re.findall(r"getLogger\(\"(httpcore\.\w+)\"\)", source))
    assert len(named) >= 5
    masking = LogFilter()
    masking.install()
    try:
        for name in (*named, "httpx"):
            assert masking in logging.getLogger(name).filters
    finally:
        masking.remove()
    assert not any(logging.getLogger(name).filters for name in (*named, "httpx"))
