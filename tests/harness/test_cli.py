from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import cli
from tests.harness.conftest import QUICK, Cli

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [[], *([verb] for verb in cli.VERBS)])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = "aiohttp httpx jsonschema junitparser rich wcmatch yaml asyncio"
    code = (
        "import sys\nfrom harness import cli\n"
        f"try: cli.main({[*arguments, '--help']})\nexcept SystemExit as end: assert not end.code\n"
        f"print('heavy:', *(m for m in '{heavy}'.split() if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.endswith("heavy:\n")
    assert all(verb in done.stdout for verb in arguments or cli.VERBS)


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_explains_itself_with_an_example(tapecheck: Cli, verb: str) -> None:
    assert tapecheck(verb, "--help") == 0
    if verb == "baseline":
        assert tapecheck(verb, "update", "--help") == 0
    assert f"  tapecheck {verb}" in tapecheck.out


def test_version(tapecheck: Cli) -> None:
    assert tapecheck("--version") == 0
    assert tapecheck.out.startswith("tapecheck ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["rnu"], "No such command 'rnu' (did you mean run?)"),
        (["juggle"], "No such command 'juggle'\n"),
        (["run", "--axes", "eoll=crlf"], "unknown axis 'eoll' (did you mean eol?); known axes:"),
        (["run", "--axes", "eol=clrf"], "unknown value eol=clrf (did you mean crlf?)"),
        (["run", "-a", "opnai-compat"], "no adapter 'opnai-compat' (did you mean openai-compat?)"),
        (["run", "-a", "typo.py"], "unknown feature 'streeming' (did you mean streaming?)"),
        (["run", "--axes", "eol=none"], "unknown value eol=none; known values:"),
        (["run", "--axes", "fast"], "axes are none, pairwise, all"),
        (["run", "nothing/here"], "pattern 'nothing/here' matches no case"),
        (["run", "--adapter", "nobody"], "no adapter 'nobody'"),
        (["run", "--adapter", "missing.py"], "missing.py: no such adapter file"),
        (["run", "--scenarios", "missing"], "missing: no such directory"),
        (["run", "--recordings", "missing"], "missing: no such file or directory of recordings"),
        (["run", "--failed"], "no earlier run in this directory"),
        (["explain", "openai-chat/text-basic"], "cases; name one of"),
        (["explain", "a/b/eol=cr@openai-compat"], "matches no case"),
        (["report", "missing.ndjson"], "missing.ndjson: cannot be read: No such file"),
        (["verify", "missing"], "missing: no such file or directory"),
        (["serve", "missing"], "missing: no such file or directory"),
        (["serve", "--match-on", "colour"], "unknown part 'colour'"),
        (["lint", "missing"], "missing: no such directory"),
        (["list", "nothing/here"], "no scenario matches"),
        (["baseline", "update", "broken.py"], "this adapter has none"),
        (["baseline", "update", "openai-compat"], "no earlier run in this directory"),
    ],
)
def test_a_mistake_gets_one_message_and_code_2(
    tapecheck: Cli, arguments: list[str], expected: str
) -> None:
    assert tapecheck(*arguments) == 2
    assert expected in tapecheck.err
    assert "Traceback" not in tapecheck.err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli.tapecheck, "main", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main([])


def test_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.tapecheck, "main", interrupted)
    with pytest.raises(SystemExit) as raised:
        cli.main([])
    assert raised.value.code == 130


def test_a_broken_pipe_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "harness", "list", "--what", "features"],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (cli.BROKEN_PIPE, "")


# --- run -----------------------------------------------------------------------------------


def test_explain_shows_both_sides_the_wire_and_the_cause(tapecheck: Cli) -> None:
    case = "openai-chat/text-basic/eol=crlf@broken"
    assert tapecheck("explain", case, "--adapter", "broken.py") == 1
    out = tapecheck.out
    assert out.startswith(f"FAIL  {case}\n")
    assert "text-basic.yaml" in out
    assert "cause        every wire fails, " in out
    assert 'expected, ". 👋" given' in " ".join(out.split())
    assert '"delta":{"content":" and smile"}' in "".join(out.split("\n    "))
    assert f"replay: tapecheck explain {case} --adapter broken.py" in out


def test_explain_lists_the_levels_without_a_case(tapecheck: Cli) -> None:
    assert tapecheck("explain", "--levels") == 0
    assert tapecheck.out.startswith("must: ")
    assert re.search(r"^false-success +a failure reported as success", tapecheck.out, re.M)


@pytest.mark.parametrize("arguments", [["run"], ["explain", "a"]])
def test_a_level_that_does_not_exist(tapecheck: Cli, arguments: list[str]) -> None:
    assert tapecheck(*arguments, "--level", "foo") == 2
    assert "'foo' is not one of 'must', 'should', 'may'" in tapecheck.err


@pytest.mark.parametrize("variation", ["recorded", "framing=one-byte", "cut=2", "hold=2"])
def test_explain_plays_any_case(tapecheck: Cli, variation: str) -> None:
    assert tapecheck("explain", f"openai-chat/text-basic/{variation}@openai-compat") == 0
    assert "checks found nothing wrong." in tapecheck.out


def test_the_baseline_is_updated_with_new_failures(
    tapecheck: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "scenarios").mkdir()
    text = (ROOT / "specs/scenarios/openai-chat/text-basic.yaml").read_text()
    text = text[: text.index("\n# Wire event 1")] + "\nfaults: {skip: quicker}\n"
    (tmp_path / "scenarios/one.yaml").write_text(text)
    (tmp_path / "mine.yaml").write_text("# Mine.\nadapter: broken\nentry: broken.py:broken\n")
    run = ("run", "--adapter", "mine.yaml", "--scenarios", "scenarios")
    assert tapecheck(*run) == 1
    assert tapecheck("baseline", "update", "mine.yaml") == 2
    assert "--reason" in tapecheck.err
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        assert tapecheck("baseline", "update", "mine.yaml", "--reason", "it smiles not") == 3
    assert "mine.yaml: cannot be written: No space left on device" in tapecheck.err
    assert tapecheck("baseline", "update", "mine.yaml", "--reason", "it smiles not") == 0
    assert tapecheck("baseline", "show", "mine.yaml") == 0
    assert "text text\n  in       openai-chat/text-basic/**\n  because  it smiles" in tapecheck.out
    assert (tmp_path / "mine.yaml").read_text().startswith("# Mine.\nadapter: broken\n")
    assert tapecheck(*run) == 0
    assert "19 known to fail" in tapecheck.out
    assert tapecheck(*run, "--axes", "none") == 0
    assert tapecheck("baseline", "update", "mine.yaml") == 0
    assert "mine.yaml: 2 known causes before, 2 now" in tapecheck.out


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{kind: texd, reason: r}", "mine.yaml:4: baseline: unknown kind 'texd' (did you mean"),
        ("{kind: text, cases: no/where/**, reason: r}", "mine.yaml:4: baseline: no scenario match"),
        ("{kind: text}", "mine.yaml:4: "),
        ("{kind: text, signature: turn, cases: x, reason: r}", "mine.yaml:4: "),
    ],
)
def test_a_wrong_baseline_entry_gets_its_place(
    tapecheck: Cli, tmp_path: Path, entry: str, expected: str
) -> None:
    text = f"adapter: broken\nentry: broken.py:broken\nbaseline:\n- {entry}\n"
    (tmp_path / "mine.yaml").write_text(text)
    assert tapecheck("run", "--adapter", "mine.yaml", "--axes", "pairwise") == 2
    assert expected in tapecheck.err
    assert "Traceback" not in tapecheck.err


# --- serve, verify, list, lint -------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.endswith("journal\n"):
            break
    yield process, lines
    process.kill()
    process.communicate()


def test_the_server_greets_with_lines_that_work(
    served: tuple[subprocess.Popen[str], list[str]],
) -> None:
    process, lines = served
    anything, base = (x.partition("=")[2] for x in lines if "OPENAI_BASE_URL" in x)
    assert base.endswith("/c/openai-chat/text-basic/v1")
    keys = next(x for x in lines if " OPENAI_API_KEY=" in x).split()
    assert keys[0] == "export"
    assert {name.partition("=")[0] for name in keys[1:]} >= {
        *("ANTHROPIC_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"),
        *("CO_API_KEY", "GEMINI_API_KEY"),
    }
    _, url, _, body = shlex.split(next(x for x in lines if x.startswith("  curl ")))
    assert url == f"{anything}/chat/completions"
    with urllib.request.urlopen(urllib.request.Request(url, body.encode()), timeout=10) as answer:
        assert answer.headers["x-tapecheck-answer"] == "synthesised"
    curl = next(x for x in lines if "curl -N" in x).split()[2]
    assert curl == f"{base}/chat/completions"
    with urllib.request.urlopen(urllib.request.Request(curl, b"{}"), timeout=10) as answer:
        assert answer.read().endswith(b"data: [DONE]\n\n")
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("#0 POST /v1/chat/completions -> synthesised, 200")
    assert process.stderr.readline() == (
        "#1 POST /v1/chat/completions -> openai-chat/text-basic#0 200 finished, 2,893 bytes\n"
    )
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stderr.read() == "stopped\n"


def test_a_port_in_use_is_reported(
    served: tuple[subprocess.Popen[str], list[str]], tapecheck: Cli
) -> None:
    port = served[1][0].rpartition(":")[2]
    assert tapecheck("serve", "--port", port) == 3
    assert "the port is in use" in tapecheck.err


def test_verify_plays_and_rechunks_cassettes(tapecheck: Cli, tmp_path: Path) -> None:
    text = (ROOT / "cassettes/openai-chat/text-basic.yaml").read_text()
    path = tmp_path / "cassettes/one.yaml"
    path.parent.mkdir()
    path.write_text(text.replace("    wire:\n", "    wire:\n      chunks: [[1, 5]]\n"))
    assert tapecheck("verify", "cassettes") == 2
    assert "chunks add up to 5 bytes" in tapecheck.err
    assert tapecheck("verify", "cassettes/one.yaml", "--rechunk") == 0
    assert tapecheck.out.endswith("1 cassette, 1 interaction played: every byte as recorded\n")
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["openai-chat/text*"], "openai-chat/text-basic  P0  A text answer in pieces"),
        (["-w", "cases", *QUICK], "openai-chat/text-basic/recorded@openai-compat"),
        (["-w", "cassettes", "openai-chat/text-basic"], "openai-chat/text-basic  "),
        (["-w", "adapters"], "  dialects  openai-chat"),
        (["-w", "features"], "streaming"),
        (["-w", "dialects"], "openai-chat       judged"),
    ],
)
def test_lists(tapecheck: Cli, arguments: list[str], line: str) -> None:
    assert tapecheck("list", *arguments) == 0
    assert any(x.startswith(line) for x in tapecheck.out.splitlines())


def test_lint_names_file_and_line(tapecheck: Cli, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/one.yaml").write_text("scenario: a/b\nsurprise: 1\n")
    assert tapecheck("lint", "specs") == 2
    assert tapecheck.err.startswith("specs/one.yaml:2: Additional properties")
    assert tapecheck.out == "0 scenarios, 0 cassettes: 1 problem\n"


def test_a_program_ended_from_inside_is_no_success(
    tapecheck: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object, **__: object) -> None:
        raise SystemExit(0)

    monkeypatch.setattr("harness.plan.planning.make_plan", ended)
    assert tapecheck("run", "sse") == 3
    assert "something that it runs ended the program: SystemExit(0)" in tapecheck.err


def test_what_a_client_says_in_an_error_does_not_control_the_terminal(tapecheck: Cli) -> None:
    said = r"import sys; sys.stderr.write('an error \x1b]0;title\x07 \x9b2J'); sys.exit(1)"
    line = shlex.join([sys.executable, "-S", "-E", "-c", said])
    assert tapecheck("run", "--adapter", f"cmd: {line}") == 2
    shown = tapecheck.err.rpartition("it printed: ")[2]
    assert r"an error \x1b]0;title\x07" in shown
    assert "\x1b" not in shown
