from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.environments import pins
from harness.environments.listing import Environment, Kind

LOCK = json.dumps(
    {
        "packages": {
            "": {"name": "toy", "dependencies": {"@a/b": "^1"}},
            "node_modules/@a/b": {"version": "1.2.3"},
            "node_modules/c": {"version": "2.0.0"},
            "node_modules/c/node_modules/d": {"version": "3.0.0"},
            "node_modules/linked": {"link": True},
        }
    }
)


def test_versions_of_python() -> None:
    text = "# comment\nA_b==1.0\nc.d==2.0.post1 ; python_version < '3.12'\n-e somewhere\n"
    assert pins.read_python(text) == {"a-b": "1.0", "c-d": "2.0.post1"}
    assert pins.write_python({"c-d": "2", "a-b": "1"}) == "a-b==1\nc-d==2\n"


def test_versions_of_node_are_those_at_the_top() -> None:
    assert pins.read_node(LOCK) == {"@a/b": "1.2.3", "c": "2.0.0"}


def test_a_lock_is_kept_without_addresses() -> None:
    entry = {"version": "1", "resolved": "https://a.invalid/b.tgz", "integrity": "sha512-x"}
    lock = {"packages": {"node_modules/b": {**entry, "funding": {"url": "https://c.invalid"}}}}
    kept = json.loads(pins.write_node(json.dumps(lock)))
    assert kept == {"packages": {"node_modules/b": {"version": "1", "integrity": "sha512-x"}}}


@pytest.mark.parametrize(
    ("kind", "packages", "names"),
    [
        (Kind.NODE, ("@a/b@^1", "c", "d@2"), ["@a/b", "c", "d"]),
        (Kind.PYTHON, ("A_b[x,y]>=1", "c<2"), ["a-b", "c"]),
    ],
)
def test_the_names_of_packages(kind: Kind, packages: tuple[str, ...], names: list[str]) -> None:
    environment = Environment(name="toy", kind=kind, packages=packages, pins=Path("toy"))
    assert list(pins.names(environment)) == names
    assert pins.main_versions(environment, {names[0]: "1"}) == f"{names[0]} 1"


def test_packages_that_stand_alone_are_what_an_environment_is_about() -> None:
    environment = Environment(
        name="toy", kind=Kind.PYTHON, packages=("c",), pins=Path("toy"), alone=("server==1",)
    )
    assert set(pins.names(environment)) == {"c", "server"}
    assert pins.main_versions(environment, {"c": "1", "server": "2"}) == "server 2"


def test_changes() -> None:
    before, after = {"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}
    assert list(pins.changes(before, after)) == ["b 1 -> 2", "c 1 is gone", "d 1 is new"]
