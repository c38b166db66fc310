"""What docs/RECORDING.md says of a client with a fixed host: recorded, then replayed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from mockserver.library import library
from tests.mockserver.live import EVENT, KEY, Live, stream
from tests.mockserver.tls import ca_file, server_context

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "RECORDING.md").read_text(encoding="utf-8")
HOST = "https://api.openai.com"
ANSWER = (EVENT % b"Hello" + b"data: [DONE]\n\n").decode()


@pytest.fixture
def live() -> Iterator[Live]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, EVENT % b"Hello", b"data: [DONE]\n\n")

    with Live(answer, server_context()) as running:
        yield running


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {n: v for n, v in os.environ.items() if n != "CI" and "proxy" not in n.lower()}
    own = {"OPENAI_API_KEY": KEY, "SSL_CERT_FILE": str(ca_file(tmp_path)), "PYTHONPATH": str(ROOT)}
    return {**kept, **own}


@pytest.fixture
def program(tmp_path: Path) -> str:
    (found,) = re.findall(r"<!-- file: fixed_host.py -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "fixed_host.py").write_text(found)
    return str(found)


def command(start: str, upstream: str = "") -> list[str]:
    """Return a command of the document, with this Python."""
    (line,) = [line for line in TEXT.splitlines() if line.startswith(start)]
    words = shlex.split(line)
    if upstream:
        at = words.index("-o")
        words[at:at] = ["--upstream", f"{upstream}/v1"]
    words = [sys.executable if word == "python" else word for word in words]
    return [sys.executable, "-m", "harness", *words[1:]]


def run(
    words: list[str], cwd: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60
    )


def test_a_fixed_host_is_recorded_and_replayed(
    live: Live, program: str, environment: dict[str, str], tmp_path: Path
) -> None:
    # The one host of the example that is not ours to ask.
    (tmp_path / "fixed_host.py").write_text(program.replace(HOST, live.url))
    done = run(command("tapecheck record --proxy -p", live.url), tmp_path, environment)
    assert (done.returncode, done.stdout) == (0, f"{ANSWER}\n"), done.stderr
    assert KEY not in (tmp_path / "mine.yaml").read_text()
    assert len(library.load(tmp_path / "mine.yaml").interactions) == 1
    replay = command("tapecheck record --proxy --mode none", live.url)
    done = run(replay, tmp_path, environment)
    assert (done.returncode, done.stdout) == (0, f"{ANSWER}\n"), done.stderr
    assert len(live.requests) == 1

    (tmp_path / "fixed_host.py").write_text(program)
    serve = command("tapecheck serve mine.yaml --proxy")
    with subprocess.Popen(
        serve,
        cwd=tmp_path,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            if line.startswith("Lists"):
                break
            lines.append(line.strip())
        exports = "\n".join(line for line in lines if line.startswith("export "))
        script = f"{exports}\nexec '{sys.executable}' fixed_host.py"
        done = run(["sh", "-c", script], tmp_path, environment)
        process.terminate()
        process.communicate(timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{ANSWER}\n"), done.stderr
    assert len(live.requests) == 1
