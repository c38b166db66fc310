from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from harness.errors import ReportError, SetupError
from harness.plan.expand import Axes
from harness.plan.planning import Settings, make_plan
from harness.run import evidence
from harness.run.run import run
from mockserver.vocabulary.model import JsonObject

LEAKING = """\
from harness import adapter

@adapter(dialects=["openai-chat"], features=["streaming"])
async def leaking(call):
    import httpx
    headers = {"authorization": f"Bearer {call.api_key}"}
    async with httpx.AsyncClient() as client:
        await client.post(call.base_url + "/chat/completions", headers=headers, json={"a": 1})
    yield {"type": "content_delta", "delta": "half \\ud83d " + call.api_key}
"""


def run_with(adapter: str, keep: Path) -> list[JsonObject]:
    settings = Settings(
        adapters=(adapter,),
        patterns=("openai-chat/text-basic/recorded",),
        axes=Axes(mode="none"),
        keep=keep,
    )

    plan = make_plan(settings)

    async def play() -> list[JsonObject]:
        return [record async for record in run(plan)]

    return asyncio.run(play())


def test_a_failing_case_is_written_with_its_evidence_and_without_its_key(tmp_path: Path) -> None:
    adapter = tmp_path / "leaking.py"
    adapter.write_text(LEAKING)
    run_with(str(adapter), tmp_path / "kept")
    (path,) = (tmp_path / "kept").iterdir()
    assert path.name == "openai-chat__text-basic__recorded@leaking.json"
    assert "sk-tapecheck-" not in path.read_text()
    data = evidence.read(path)
    (turn,) = data["turns"]
    assert turn["events"][0]["delta"] == r"half \ud83d [key]"
    assert turn["requests"][0]["body"] == '{"a":1}'
    first = base64.b64decode(turn["answers"][0]["chunks"][0]["base64"])
    assert first.startswith(b'data: {"id":')
    assert data["explanation"].startswith("FAIL  openai-chat/text-basic/recorded@leaking\n")


OWN = """\
from harness import ClientError, adapter

SENT, REFRESHED = "purple-monkey-1-dishwasher", "correct-horse-2-battery"

@adapter(dialects=["openai-chat"], features=["streaming"])
async def own(call):
    import httpx
    headers = {"authorization": f"Bearer {SENT}", "content-type": "application/json"}
    body = {"refresh_token": REFRESHED, "note": f"as {SENT}", "model": "m"}
    async with httpx.AsyncClient() as client:
        await client.post(call.base_url + "/chat/completions", headers=headers, json=body)
    yield {"type": "content_delta", "delta": f"{SENT} or {REFRESHED}"}
    raise RuntimeError(f"refused {SENT}")
"""


def test_credentials_of_a_client_s_own_are_in_no_report(tmp_path: Path) -> None:
    adapter = tmp_path / "own.py"
    adapter.write_text(OWN)
    records = run_with(str(adapter), tmp_path / "kept")
    (path,) = (tmp_path / "kept").iterdir()
    for text in (path.read_text(), repr(records)):
        assert "purple-monkey" not in text
        assert "correct-horse" not in text
    (turn,) = evidence.read(path)["turns"]
    assert turn["events"][0]["delta"] == "[key] or [key]"
    assert '"note":"as [key]"' in turn["requests"][0]["body"].replace(": ", ":")
    assert '"model":"m"' in turn["requests"][0]["body"].replace(": ", ":")


def test_a_passing_case_is_not_written(tmp_path: Path) -> None:
    run_with("openai-compat", tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 1, "explanation": ""}'])
def test_other_files_are_rejected(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ReportError, match="not a transcript file"):
        evidence.read(path)


def test_an_unwritable_directory_is_an_error(tmp_path: Path) -> None:
    adapter = tmp_path / "leaking.py"
    adapter.write_text(LEAKING)
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot write the transcript"):
        run_with(str(adapter), tmp_path / "file" / "below")
