"""What ``tapecheck explain`` prints to reproduce a case works when it is pasted."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.plan.expand import parse_axes
from harness.plan.planning import Settings, make_plan
from harness.plan.wires import schedules_for
from harness.reports.records import CaseResult
from harness.reports.reproduction import PORT, Reproduction
from harness.run.runner import Runner
from harness.suite import bundled
from mockserver import MockServer

CASES = [
    "openai-chat/text-basic/recorded@openai-compat",
    "openai-chat/text-basic/eol=crlf,gzip=yes@openai-compat",
    "openai-chat/text-basic/cut=4@openai-compat",
    "http/eof-without-terminal/half-event/recorded@openai-compat",
    "openai-chat/tool-args-object/nonstream/recorded@openai-compat",
    "openai-chat/tool-id-number-back/recorded@openai-compat",
    "openai-responses/added-holds-content/first-words/recorded@response-strategies",
    "codex/completed-output-empty/empty-list/recorded@chatgpt-oauth",
    "bedrock/tools-parallel/recorded@bedrock-client",
    "bedrock/arn-in-path/whole/recorded@bedrock-client",
]


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(bundled.cassettes()) as running:
        yield running


def played(case_id: str) -> CaseResult:
    adapter = case_id.rpartition("@")[2]
    variation = case_id.rpartition("@")[0].rpartition("/")[2]
    is_point = "=" in variation and not variation.startswith(("cut", "hold"))
    plan = make_plan(
        Settings(
            adapters=(adapter,),
            patterns=(case_id,),
            axes=parse_axes(variation if is_point else "none"),
        )
    )

    async def run() -> CaseResult:
        async with Runner(plan) as runner:
            return await runner.run_case(plan.cases[0])

    return asyncio.run(run())


def commands(result: CaseResult, server: MockServer) -> tuple[str, str | None]:
    """Return the first curl line and the program, for a server on another port."""
    lines = Reproduction(result.transcript, 0, Path.cwd()).lines()
    assert lines[0] == f"tapecheck serve --port {PORT}  # in a terminal of its own"
    lines = [line.replace(f"http://127.0.0.1:{PORT}", server.url) for line in lines[1:]]
    program = None
    if "python - <<'PY'" in lines:
        program = "\n".join(lines[lines.index("python - <<'PY'") + 1 : lines.index("PY")])
    return lines[0], program


def ran(*command: str, text: str | None = None) -> subprocess.CompletedProcess[bytes]:
    given = None if text is None else text.encode()
    return subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("case_id", CASES)
def test_curl_gets_the_bytes_of_the_case(case_id: str, server: MockServer) -> None:
    result = played(case_id)
    answers = result.transcript.turns[0].schedules
    done = ran("bash", "-c", commands(result, server)[0].replace("curl ", "curl -s ", 1))
    assert done.stdout == answers[0].plain.data, done.stderr


@pytest.mark.parametrize("case_id", [CASES[1], CASES[4], CASES[6]])
def test_the_sdk_s_program_gets_the_answer_of_the_case(case_id: str, server: MockServer) -> None:
    pytest.importorskip("openai")
    result = played(case_id)
    _, program = commands(result, server)
    assert program is not None
    assert len(program.splitlines()) <= 5
    done = ran(sys.executable, "-", text=program)
    assert "chatcmpl" in done.stdout.decode() or "resp_" in done.stdout.decode(), done.stderr
    entry = server.journal[-1]
    (schedule, *_) = schedules_for(result.case)
    assert entry.sent == len(schedule.body)


@pytest.mark.parametrize(("case_id", "seen"), [(CASES[8], "tooluse_b2"), (CASES[9], "Good day")])
def test_boto3_gets_the_answer_of_the_case(case_id: str, seen: str, server: MockServer) -> None:
    pytest.importorskip("boto3")
    result = played(case_id)
    _, program = commands(result, server)
    assert program is not None
    assert len(program.splitlines()) <= 9
    done = ran(sys.executable, "-", text=program)
    assert seen in done.stdout.decode(), done.stderr


def test_a_dialect_without_an_sdk_has_curl_alone(server: MockServer) -> None:
    result = played("background/poll-to-completed/*/recorded@response-strategies")
    curl, program = commands(result, server)
    assert "/c/background/poll-to-completed/" in curl
    assert program is None


def test_own_cassettes_are_served_by_their_file(tmp_path: Path) -> None:
    result = played(CASES[0])
    own = tmp_path / "own files" / "hello.yaml"
    own.parent.mkdir()
    shutil.copy(result.case.scenario.cassette, own)
    scenario = replace(result.case.scenario, cassette=own)
    transcript = replace(result.transcript, case=replace(result.case, scenario=scenario))
    serve, curl, *_ = Reproduction(transcript, 0, tmp_path).lines()
    assert serve.startswith(f"tapecheck serve 'own files/hello.yaml' --port {PORT}")
    assert f"http://127.0.0.1:{PORT}/c/hello/v1/chat/completions" in curl


def test_a_held_stream_falls_silent_at_the_same_place() -> None:
    result = played("openai-chat/text-basic/hold=2@openai-compat")
    lines = Reproduction(result.transcript, 0, Path.cwd()).lines()
    assert "/~stall=2/v1/" in lines[1]
    assert lines[-1].startswith("# ")


def test_no_key_of_the_case_is_printed() -> None:
    result = played(CASES[0])
    key = result.transcript.api_key
    turn = result.transcript.turns[0]
    body = turn.requests[0].body.replace(b'"user"', f'"{key}"'.encode())
    turn = replace(turn, requests=(replace(turn.requests[0], body=body),))
    transcript = replace(result.transcript, turns=(turn,))
    assert key not in "\n".join(Reproduction(transcript, 0, Path.cwd()).lines())
