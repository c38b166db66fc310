"""``tapecheck record --proxy``, as a process in front of clients that have no base URL."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from mockserver.library import library
from mockserver.recording.providers import DUMMY_KEY
from tests.mockserver.live import EVENT, KEY, Live, stream
from tests.mockserver.tls import ca_file, server_context

ROOT = Path(__file__).parents[3]
ANSWER = EVENT % b"Hello" + b"data: [DONE]\n\n"

URLLIB = """
import os, sys, urllib.request
headers = {"authorization": os.environ["OPENAI_API_KEY"]}
request = urllib.request.Request(sys.argv[1], b"{}", headers)
print(urllib.request.urlopen(request).read())
"""
#: Reads SSL_CERT_FILE, and HTTPS_PROXY.
HTTPX = """
import os, sys, httpx
headers = {"authorization": os.environ["OPENAI_API_KEY"]}
print(httpx.post(sys.argv[1], content=b"{}", headers=headers).content)
"""
#: Reads REQUESTS_CA_BUNDLE.
REQUESTS = """
import os, sys, requests
headers = {"authorization": os.environ["OPENAI_API_KEY"]}
print(requests.post(sys.argv[1], data=b"{}", headers=headers).content)
"""
CURL = ["curl", "-sS", "-X", "POST", "-H", "authorization: x"]


@pytest.fixture
def live() -> Iterator[Live]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, EVENT % b"Hello", b"data: [DONE]\n\n")

    with Live(answer, server_context()) as running:
        yield running


@pytest.fixture
def record(live: Live, tmp_path: Path) -> list[str]:
    file = tmp_path / "providers.yaml"
    file.write_text(live.providers_file())
    command = [sys.executable, "-m", "harness", "record", "--proxy"]
    return [*command, "--providers", str(file), "-p", "local", "-o", str(tmp_path / "mine.yaml")]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    own = {"LIVE_KEY": KEY, "SSL_CERT_FILE": str(ca_file(tmp_path)), "PYTHONPATH": str(ROOT)}
    kept = {n: v for n, v in os.environ.items() if n != "CI" and "proxy" not in n.lower()}
    return {**kept, **own}


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("program", [URLLIB, HTTPX, REQUESTS])
def test_a_client_with_a_fixed_host_is_recorded(
    record: list[str], environment: dict[str, str], live: Live, tmp_path: Path, program: str
) -> None:
    url = f"{live.url}/v1/chat/completions"
    done = run([*record, "--", sys.executable, "-c", program, url], environment)
    assert (done.returncode, done.stdout) == (0, f"{ANSWER!r}\n"), done.stderr
    assert "a proxy" in done.stderr
    assert "wrote" in done.stderr
    assert KEY not in done.stdout + done.stderr
    (sent,) = live.requests
    assert sent[2]["Authorization"] == f"Bearer {KEY}"
    (interaction,) = library.load(tmp_path / "mine.yaml").interactions
    assert interaction.request.uri == url
    # The same client, without the provider.
    again = [*record, "--mode", "none", "--", sys.executable, "-c", program, url]
    done = run(again, environment)
    assert (done.returncode, done.stdout) == (0, f"{ANSWER!r}\n"), done.stderr
    assert len(live.requests) == 1


def test_curl_is_recorded_and_other_hosts_are_blocked(
    record: list[str], environment: dict[str, str], live: Live, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    url = f"{live.url}/v1/chat/completions"
    done = run([*record, "--", *CURL, url], environment)
    assert (done.returncode, done.stdout) == (0, ANSWER.decode()), done.stderr
    script = f"{' '.join(CURL[:4])} {url}; curl -sS https://other.test/ ; true"
    done = run([*record, "--", "sh", "-c", script], environment)
    assert done.returncode == 0
    assert done.stderr.count("other.test is blocked") == 1
    assert "--allow-host other.test" in done.stderr


def test_what_is_printed_can_be_pasted_into_a_shell(
    record: list[str], environment: dict[str, str], live: Live, tmp_path: Path
) -> None:
    with subprocess.Popen(
        record, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            if "press Ctrl-C" in line:
                break
            lines.append(line)
        url = f"{live.url}/v1/chat/completions"
        script = "".join(lines) + f"exec '{sys.executable}' -c \"$0\" {url}"
        done = run(["sh", "-c", script, HTTPX], environment)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert done.stdout == f"{ANSWER!r}\n", done.stderr
    assert f"export OPENAI_API_KEY={DUMMY_KEY}\n" in lines
    # The client's own address is the point of a proxy.
    assert not [line for line in lines if "OPENAI_BASE_URL" in line]
    assert process.returncode == 0
    assert "1 interaction" in rest
    trusted = next(line for line in lines if line.startswith("export SSL_CERT_FILE="))
    assert not Path(trusted.strip().partition("=")[2]).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mode", "diff"), "--proxy needs a client"),
        (("-p", "azure", "--", "true"), "azure has a base URL for each account"),
    ],
)
def test_what_cannot_be_done_is_said(
    record: list[str], environment: dict[str, str], arguments: tuple[str, ...], message: str
) -> None:
    environment["AZURE_OPENAI_API_KEY"] = "k" * 20
    done = run([*record, *arguments], environment)
    assert done.returncode == 2
    assert message in done.stderr


def test_allowed_hosts_are_those_of_a_proxy(record: list[str], environment: dict[str, str]) -> None:
    command = [word for word in record if word != "--proxy"]
    done = run([*command, "--allow-host", "x.test", "--", "true"], environment)
    assert done.returncode == 2
    assert "--allow-host needs --proxy" in done.stderr


def test_without_its_library_the_proxy_names_the_extra(
    record: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    missing = tmp_path / "without"
    missing.mkdir()
    (missing / "trustme.py").write_text("raise ImportError('not here')")
    environment["PYTHONPATH"] = f"{missing}{os.pathsep}{ROOT}"
    done = run([*record, "--", "true"], environment)
    assert done.returncode == 3
    assert "pip install 'tapecheck[tls]'" in done.stderr
    assert "Traceback" not in done.stderr
