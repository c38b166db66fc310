from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.openai_compat import client
from harness.cli import tapecheck
from harness.errors import SelectionError, SetupError
from harness.fuzz import searching, witness
from harness.fuzz.searching import OurFaultError
from tests.harness.fuzz import planted


@pytest.fixture(autouse=True)
def _few_shrinks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    shorter = {**(searching.Search.__init__.__kwdefaults__ or {}), "shrinks": 2}
    monkeypatch.setattr(searching.Search.__init__, "__kwdefaults__", shorter)


def fuzz(*words: str) -> Any:
    chosen = ("fuzz", "--adapter", "openai-compat", "--dialect", "openai-chat", *words)
    return tapecheck.main(chosen, standalone_mode=False)


class Shouts(planted._Changing):
    def delta(self, delta: Any) -> Any:
        text = delta.get("content")
        return {**delta, "content": f"{text}!"} if isinstance(text, str) else delta


def test_a_right_client_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz("--examples", "2", "--seed", "3") == 0
    assert capsys.readouterr().out == (
        "openai-chat: 2 wires played: too few to say much, give it more --minutes\n"
        "0 causes of failures, seed 3\n"
    )


def test_a_wrong_client_fails_with_files_and_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ChatStream", Shouts)
    assert fuzz("--examples", "3", "-o", "kept") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("MUST text: text")
    assert Path(lines[2].strip()).is_file()
    assert Path(lines[3].strip()).is_file()
    assert lines[4].startswith("  tapecheck run --adapter openai-compat --scenarios kept/scenarios")


def test_a_dialect_that_the_client_does_not_speak() -> None:
    with pytest.raises(SelectionError, match="openai-compat does not speak 'gemini'"):
        fuzz("--dialect", "gemini")


def test_without_hypothesis_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError) as caught:
        fuzz()
    assert "pip install 'tapecheck[fuzz]'" in str(caught.value)
    assert caught.value.exit_code == 3


def test_no_wire_at_all_is_an_error() -> None:
    with pytest.raises(SetupError, match="no wire was played"):
        fuzz("--minutes", "1e-9")


def test_a_disagreement_of_a_dialect_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "disagreement", lambda wire, sent: "text: 'a' written, '' read")
    with pytest.raises(OurFaultError, match="fuzz/openai-chat-disagreement-"):
        fuzz("--examples", "1")
