"""A full disk is exit code 3, and one line that names the file; what was there stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from tests.mockserver.live import KEY, Live, stream

resource = pytest.importorskip("resource")

ROOT = Path(__file__).parents[2]
#: pytest itself needs a few files before.
TEST = """
import resource, urllib.request

def test_hello(tapecheck):
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    request = urllib.request.Request(tapecheck("local").base_url + "/x", data=b"{}")
    urllib.request.build_opener().open(request).read()
"""
CLIENT = 'import os, urllib.request as u; u.urlopen(os.environ["TAPECHECK_BASE_URL"] + "/x", b"{}")'
QUICK = ("openai-chat/text-basic", "--axes", "none", "--no-faults", "-j", "1", "-a")
#: Fails every case.
ADAPTER = """
from harness import adapter

@adapter(dialects=["openai-chat"], features=["streaming"])
async def mine(call):
    yield {"type": "content_delta", "delta": "never right"}
"""


def _fill_up() -> None:
    # No file may get longer, as on a full disk; a pipe may.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def done(
    place: Path, *arguments: str, full: bool = True, out: str | None = None
) -> tuple[int, list[str]]:
    """Run a command where nothing can be written; return its exit code and what it says."""
    settings = {"CI": "", "LIVE_KEY": KEY, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    with Path(out or os.devnull).open("w") as stdout:
        found = subprocess.run(
            [sys.executable, *arguments],
            cwd=place,
            env={**os.environ, **settings},
            stdout=stdout if out else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_fill_up if full else None,
        )
    said = (found.stdout or "") + found.stderr
    assert "Traceback" not in said
    return found.returncode, [line for line in said.splitlines() if line]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(ADAPTER)
    cassette = (ROOT / "cassettes/openai-chat/text-basic.yaml").read_text(encoding="utf-8")
    (tmp_path / "plain.yaml").write_text(cassette[: cassette.index("    wire:\n")])
    return tmp_path


@pytest.fixture
def recordable(tmp_path: Path) -> Path:
    (tmp_path / "test_mine.py").write_text(TEST)
    return tmp_path


async def _answer(request: web.Request) -> web.StreamResponse:
    return await stream(request, b"data: x\n\n")


def test_a_recording_on_a_full_disk(tmp_path: Path) -> None:
    old = tmp_path / "tape.yaml"
    old.write_text("version: 1\ninteractions: []\n")
    with Live(_answer) as live:
        (tmp_path / "providers.yaml").write_text(live.providers_file())
        options = ("-p", "local", "--providers", "providers.yaml", "-o", "tape")
        client = (sys.executable, "-c", CLIENT)
        code, said = done(tmp_path, "-m", "harness", "record", *options, "--", *client)
    assert (code, said[-1]) == (3, "tapecheck: tape.yaml: cannot be written: File too large")
    assert old.read_text() == "version: 1\ninteractions: []\n"
    assert list(tmp_path.glob(".tape*")) == []


@pytest.mark.parametrize("processes", ["0", "2"] if "TAPECHECK_EXHAUSTIVE" in os.environ else ["0"])
def test_pytest_record_on_a_full_disk(recordable: Path, processes: str) -> None:
    with Live(_answer) as live:
        (recordable / "providers.yaml").write_text(live.providers_file())
        (recordable / "pytest.ini").write_text(
            "[pytest]\ntapecheck_providers = providers.yaml\naddopts = -p no:cacheprovider\n"
        )
        code, said = done(recordable, "-m", "pytest", "--record", "-s", "-n", processes, full=False)
    assert code == 3
    path = recordable / "cassettes/test_mine/test_hello.yaml"
    assert f"{path}: cannot be written: File too large" in said
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("import", "plain.yaml", "-o", "out"), "out/plain.yaml"),
        (("run", *QUICK, "openai-compat"), ".tapecheck/last-run.ndjson"),
        (("run", *QUICK, "mine.py", "--keep", "kept"), ".tapecheck/last-run.ndjson"),
        (("init", "openai"), "my_client.py"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_verb_on_a_full_disk(place: Path, arguments: tuple[str, ...], name: str) -> None:
    code, said = done(place, "-m", "harness", *arguments)
    assert code == 3
    assert any(line.startswith(f"tapecheck: {name}: cannot be written: ") for line in said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
@pytest.mark.parametrize("option", ["--results", "--output"])
def test_a_run_whose_file_cannot_get_longer_is_reported(place: Path, option: str) -> None:
    line = ("-m", "harness", "run", *QUICK, "openai-compat", option, "/dev/full")
    code, said = done(place, *line, full=False)
    assert (code, said[-2]) == (
        3,
        "tapecheck: /dev/full: cannot be written: No space left on device",
    )
    assert any("3 passed" in line for line in said) == (option == "--results")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_below_standard_output(place: Path) -> None:
    code, said = done(place, "-m", "harness", "list", full=False, out="/dev/full")
    assert (code, said) == (3, ["tapecheck: standard output: No space left on device"])
