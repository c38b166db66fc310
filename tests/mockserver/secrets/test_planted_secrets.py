"""Secrets in all the places where one has been seen to leak; none leaves a trace."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mockserver.errors import RecordingError
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import KEY, Live
from tests.mockserver.secrets.planted import CASES, Plan, answer, planted, texts, traces


def test_there_are_two_hundred() -> None:
    assert len(CASES) >= 200
    assert len(set(CASES)) == len(CASES)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan()


@pytest.fixture(scope="module")
def live(plan: Plan) -> Iterator[Live]:
    with Live(lambda request: answer(request, plan)) as running:
        yield running


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder(environment={"LIVE_KEY": KEY}) as running:
        yield running


@pytest.mark.parametrize(("place", "encoding", "secret"), CASES)
def test_no_secret_leaves_a_trace(
    place: str,
    encoding: str,
    secret: str,
    plan: Plan,
    live: Live,
    recorder: Recorder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    vars(plan).update(vars(planted(place, encoding, secret)))
    output = ""
    with recorder.tape(tmp_path / "tape.yaml", [live.provider()]) as tape:
        # A plain socket: what a client of the test's own logs is not the recorder's doing.
        _send(f"{tape.base_url}/chat/completions{plan.path}{plan.query}", plan)
        try:
            output += repr(tape.finish())
        except RecordingError as refused:
            output += str(refused)
    output += caplog.text + "".join(capfd.readouterr())
    assert traces(texts(tmp_path, output), secret, encoding) == []


def _send(url: str, plan: Plan) -> None:
    parts = httpx.URL(url)
    with httpx.HTTPTransport() as transport:
        request = httpx.Request("POST", parts, headers=plan.headers, content=plan.body)
        response = transport.handle_request(request)
        list(response.iter_raw())
        response.close()
