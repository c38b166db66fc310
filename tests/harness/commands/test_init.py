from __future__ import annotations

import asyncio
import configparser
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness import Call, cli
from harness.clients import registry
from tests.harness.commands.small_suite import use_only

FILES = {".github/workflows/tapecheck.yml", "my-client.yaml", "my_client.py", "pytest.ini"}
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tapecheck(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Cli:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as raised:
            cli.main(arguments)
        assert isinstance(raised.value.code, int)
        return raised.value.code, *capfd.readouterr()

    return run


def written() -> set[str]:
    files = (p for p in Path().rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {str(p) for p in files if not str(p).startswith("suite")}


def test_a_client_of_the_sdk_is_run_and_what_it_exposes_is_declared(
    tapecheck: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_only("openai-chat/tool-single-split-args", tmp_path, monkeypatch)
    code, out, _ = tapecheck("init", "openai")
    assert code == 0, out
    assert written() == FILES
    assert "played " in out
    assert "next:\n  tapecheck run --adapter my-client.yaml " in out
    adapter, baseline = registry.load("my-client.yaml")
    assert adapter.listed >= {"response_id", "model", "usage", "finish_reason"}
    assert "retry_after" not in adapter.listed
    assert baseline.entries == ()


def test_a_client_of_another_sdk_is_run_too(
    tapecheck: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_only("cohere/text-as-it-comes", tmp_path, monkeypatch)
    code, out, _ = tapecheck("init", "cohere")
    assert code == 0, out
    assert " cases: 0 failed" in out
    workflow = Path(".github/workflows/tapecheck.yml").read_text()
    assert "- run: pip install tapecheck cohere\n" in workflow
    adapter, _ = registry.load("my-client.yaml")
    assert adapter.dialects == {"cohere"}
    assert "usage" in adapter.listed


def test_a_function_is_not_run_before_there_is_one(tapecheck: Cli) -> None:
    code, out, _ = tapecheck("init", "function")
    assert code == 0
    assert written() == FILES
    assert "now call your client in my_client.py" in out
    adapter, _ = registry.load("my-client.yaml", in_process=True)
    assert adapter.exposes is None

    async def first() -> None:
        call = Call(base_url="", api_key="", model="", messages=())
        async for _ in adapter.run(call):
            break

    with pytest.raises(NotImplementedError, match="call your client here"):
        asyncio.run(first())


def test_the_settings_are_of_use(tapecheck: Cli) -> None:
    tapecheck("init", "function")
    workflow = yaml.safe_load(Path(".github/workflows/tapecheck.yml").read_text())
    steps = workflow["jobs"]["tapecheck"]["steps"]
    _, played, reported, uploaded = steps[-4:]
    assert played["run"] == "tapecheck run --adapter my-client.yaml --results results.ndjson"
    assert "--format github\n" in reported["run"]
    assert uploaded["with"]["path"] == "tapecheck.html"
    settings = configparser.ConfigParser()
    settings.read("pytest.ini")
    assert settings["pytest"]["tapecheck_adapters"] == "my-client.yaml"


@pytest.mark.parametrize("name", ["pyproject.toml", "tox.ini", "pytest.ini"])
def test_settings_of_pytest_that_exist_are_left_alone(tapecheck: Cli, name: str) -> None:
    Path(name).write_text("# mine\n")
    code, out, _ = tapecheck("init", "function")
    assert code == 0
    assert Path(name).read_text() == "# mine\n"
    assert written() == FILES - {"pytest.ini"} | {name}
    assert "add to its settings: tapecheck_adapters = my-client.yaml" in out


@pytest.mark.parametrize("name", sorted(FILES - {"pytest.ini"}))
def test_a_file_that_exists_is_not_overwritten(tapecheck: Cli, name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("mine")
    code, _, err = tapecheck("init", "function")
    assert code == 2
    assert f"{name} exists, so nothing was written" in err
    assert written() == {name}
    assert tapecheck("init", "function", "--force")[0] == 0
    assert Path(name).read_text() != "mine"


def test_another_directory(tapecheck: Cli) -> None:
    code, out, _ = tapecheck("init", "function", "--dir", "made/here")
    assert code == 0
    assert {str(p.relative_to("made/here")) for p in Path("made").rglob("*.*")} >= {
        "my_client.py",
        "my-client.yaml",
    }
    assert "--adapter made/here/my-client.yaml" in out


def test_a_directory_that_cannot_be_written_is_an_error(tapecheck: Cli) -> None:
    Path("file").write_text("")
    code, _, err = tapecheck("init", "function", "--dir", "file/in/it")
    assert code == 3
    assert "cannot be written" in err


def test_a_client_that_cannot_be_imported_yet_is_not_run(
    tapecheck: Cli,
) -> None:
    Path("openai.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
    code, out, _ = tapecheck("init", "openai")
    assert code == 0
    assert "the client was not run yet: my_client.py:1: the adapter cannot be imported" in out
    assert "exposes" not in Path("my-client.yaml").read_text()


@pytest.mark.parametrize("kind", ["go", "OpenAI"])
def test_an_unknown_kind_is_an_error(tapecheck: Cli, kind: str) -> None:
    code, _, err = tapecheck("init", kind)
    assert code == 2
    assert "'openai', 'function'" in err
    assert "'anthropic', " in err
    assert written() == set()


def test_without_a_kind_it_asks(tapecheck: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("function\n"))
    code, out, _ = tapecheck("init")
    assert code == 0
    assert "What does your client use? (anthropic, " in out
    assert ", openai, function, node, python)" in out


@pytest.mark.parametrize(
    ("kind", "program", "kit"),
    [
        ("node", "my_client.mjs", "tapecheck-client.mjs"),
        ("python", "my_client.py", "tapecheck_client.py"),
    ],
)
def test_a_program_of_its_own_gets_the_kit(
    tapecheck: Cli, kind: str, program: str, kit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The SDK may be missing, and the program then ends before it says hello.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    Path("openai.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
    code, out, _ = tapecheck("init", kind)
    assert code == 0
    files = FILES - {"my_client.py"} | {program, kit, "openai.py"}
    assert written() == files
    assert "the client was not run yet: my-client.yaml: " in out
    declared = yaml.safe_load(Path("my-client.yaml").read_text())
    assert declared["command"] == f"{kind} {program}"
    workflow = yaml.safe_load(Path(".github/workflows/tapecheck.yml").read_text())
    commands = [step.get("run", "") for step in workflow["jobs"]["tapecheck"]["steps"]]
    assert ("npm ci" in commands) is (kind == "node")


def test_a_program_of_its_own_is_run_and_what_it_exposes_is_declared(
    tapecheck: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    use_only("openai-chat/tool-single-split-args", tmp_path, monkeypatch)
    code, out, _ = tapecheck("init", "python")
    assert code == 0, out
    assert " cases: 0 failed" in out
    assert "usage" in yaml.safe_load(Path("my-client.yaml").read_text())["exposes"]
