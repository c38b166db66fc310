from __future__ import annotations

import json
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments import building, making, store
from harness.environments.listing import Environment, Kind
from harness.environments.making import Telling
from harness.errors import SetupError
from tests.harness.environments.packages import npm_package, python, wheel

Built = list[tuple[Path, bool]]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Built:
    """Install nothing but an interpreter that is none; note each directory."""
    found: Built = []

    def build(
        _: Environment, directory: Path, tell: building.Tell, *, newest: bool
    ) -> dict[str, str]:
        tell("Collecting toy")
        program = store.python_of(directory)
        program.parent.mkdir(parents=True)
        program.write_bytes(b"12345")
        found.append((directory, newest))
        return {"toy": "2.0" if newest else "1.0"}

    monkeypatch.setattr(building, "build", build)
    return found


def test_pip_installs_what_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0", "2.0"):
        wheel(tmp_path / "wheels", "toy", version, needs="tool")
        wheel(tmp_path / "wheels", "tool", version)
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda n, *a: None if n == "uv" else which(n, *a))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    environment = python(tmp_path, "tool==1.0\ntoy==2.0\n")
    lines: list[str] = []
    made = making.make(environment, Telling(line=lines.append))
    assert made.versions == {"toy": "2.0", "tool": "1.0"}
    assert any("Installing collected packages" in line for line in lines)
    program = "import toy, tool; print(toy.VERSION, tool.VERSION)"
    ended = subprocess.run(
        [str(made.interpreter), "-E", "-s", "-c", program], capture_output=True, text=True
    )
    assert ended.stdout == "2.0 1.0\n"
    assert (made.tool, making.find(environment)) == ("pip", made)


def test_what_stands_alone_is_installed_without_what_it_requires(tmp_path: Path) -> None:
    environment = replace(python(tmp_path, "toy==1.0\n"), alone=("server",))
    for commands in (building._with_pip, building._with_uv):
        *_, usual, alone = commands(environment, tmp_path, False)
        assert "--no-deps" not in usual
        assert usual[-1] == "toy"
        assert alone[-2:] == ["--no-deps", "server"]


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_npm_installs_what_is_pinned_and_runs_no_script(tmp_path: Path) -> None:
    scripts = {"postinstall": "node -e \"require('fs').writeFileSync('ran', '')\""}
    package = tmp_path / "toy.tgz"
    npm_package(package, {"name": "toy", "version": "1.0.0", "scripts": scripts})
    where = f"file:{package}"
    entries = {
        "": {"name": "toy-env", "dependencies": {"toy": where}},
        "node_modules/toy": {"resolved": where, "version": "1.0.0"},
    }
    pins = tmp_path / "toy.json"
    pins.write_text(json.dumps({"name": "toy-env", "lockfileVersion": 3, "packages": entries}))
    environment = Environment(name="toy-env", kind=Kind.NODE, packages=("toy",), pins=pins)
    made = making.make(environment)
    assert made.versions == {"toy": "1.0.0"}
    there = made.directory / "node_modules" / "toy"
    assert [path.name for path in there.iterdir()] == ["package.json"]
    assert made.runtime.startswith("node-v")


def test_an_environment_is_made_once_for_each_set_of_pins(tmp_path: Path, built: Built) -> None:
    environment = python(tmp_path)
    assert making.find(environment) is None
    lines: list[str] = []
    made = making.make(environment, Telling(line=lines.append))
    assert (made.versions, made.size, lines) == ({"toy": "1.0"}, 5, ["Collecting toy"])
    assert making.make(environment) == made == making.find(environment)
    environment.pins.write_text("toy==1.1\n")
    assert making.find(environment) is None
    other = making.make(environment)
    assert other.directory != made.directory
    assert sorted(m.key for m in store.all_found(environment)) == sorted([made.key, other.key])


def test_the_newest_releases_are_beside_the_pinned_ones(tmp_path: Path, built: Built) -> None:
    environment = python(tmp_path)
    pinned = making.make(environment)
    newest = making.make(environment, newest=True)
    assert (newest.versions, built[-1][1]) == ({"toy": "2.0"}, True)
    assert making.find(environment) == pinned
    assert making.find(environment, newest=True) == newest


def test_making_again_replaces_in_one_step(tmp_path: Path, built: Built) -> None:
    environment = python(tmp_path)
    before = making.make(environment)
    after = making.make(environment, again=True)
    assert len(built) == 2
    assert after.directory != before.directory
    assert not before.directory.exists()
    assert making.find(environment) == after


def test_what_a_killed_process_left_is_removed_and_never_used(tmp_path: Path, built: Built) -> None:
    environment = python(tmp_path)
    key = environment.key(building.runtime(Kind.PYTHON), newest=False)
    left = store.root() / "toy" / f"{key}.half"
    store.python_of(left).parent.mkdir(parents=True)
    store.python_of(left).touch()
    assert making.find(environment) is None
    making.make(environment)
    assert not left.exists()


@pytest.mark.parametrize("error", [SetupError("no"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = python(tmp_path)

    def build(_: Environment, directory: Path, *__: object, **___: object) -> dict[str, str]:
        (directory / "half").touch()
        raise error

    monkeypatch.setattr(building, "build", build)
    with pytest.raises(type(error)):
        making.make(environment)
    assert list((store.root() / "toy").iterdir()) == []
    assert making.find(environment) is None


def test_two_at_once_make_one(tmp_path: Path, built: Built) -> None:
    environment = python(tmp_path)
    waits, results = threading.Event(), []
    with store.locked(environment, lambda: None):
        other = threading.Thread(
            target=lambda: results.append(
                making.make(environment, Telling(waiting=waits.set), again=True)
            )
        )
        other.start()
        assert waits.wait(30)
        # What the other one will find when the lock is free.
        key = environment.key(building.runtime(Kind.PYTHON), newest=False)
        directory = store.root() / "toy" / f"{key}.done"
        store.python_of(directory).parent.mkdir(parents=True)
        store.python_of(directory).touch()
        store.keep(
            store.Made(
                directory=directory,
                kind=Kind.PYTHON,
                key=key,
                versions={"toy": "1.0"},
                runtime="cpython",
                tool="pip",
                size=0,
            )
        )
    other.join()
    assert (results[0].directory, built) == (directory, [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 9}'])
def test_a_broken_note_is_no_environment(text: str, tmp_path: Path, built: Built) -> None:
    environment = python(tmp_path)
    made = making.make(environment)
    made.directory.with_name(f"{made.key}.json").write_text(text)
    assert making.find(environment) is None
    assert making.make(environment).key == made.key


def test_an_environment_without_its_interpreter_is_made_again(tmp_path: Path, built: Built) -> None:
    environment = python(tmp_path)
    made = making.make(environment)
    assert made.interpreter is not None
    made.interpreter.unlink()
    assert making.find(environment) is None
    assert making.make(environment).interpreter != made.interpreter


def test_a_place_that_cannot_be_written_is_an_error(
    tmp_path: Path, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "file"))
    with pytest.raises(SetupError, match="TAPECHECK_ENVS"):
        making.make(python(tmp_path))


def test_the_cache_is_where_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(store.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert store.root() == Path("/somewhere/tapecheck/envs")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert store.root() == Path.home() / ".cache" / "tapecheck" / "envs"


def test_a_missing_tool_is_an_error_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    with pytest.raises(SetupError, match="install Node\\.js 20 or later"):
        building.installer(Kind.NODE)
