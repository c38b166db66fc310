from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments import building, launching, making, store
from harness.environments.listing import Environment, Kind, ThirdParty
from harness.environments.store import Made
from harness.errors import SetupError
from tests.harness.environments.packages import python


def client(folder: Path, environment: Environment, shim: str) -> ThirdParty:
    shims = folder / "shims"
    shims.mkdir(exist_ok=True)
    (shims / shim).write_text("one", encoding="utf-8")
    return ThirdParty(
        name="mine",
        title="A client",
        environment=environment,
        shim=shims / shim,
        arguments=("--helper",),
        dialects=("ollama",),
        file=folder / "mine.yaml",
    )


def there(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Made:
    directory = store.root() / environment.name / "key.1"
    directory.mkdir(parents=True)
    made = Made(
        directory=directory,
        kind=environment.kind,
        key="key",
        versions={"toy": "1.0"},
        runtime="cpython-311-linux-x86_64" if environment.kind is Kind.PYTHON else "node-v20-linux",
        tool="",
        size=0,
    )
    monkeypatch.setattr(making, "find", lambda *_, newest: None if newest else made)
    return made


def test_python_runs_a_shim_with_its_own_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = client(tmp_path, python(tmp_path), "mine.py")
    made = there(mine.environment, monkeypatch)
    launch = launching.launch_of(mine)
    assert launch.releases == "toy 1.0, Python 3.11"
    assert launch.words == (str(made.interpreter), "-E", "-s", str(mine.shim), "--helper")


def test_shims_for_node_are_copied_beside_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = replace(python(tmp_path), kind=Kind.NODE)
    mine = client(tmp_path, environment, "mine.mjs")
    (mine.shim.parent / "tapecheck-client.mjs").write_text("shared", encoding="utf-8")
    made = there(environment, monkeypatch)
    monkeypatch.setattr(building, "node", lambda: "node")
    assert launching.launch_of(mine).releases == "toy 1.0, Node.js 20"
    node, shim, helper = launching.launch_of(mine).words
    assert (node, helper) == ("node", "--helper")
    copied = Path(shim)
    assert copied.is_relative_to(made.directory)
    assert copied.read_text() == "one"
    assert copied.with_name("tapecheck-client.mjs").read_text() == "shared"
    assert launching.launch_of(mine).words[1] == shim
    # Another text is another copy: a run that goes on keeps its own.
    mine.shim.write_text("two", encoding="utf-8")
    assert Path(launching.launch_of(mine).words[1]).read_text() == "two"
    assert copied.read_text() == "one"
    assert len(list(copied.parent.parent.iterdir())) == 2


def test_an_environment_that_is_not_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = client(tmp_path, python(tmp_path), "mine.py")
    with pytest.raises(SetupError, match="make it: tapecheck env make toy"):
        launching.launch_of(mine)
    there(mine.environment, monkeypatch)
    with pytest.raises(SetupError, match="make it: tapecheck env update --newest toy"):
        launching.launch_of(replace(mine, newest=True))
    with pytest.raises(SetupError, match="no such shim"):
        launching.launch_of(replace(mine, shim=tmp_path / "none.py"))
