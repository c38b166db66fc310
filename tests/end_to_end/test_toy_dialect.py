"""A dialect is one folder: every verb works with one that no other file mentions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.mockserver.live import KEY, Live, stream

ROOT = Path(__file__).parents[2]

ADAPTER = """
import json, httpx
from harness import ClientError, adapter
from harness.model import ErrorClass, ErrorInfo
from mockserver.wire import sse


def error(kind):
    return ClientError(ErrorInfo(error_class=kind, message="broken", retryable=True))


@adapter(dialects=["toy"], features=["streaming"])
async def toy(call):
    body = {"model": call.model, "ask": call.messages[-1]["content"], **call.options}
    ended = False
    try:
        async with httpx.AsyncClient(timeout=call.timeout) as client:
            async with client.stream("POST", call.base_url + "/toy/talk", json=body) as answer:
                yield {"type": "message_start"}
                decoder = sse.Decoder()
                async for piece in answer.aiter_bytes():
                    for block in decoder.feed(piece):
                        event = json.loads(block.data or "{}")
                        if event.get("toy") == "say":
                            yield {"type": "content_delta", "delta": event["piece"]}
                        elif event.get("toy") == "end":
                            ended = True
                            yield {
                                "type": "message_stop",
                                "finish_reason": "stop",
                                "raw_finish_reason": event["why"],
                            }
    except httpx.TimeoutException:
        if not ended:
            raise error(ErrorClass.TIMEOUT) from None
    except httpx.HTTPError:
        if not ended:
            raise error(ErrorClass.CONNECTION_LOST) from None
    if not ended:
        LIE
"""
HONEST = "raise error(ErrorClass.TRUNCATED_STREAM)"
LIAR = 'yield {"type": "message_stop", "finish_reason": "stop", "raw_finish_reason": "said"}'
CASSETTE = """\
version: 1
interactions:
- request:
    method: POST
    uri: https://toy.example/v0/toy/talk
    headers: {content-type: [application/json]}
    body: '{"model":"bear","ask":"hi"}'
  response:
    status: {code: 200, message: OK}
    headers: {content-type: [text/event-stream]}
    body:
      string: |+
        data: {"toy":"say","piece":"Hel"}

        data: {"toy":"say","piece":"lo"}

        data: {"toy":"end","why":"said"}

    wire: {v: 1, end: [0, eof], origin: authored}
"""
SCENARIO = """\
scenario: toy/hello
title: A greeting
dialect: toy
requires: [streaming]
source: this test
priority: P0
call: {model: bear, messages: [{role: user, content: hi}]}
expect:
  events:
  - {type: message_start}
  - {type: content_delta, delta: Hel}
  - {type: content_delta, delta: lo}
  - {type: message_stop, finish_reason: stop, raw_finish_reason: said}
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory with a scenario, its cassette, two clients, and the dialect installed."""
    for name, text in {
        "site/toy_dialect-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: toy\nVersion: 1\n",
        "site/toy_dialect-1.dist-info/entry_points.txt": (
            "[tapecheck.dialects]\ntoy = tests.toy_dialect:DIALECT\n"
        ),
        "specs/hello.yaml": SCENARIO,
        "cassettes/toy/hello.yaml": CASSETTE,
        "honest.py": ADAPTER.replace("LIE", HONEST),
        "liar.py": ADAPTER.replace("LIE", LIAR),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def command(here: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=here,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{here / 'site'}", "CI": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def tapecheck(here: Path, *arguments: str) -> tuple[int, str]:
    process = command(here, *arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


SUITE = ("--scenarios", "specs", "--cassettes", "cassettes")


def test_run_and_the_fault_sweep(here: Path) -> None:
    code, output = tapecheck(here, "run", *SUITE, "--adapter", "honest.py")
    assert code == 0, output
    assert "12 faults in 1 stream, all reported" in output


def test_the_fault_sweep_catches_a_client_that_claims_success(here: Path) -> None:
    code, output = tapecheck(
        here, "run", *SUITE, "--adapter", "liar.py", "--axes", "none", "--format", "ndjson"
    )
    assert code == 1
    failed = {r["id"] for r in map(json.loads, output.splitlines()) if r.get("outcome") == "fail"}
    assert failed == {f"toy/hello/cut={n}@toy" for n in range(3)}


def test_recordings(here: Path) -> None:
    code, output = tapecheck(here, "run", "--recordings", "cassettes", "--adapter", "honest.py")
    assert code == 0, output
    assert "passed" in output
    cassette = here / "cassettes/toy/hello.yaml"
    # Another word for the end: the client gives it on, so only what it means can be wrong.
    cassette.write_text(CASSETTE.replace('"lo"}', '"lo","unknown":1}'), encoding="utf-8")
    honest = here / "honest.py"
    honest.write_text(honest.read_text().replace('event["piece"]}', '"Hel"}'), encoding="utf-8")
    code, output = tapecheck(here, "run", "--recordings", "cassettes", "--adapter", "honest.py")
    assert code == 1
    assert "text differs at character" in output


@pytest.fixture
def served(here: Path) -> Iterator[list[str]]:
    process = command(here, "serve", "cassettes")
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if "journal" in line:
            break
    yield lines
    process.terminate()
    process.communicate(timeout=10)


def test_serve_knows_its_variable_and_base_url(served: list[str]) -> None:
    (base,) = [line for line in served if line.startswith("export TOY_BASE_URL=") and "/c/" in line]
    assert base.endswith("/c/toy/hello/v0")


CLIENT = """
import os, urllib.request
request = urllib.request.Request(
    os.environ["OPENAI_BASE_URL"].removesuffix("/v1") + "/v1/toy/talk",
    data=b'{"model": "bear", "ask": "hi", "toySeal": "c2VhbGVkIQ"}',
    headers={"content-type": "application/json", "toy-version": "7", "toy-secret": "x"},
)
print(urllib.request.urlopen(request).read())
"""


def test_record_scrubs_by_its_form(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, b'data: {"toy":"end","why":"said","toySeal":"b3BhcXVl"}\n\n')

    with Live(answer) as live:
        (here / "providers.yaml").write_text(live.providers_file(), encoding="utf-8")
        monkeypatch.setenv("LIVE_KEY", KEY)
        code, output = tapecheck(
            here,
            *("record", "--providers", "providers.yaml", "-p", "local", "-o", "mine"),
            *("--", sys.executable, "-c", CLIENT),
        )
    assert code == 0, output
    text = (here / "mine.yaml").read_text(encoding="utf-8")
    assert "toy-version" in text
    assert "toy-secret" not in text
    assert text.count("seal_REDACTED_") == 2
    assert "b3BhcXVl" not in text
    assert "c2VhbGVkIQ" not in text
