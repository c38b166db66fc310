from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from harness.cli import main
from mockserver.library import library
from mockserver.recording.modes import Mode
from mockserver.recording.providers import DUMMY_KEY
from tests.mockserver.live import EVENT, KEY, Live
from tests.mockserver.rawhttp import cassette, interaction

ROOT = Path(__file__).parents[3]

#: A client: prints its variables, sends a request for each argument, and exits with the last.
CLIENT = """
import os, sys, urllib.request
key = os.environ["OPENAI_API_KEY"]
print("key", key, os.environ["LIVE_KEY"], os.environ["TAPECHECK_API_KEY"])
for text in sys.argv[1:-1]:
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        data=b'{"q": "%s"}' % text.encode(),
        headers={"content-type": "application/json", "authorization": "Bearer " + key},
    )
    print("got", urllib.request.urlopen(request).read())
sys.exit(int(sys.argv[-1]))
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE_KEY", KEY)
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def options(live: Live, tmp_path: Path) -> list[str]:
    """The live endpoint as a provider of the user's own."""
    file = tmp_path / "providers.yaml"
    file.write_text(live.providers_file())
    return ["--providers", str(file), "--provider", "local"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cassettes" / "mine.yaml"


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["record", *map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def client(*texts: str, code: int = 0) -> list[str]:
    return ["--", sys.executable, "-c", CLIENT, *texts, str(code)]


def test_a_command_is_recorded(
    options: list[str], path: Path, live: Live, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*options, "-o", path.with_suffix(""), "--note", "server=x-1", *client("a", "b")) == 0
    out, err = capfd.readouterr()
    # The command has standard output to itself, and never sees the key.
    answer = EVENT % b"Hello" + b"data: [DONE]\n\n"
    assert out.splitlines() == [
        f"key {DUMMY_KEY} {DUMMY_KEY} {DUMMY_KEY}",
        f"got {answer!r}",
        f"got {answer!r}",
    ]
    assert f"1 POST /v1/chat/completions: 200, 2 pieces, {len(answer)} bytes" in err
    assert f"wrote {path}: 2 interactions" in err
    assert KEY not in out + err
    recorded = library.load(path).interactions
    assert [json.loads(i.request.body)["q"] for i in recorded] == ["a", "b"]
    assert recorded[0].response.wire.recorded["server"] == "x-1"
    assert {r[2]["Authorization"] for r in live.requests} == {f"Bearer {KEY}"}


def test_a_command_that_fails_keeps_the_old_cassette(
    options: list[str], path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*options, "-o", path, *client("a")) == 0
    before = path.read_bytes()
    assert run(*options, "-o", path, *client("b", code=7)) == 7
    assert "exited with 7: no cassette written" in capfd.readouterr().err
    assert path.read_bytes() == before
    assert [f.name for f in path.parent.iterdir()] == [path.name]


def test_a_second_recording_reports_differences(
    options: list[str], path: Path, words: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    run(*options, "-o", path, *client("a"))
    run(*options, "-o", path, *client("a"))
    assert "1 interaction, 1 unchanged\n  no difference" in capfd.readouterr().err
    words["text"] = "Bye"
    run(*options, "-o", path, *client("a"))
    assert "body.choices[].delta.content: Hello → Bye" in capfd.readouterr().err


def test_a_secret_is_refused(
    options: list[str], path: Path, words: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    words["text"] = KEY[:9] + '"}}]}\n\ndata: {"choices": [{"delta": {"content": "' + KEY[9:]
    assert run(*options, "-o", path, *client("a")) == 1
    err = capfd.readouterr().err
    assert "not written" in err
    assert "deltas at choices/delta/content: a known secret" in err
    assert KEY not in err
    assert not path.exists()


@pytest.mark.parametrize("command", [True, False])
def test_drift_is_reported_and_nothing_written(
    options: list[str],
    path: Path,
    words: dict[str, str],
    command: bool,
    capfd: pytest.CaptureFixture[str],
) -> None:
    asks = client("a") if command else []
    run(*options, "-o", path, *client("a"))
    before = path.read_bytes()
    assert run(*options, "--mode", "diff", "-o", path, *asks) == 0
    words["text"] = "Other words"
    assert run(*options, "--mode", "diff", "-o", path, *asks) == 0
    words["text"] = 'x", "refusal": "no'
    assert run(*options, "--mode", "diff", "-o", path, *asks) == 1
    err = capfd.readouterr().err
    assert "~ 0 POST /v1/chat/completions: field body.choices[].delta.refusal appears" in err
    assert command or "\n1 cassette compared\n" in err
    assert path.read_bytes() == before


def test_a_directory_is_compared_without_a_command(
    options: list[str], path: Path, live: Live, capfd: pytest.CaptureFixture[str]
) -> None:
    run(*options, "-o", path, *client("a"))
    library.write(cassette(interaction(b"{}"), path=path.with_name("imported.yaml")))
    (recorded,) = library.load(path).interactions
    body = b'{"input": [{"encrypted_content": "encrypted_REDACTED_1"}], "user": "user_REDACTED_1"}'
    opaque = replace(recorded, request=replace(recorded.request, body=body))
    library.write(cassette(opaque, path=path.with_name("opaque.yaml")))
    capfd.readouterr()
    assert run(*options, "--mode", "diff", "-o", path.parent) == 1
    err = capfd.readouterr().err
    assert f"{path}: 1 interaction compared\n  no difference" in err
    assert "interaction 0 cannot be sent again: its encrypted was redacted" in err
    assert "2 cassettes compared, 1 not recorded" in err
    assert [json.loads(r[3])["q"] for r in live.requests] == ["a", "a"]


def test_a_run_of_a_part_may_add_to_a_cassette(
    options: list[str], path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(*options, "-o", path, *client("a"))
    capfd.readouterr()
    assert run(*options, "--mode", "new_episodes", "-o", path, *client("b")) == 0
    err = capfd.readouterr().err
    assert f"wrote {path}: 2 interactions, 1 unchanged" in err
    assert (
        f"{path}: interaction 0 was never requested: POST /v1/chat/completions; it is kept" in err
    )
    # A replay shall be of the same requests.
    assert run(*options, "--mode", "none", "-o", path, *client("b")) == 1


def test_every_mode_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    lines = {line.strip() for line in capsys.readouterr().out.splitlines()}
    assert {f"{mode}: {mode.meaning}" for mode in Mode} <= lines


def test_replaying_needs_no_network(
    options: list[str], path: Path, live: Live, capfd: pytest.CaptureFixture[str]
) -> None:
    run(*options, "-o", path, *client("a"))
    assert run(*options, "--mode", "none", "-o", path, *client("a")) == 0
    assert run(*options, "--mode", "none", "-o", path, *client()) == 1
    assert "interaction 0 was never requested" in capfd.readouterr().err
    assert len(live.requests) == 1


def test_in_ci_the_network_needs_an_option(
    options: list[str],
    path: Path,
    live: Live,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CI", "true")
    assert run(*options, "-o", path, *client("a")) == 2
    assert "add --in-ci" in capfd.readouterr().err
    assert live.requests == []
    assert run(*options, "-o", path, "--in-ci", *client("a")) == 0
    assert run(*options, "-o", path, "--mode", "none", *client("a")) == 0


def test_old_recordings_are_reported(
    options: list[str], path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(*options, "-o", path, *client("a"))
    (recorded,) = library.load(path).interactions
    wire = replace(recorded.response.wire, recorded={"at": "2020-01-01T00:00:00Z"})
    old = replace(recorded, response=replace(recorded.response, wire=wire))
    library.write(cassette(old, path=path))
    replayed = [*options, "--mode", "none", "-o", str(path), "--max-age", "30d"]
    assert run(*replayed, *client("a")) == 0
    assert "days ago; re-record it" in capfd.readouterr().err
    assert run(*replayed, "--strict-age", *client("a")) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "x", "--", "true"], "name a --provider"),
        (["-p", "nobody", "-o", "x", "--", "true"], "no provider 'nobody'; known providers:"),
        (["-p", "openai", "-o", "x", "--", "true"], "needs its key in OPENAI_API_KEY"),
        (["-p", "azure", "-o", "x", "--", "true"], "a base URL for each account"),
        (["--upstream", "http://x", "-o", "x", "--", "true"], "needs a --provider"),
        (["-p", "llamacpp", "--upstream", "x", "-o", "x", "--", "true"], "must look like http"),
        (["-p", "llamacpp", "-o", "x", "--note", "x", "--", "true"], "NAME=VALUE"),
        (["-p", "llamacpp", "-o", "x", "--max-age", "x", "--", "true"], "such as 12h"),
        (["-p", "llamacpp", "-o", "x", "--", "no-such-command"], "cannot run no-such-command"),
        (["-p", "llamacpp", "-o", "x", "--mode", "none", "--", "true"], "no such cassette"),
        (["-p", "llamacpp", "-o", "x", "--mode", "diff"], "no such file"),
        (["-p", "llamacpp", "-o", "x", "--providers", "no.yaml", "--", "true"], "cannot be read"),
    ],
)
def test_a_wrong_option_is_reported(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for variable in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    assert message in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_command_it_records_until_it_is_interrupted(
    options: list[str], path: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "record", *options, "-o", str(path)],
        cwd=ROOT,
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    printed = {}
    for line in process.stderr:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not equals:
            break
        printed[name] = value
    assert printed["OPENAI_API_KEY"] == DUMMY_KEY
    with httpx.Client(trust_env=False) as asking:
        assert asking.post(f"{printed['OPENAI_BASE_URL']}/chat/completions").status_code == 200
    process.send_signal(number)
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(10) == 0
    assert f"wrote {path}: 1 interaction" in rest
    assert len(library.load(path).interactions) == 1


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("obeys", [True, False])
def test_a_signal_ends_the_command_and_says_what_became_of_the_recording(
    options: list[str], path: Path, tmp_path: Path, obeys: bool
) -> None:
    client = tmp_path / "client.py"
    client.write_text(
        "import os, signal, sys, time\n"
        + ("" if obeys else "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n")
        + f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    code = (
        "import harness.commands.child as c; c._PATIENCE = 0.5\n"
        "from harness.cli import main; main()"
    )
    arguments = ["record", *options, "-o", str(path), "--", sys.executable, str(client)]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "stopped by SIGTERM" in err
    assert "was ended, no cassette written" in err
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert not path.exists()


def test_a_broken_cassette_does_not_end_a_comparison(
    options: list[str], path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = tmp_path / "client.py"
    client.write_text(CLIENT)
    assert run(*options, "-o", path, "--", sys.executable, client, "hi", "0") == 0
    (path.parent / "broken.yaml").write_text("version: 2\ninteractions: []\n")
    assert run(*options, "--mode", "diff", "-o", path.parent) == 2
    shown = capsys.readouterr().err
    assert "not compared: " in shown
    assert "1 cassette compared" in shown
