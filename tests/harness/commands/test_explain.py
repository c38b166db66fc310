"""What ``tapecheck explain`` prints is enough for a report of a bug."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli

CLIENTS = """
import httpx
from harness import adapter
from harness.adapters import openai_compat

def client(name):
    return adapter(name=name, dialects=["openai-chat"], features=["streaming"], profile="framework")

def inner(call):
    return openai_compat.openai_compat.run(call)

@client("crashes")
async def crashes(call):
    async for item in inner(call):
        if "schön" in getattr(item, "delta", ""):
            raise KeyError(f"no {call.api_key}")
        yield item

@client("spaces")
async def spaces(call):
    async for item in inner(call):
        if "schön" in getattr(item, "delta", ""):
            item = {"type": "content_delta", "delta": item.delta.replace(" ", "\\u2028")}
        if not hasattr(item, "parts"):
            yield item
"""
Explain = Callable[..., str]


@pytest.fixture
def explain(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Explain:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clients.py").write_text(CLIENTS)

    def run(variation: str, name: str, *, code: int = 1, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        case = f"openai-chat/text-basic/{variation}@{name}"
        with pytest.raises(SystemExit) as raised:
            cli.main(["explain", case, "--adapter", f"clients.py:{name}"])
        assert raised.value.code == code
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("columns", [80, 200])
def test_a_difference_is_shown_at_its_wire_event_and_escaped(
    explain: Explain, columns: int
) -> None:
    out = explain("eol=crlf,bom=yes", "spaces", columns=columns)
    flat = " ".join(out.split())
    assert "level must" in flat
    assert "must, text: the answer is wrong" in flat
    assert "\\u2028" in out
    assert "\u2028" not in out
    assert re.search(r"wire event \d+ of \d+, bytes", out)
    excerpt = "".join(out.partition("wire event")[2].partition("reproduce")[0].split("\n    "))
    assert re.search('"content":"[^"]*schön', excerpt)
    assert out.rstrip().splitlines()[-1] == (
        "replay: tapecheck explain openai-chat/text-basic/eol=crlf,bom=yes@spaces "
        "--adapter clients.py:spaces"
    )


def test_a_crash_is_shown_with_its_traceback_and_without_the_key(explain: Explain) -> None:
    out = explain("recorded", "crashes")
    assert "must, crash: no caller is prepared to catch it" in out
    assert re.search(r"^  KeyError: 'no \[key\]'$", out, re.MULTILINE)
    assert re.search(r"^    clients.py:\d+ in crashes$", out, re.MULTILINE)
    assert "sk-tapecheck" not in out
    assert "schön" in out.partition("wire event")[2].partition("traceback")[0]


def test_versions_and_a_reproduction_are_given(explain: Explain) -> None:
    out = explain("eol=crlf,bom=yes", "crashes")
    versions = next(line for line in out.splitlines() if line.startswith("versions "))
    assert re.search(r"tapecheck \S+, Python \S+, httpx \S+", versions)
    url = "http://127.0.0.1:8080/c/openai-chat/text-basic/~eol=crlf,bom=yes/v1"
    assert f"\ncurl -gN '{url}/chat/completions' " in out
    program = out.partition("<<'PY'\n")[2].partition("\nPY\n")[0]
    assert f'\nclient = OpenAI(base_url="{url}", api_key="any", max_retries=0)\n' in program
    compile(program, "program", "exec")


def test_a_kept_transcript_shows_the_same(
    explain: Explain, capsys: pytest.CaptureFixture[str]
) -> None:
    out = explain("recorded", "crashes", columns=100)
    with pytest.raises(SystemExit):
        cli.main(
            [
                *("run", "openai-chat/text-basic/recorded", "--adapter", "clients.py:crashes"),
                *("--axes", "none", "--no-faults", "--keep", "kept"),
            ]
        )
    (path,) = Path("kept").iterdir()
    capsys.readouterr()
    with pytest.raises(SystemExit) as raised:
        cli.main(["explain", str(path)])
    assert raised.value.code == 1
    kept = capsys.readouterr().out.splitlines()
    # The cause is found by playing other wires.
    assert kept == [line for line in out.splitlines() if not line.startswith("cause ")]
