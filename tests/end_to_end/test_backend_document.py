"""The examples of docs/BACKEND.md that are no Python scripts work, each with its own tool."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver import MockServer
from mockserver.backend import Settings
from mockserver.backend.script import script_of_yaml
from tests.end_to_end.test_documents import ADDRESS, EXAMPLES, ROOT

TEXTS = {
    example.name: example.text for example in EXAMPLES if example.document == "docs/BACKEND.md"
}
#: As much of vitest as the example uses, for a machine without packages.
VITEST = """
import { afterEach, test } from "node:test";
import assert from "node:assert/strict";
const expect = (value) => ({ toBe: (wanted) => assert.equal(value, wanted) });
export { afterEach, expect, test };
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(backend=Settings()) as running:
        yield running


def written(name: str, server: MockServer, directory: Path) -> Path:
    path = directory / name
    path.write_text(TEXTS[name].replace(ADDRESS, server.url), encoding="utf-8")
    return path


def run(*words: str | Path, directory: Path) -> str:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        words,
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_script_is_one() -> None:
    script = script_of_yaml(TEXTS["answers.yaml"], "answers.yaml")
    assert len(script.rules) == 7
    assert script.limits == {"rpm": 60, "tpm": 90000, "context": 8000}


def test_the_shell_session_works(server: MockServer, tmp_path: Path) -> None:
    path = written("session.sh", server, tmp_path)
    assert "tapecheck verdict: 0 failures" in run("bash", "-e", path, directory=tmp_path)


def test_the_pytest_example_passes(server: MockServer, tmp_path: Path) -> None:
    written("test_app.py", server, tmp_path)
    output = run(sys.executable, "-m", "pytest", "-q", directory=tmp_path)
    assert "2 passed" in output


def test_the_javascript_example_passes(server: MockServer, tmp_path: Path) -> None:
    path = written("app.test.mjs", server, tmp_path)
    package = tmp_path / "node_modules" / "vitest"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
    (package / "index.js").write_text(VITEST)
    assert "# fail 0" in run("node", "--test", "--test-reporter=tap", path, directory=tmp_path)


def test_the_setup_of_vitest_starts_a_server_and_ends_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    text = TEXTS["tapecheck.setup.mjs"].replace(ADDRESS.rpartition(":")[2], port)
    (tmp_path / "setup.mjs").write_text(text, encoding="utf-8")
    (tmp_path / "use.mjs").write_text(
        'import setup from "./setup.mjs";\n'
        "const end = await setup();\n"
        f'const response = await fetch("http://127.0.0.1:{port}/v1/models");\n'
        "console.log(response.status);\n"
        "end();\n"
    )
    assert run("node", "use.mjs", directory=tmp_path) == "200\n"


def test_the_go_example_passes(server: MockServer, tmp_path: Path) -> None:
    written("app_test.go", server, tmp_path)
    (tmp_path / "go.mod").write_text("module app\n\ngo 1.21\n")
    run("go", "test", "./...", directory=tmp_path)


def test_the_rust_example_passes(server: MockServer, tmp_path: Path) -> None:
    path = written("app.rs", server, tmp_path)
    run("rustc", "--test", "--edition", "2021", path, "-o", "app", directory=tmp_path)
    assert "1 passed" in run(tmp_path / "app", directory=tmp_path)
