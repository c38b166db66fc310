from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from harness import cli
from tests.mockserver.live import EVENT, Live, stream


@pytest.fixture
def words() -> dict[str, str]:
    return {"text": "Hello"}


@pytest.fixture
def live(words: dict[str, str]) -> Iterator[Live]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, EVENT % words["text"].encode(), b"data: [DONE]\n\n")

    with Live(answer) as running:
        yield running


#: One good scenario without variations: two wire cases with a gate, and one recorded.
QUICK = ("openai-chat/text-basic", "--adapter", "openai-compat", "--axes", "none", "--no-faults")


BROKEN = '''
from harness import adapter
from harness.adapters import openai_compat

@adapter(dialects=["openai-chat"], features=["streaming"])
async def broken(call):
    """Loses a word."""
    async for item in openai_compat.openai_compat.run(call):
        if getattr(item, "delta", "") != " and smile":
            yield item
'''


class Cli:
    """Runs the command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as raised:
            cli.main(arguments)
        self.out, self.err = self._capsys.readouterr()
        code = raised.value.code
        assert isinstance(code, int)
        return code


@pytest.fixture
def tapecheck(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Cli:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "typo.py").write_text(BROKEN.replace("streaming", "streeming"))
    return Cli(capsys)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- the whole -----------------------------------------------------------------------------
