"""``tapecheck serve`` with answers of its own, and without recordings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import click
import httpx
import pytest

from harness.commands import greeting, serve
from harness.commands.answering import Answering, split
from mockserver import MockServer
from mockserver.errors import ScriptError
from mockserver.serving import EveryHost

ROOT = Path(__file__).parents[3]
HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def answering(
    scripts: Sequence[Path] = (),
    cassettes: Sequence[Path] = (),
    *,
    answer: bool = False,
    **words: object,
) -> Answering:
    return Answering(
        scripts=tuple(scripts),
        cassettes=tuple(cassettes),
        answer=answer,
        verdict=False,
        words=words,
    )


def settings(
    scripts: Sequence[Path] = (),
    cassettes: Sequence[Path] = (),
    *,
    answer: bool = False,
    **words: object,
):
    return answering(scripts, cassettes, answer=answer, **words).settings()


def script(directory: Path, text: str) -> Path:
    path = directory / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_scripts_are_told_from_cassettes_by_what_they_say(tmp_path: Path) -> None:
    found = script(tmp_path, "answers:\n- say: a\n")
    (tmp_path / "broken.yaml").write_text("answers:\n- [")
    (tmp_path / "tape.yaml").write_text("interactions: []\n")
    files = (found, tmp_path / "tape.yaml", tmp_path / "broken.yaml", tmp_path)
    assert split(files) == ((files[0], files[2]), (files[1], files[3]))


def test_recordings_are_not_answered_unless_that_is_asked_for(tmp_path: Path) -> None:
    assert settings(cassettes=[tmp_path]) is None
    assert settings(cassettes=[tmp_path], answer=True) is not None
    assert settings() is not None
    with pytest.raises(click.UsageError, match="--seed is for answers that are made"):
        settings(cassettes=[tmp_path], seed=3)


def test_the_options_are_those_of_the_answers(tmp_path: Path) -> None:
    found = settings([script(tmp_path, "answers:\n- say: a\n")], seed=7, first="300ms", pace="50/s")
    assert found is not None
    assert (found.seed, found.pace.first_ms, found.pace.each_ms) == (7, 300.0, 20.0)
    assert [rule.steps[0].say for rule in found.script.rules] == ["a"]
    with pytest.raises(ScriptError, match=r"^--pace: a pace is such as 50/s"):
        settings(pace="quick")


def test_a_mistake_in_a_script_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"answers\.yaml:2: unknown key 'sai'"):
        settings([script(tmp_path, "answers:\n- sai: a\n")])


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("retries", "code"), [("0", 0), ("1", 1)])
def test_the_verdict_is_the_exit_code(tmp_path: Path, retries: str, code: int) -> None:
    path = script(tmp_path, "answers:\n- fail: 429, retry 60s\n- say: ok\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "serve", str(path), "--verdict"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    with httpx.Client(base_url=url, trust_env=False) as client:
        answers = [
            client.post(
                "/v1/chat/completions", json=HELLO, headers={"x-stainless-retry-count": count}
            )
            for count in ("0", retries)
        ]
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert [answer.status_code for answer in answers] == [429, 200]
    assert process.returncode == code
    assert "tapecheck verdict: " in out
    assert ("FAIL  retry-after" in out) is bool(code)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_the_verdict_is_shown_where_answers_may_not_be_saved(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "serve", "--verdict", "--save", str(tmp_path / "saved")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    key = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    said = [{"role": "user", "content": f"say {key}"}]
    # No key that comes in several deltas can be replaced.
    body = {"model": "any", "messages": said, "stream": True}
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
        client.post("/v1/chat/completions", json=body)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "FAIL  key" in out
    assert "not written" in errors
    assert key not in out + errors


def slow(tmp_path: Path, answer: str, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a server with one answer that takes its time; return it with its URL."""
    path = script(tmp_path, f"answers:\n- {answer}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "serve", str(path), *(options or ("--quiet",))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_last_requests_are_shown_with_their_numbers(
    tmp_path: Path, number: signal.Signals
) -> None:
    process, url = slow(tmp_path, "{say: one two three, cut: 2}", "--seed", "1")
    streamed = {**HELLO, "stream": True}
    with httpx.Client(base_url=url, trust_env=False) as client:
        for path, body in (("chat/completions", streamed), ("nothing", {})):
            client.post(f"/v1/{path}", json=body)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    first, second = [line for line in err.splitlines() if line.startswith("#")]
    path = tmp_path / "answers.yaml"
    assert first.startswith("#0 POST /v1/chat/completions -> rule ")
    assert f"{path.name}:2, cut=2, 200 finished, " in first
    assert second.startswith("#1 POST /v1/nothing -> refused, 404 finished, ")
    assert first.endswith(" bytes")
    assert " bytes: refused: tapecheck: POST /v1/nothing is not served" in second
    assert err.splitlines()[-1] == "stopped"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_proxy_names_the_script_that_it_answers_with(tmp_path: Path) -> None:
    process, _ = slow(tmp_path, "{say: one}", "--proxy")
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert first.startswith(f"First {tmp_path / 'answers.yaml'}; what these leave open")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_what_is_to_be_trusted_comes_before_what_is_to_be_tried(tmp_path: Path) -> None:
    process, _ = slow(tmp_path, "{say: one}", "--tls")
    assert process.stdout is not None
    lines = list(iter(process.stdout.readline, "Try it:\n"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    exported = {line.strip().partition("=")[0] for line in lines}
    assert exported >= {"export SSL_CERT_FILE", "export CURL_CA_BUNDLE", "export AWS_CA_BUNDLE"}


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_sigterm_lets_the_answers_in_progress_end(tmp_path: Path) -> None:
    process, url = slow(tmp_path, "{say: one two three four five six seven eight, pace: 10/s}")
    streamed = {**HELLO, "stream": True}
    with httpx.stream(
        "POST", f"{url}/v1/chat/completions", json=streamed, trust_env=False
    ) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        process.send_signal(signal.SIGTERM)
        assert "data: [DONE]" in list(lines)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err.endswith("\nstopped\n")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_second_sigterm_does_not_wait(tmp_path: Path) -> None:
    process, url = slow(tmp_path, "{say: one two three four five six seven eight, stall: 2}")
    streamed = {**HELLO, "stream": True}
    with httpx.stream(
        "POST", f"{url}/v1/chat/completions", json=streamed, trust_env=False
    ) as answer:
        # Kept: the connection is closed with the last reference.
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("stopping")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "some answers were interrupted" in err


def test_the_container_starts_a_command_that_exists() -> None:
    text = (ROOT / "Containerfile").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("ENTRYPOINT")]
    words = json.loads(line.removeprefix("ENTRYPOINT "))
    assert words[:2] == ["tapecheck", "serve"]
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words[1:], "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert {"codings", "fast", "tls"} <= extras.keys()


def test_a_proxy_says_whether_it_makes_answers(tmp_path: Path) -> None:
    path = script(tmp_path, "answers:\n- say: Servus\n")
    every = EveryHost(lambda _: None)
    with MockServer((), proxy_hosts=every, backend=settings([path])) as server:
        made = list(greeting.lines(server, answering([path])))
    assert made[0] == f"Answering any request on {server.url}, as a proxy for any host"
    assert made[1] == f"First {path}; what these leave open is made up."
    assert f"  export HTTPS_PROXY={server.url}" in made
    assert any(line.startswith("  curl https://api.openai.com/v1/") for line in made)
    tapes = tmp_path / "tapes"
    tapes.mkdir()
    with MockServer(tapes, proxy_hosts=every) as server:
        played = list(greeting.lines(server, answering(cassettes=[tapes])))
    assert played[0] == f"Serving 0 cassettes on {server.url}, as a proxy for any host"
    assert not any("api.openai.com" in line for line in played)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("is_idle", "said"), [(True, "stopped\n"), (False, "interrupted\n")])
def test_a_second_signal_interrupts_only_what_is_open(
    is_idle: bool, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    class Server:
        def drain(self, seconds: float) -> bool:
            if seconds:
                signal.raise_signal(signal.SIGTERM)
            return is_idle

    before = signal.getsignal(signal.SIGTERM)
    try:
        serve._drain(Server(), lambda **_: None)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err.endswith(said)
