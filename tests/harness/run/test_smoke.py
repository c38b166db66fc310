"""``smoke`` tells a program that speaks the protocol wrongly from one whose client is wrong."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import tapecheck
from harness.run.smoke import Says, Step, plan_of, smoke
from harness.suite import bundled

KIT = Path(bundled.__file__).parents[1] / "adapters" / "third_party" / "shims"
#: A client of its own, small enough to be right: it hands on the JSON of each event.
CLIENT = """
import json, sys, urllib.request
sys.path.insert(0, {kit!r})
from tapecheck_client import serve

class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__(f"status {{status}}")
        self.status_code, self.body = status, body

def make(call):
    body = json.dumps({{**call.arguments, "stream": call.stream}}).encode()
    headers = {{"content-type": "application/json", "authorization": f"Bearer {{call.api_key}}"}}
    request = urllib.request.Request(f"{{call.base_url}}/chat/completions", body, headers)
    try:
        answer = urllib.request.urlopen(request, timeout=call.timeout)
    except urllib.error.HTTPError as exc:
        raise ApiError(exc.code, json.load(exc)) from None
    with answer:
        {reading}

{before}
serve(make, name="small", version="small 1", dialects=["openai-chat"],
      features=["streaming", "non_streaming", "tools"], failures=[ApiError])
"""
RIGHT = """
        if not call.stream:
            yield json.load(answer)
            return
        for line in answer:
            data = line.removeprefix(b"data:").strip()
            if data and data != b"[DONE]":
                yield json.loads(data)
"""
LOSES_TEXT = RIGHT + "                break\n"
READS_NOTHING = "return; yield"
PRINTS = "import os; os.write(1, b'ready\\n')"


def steps_of(path: Path, reading: str, before: str = "") -> list[Step]:
    path.write_text(CLIENT.format(kit=str(KIT), reading=reading.strip(), before=before))
    plan = plan_of("cmd: " + shlex.join([sys.executable, "-S", "-E", str(path)]))

    async def tried() -> list[Step]:
        return [step async for step in smoke(plan)]

    return asyncio.run(tried())


def test_a_right_shim_is_ok_in_every_step(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "client.py", RIGHT)
    assert [step.what for step in steps] == [
        "openai-chat: a refused key",
        "openai-chat: a streamed answer",
        "openai-chat: a whole answer",
        "openai-chat: a tool call",
        "calls at once",
        "a cancelled call",
        "the end of stdin",
    ]
    assert [step for step in steps if step.says is not Says.OK] == []


def test_a_client_that_loses_text_is_not_the_shim_s_fault(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "client.py", LOSES_TEXT)
    said = {step.what: step.says for step in steps}
    assert said["openai-chat: a streamed answer"] is Says.CLIENT
    assert Says.SHIM not in said.values()


def test_a_program_that_prints_on_stdout_is_at_fault(tmp_path: Path) -> None:
    path = tmp_path / "client.py"
    path.write_text(CLIENT.format(kit=str(KIT), reading=RIGHT.strip(), before=PRINTS))
    line = shlex.join([sys.executable, "-S", "-E", str(path)])
    result = CliRunner().invoke(tapecheck, ["smoke", line], standalone_mode=False)
    assert result.return_value == 1
    assert 'disturbed the messages of its process: not a message, but "ready"' in result.output


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("good", "no request came to base_url: is it given to the client?"),
        ("foreign", "no request came to base_url: the client raised odd"),
        ("crash", "the program ended its process (exit code 3)"),
        ("not-run", "could not make the call: the disk is full"),
    ],
)
def test_a_wrong_shim_is_told_what_is_wrong(name: str, why: str) -> None:
    program = Path(__file__).parents[1] / "clients" / "command.py"
    line = shlex.join([sys.executable, "-S", "-E", str(program), name])
    result = CliRunner().invoke(tapecheck, ["smoke", line], standalone_mode=False)
    assert result.return_value == 1
    assert why in result.output
