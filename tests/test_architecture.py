"""Who may import whom. docs/ARCHITECTURE.md explains the rooms."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import pytest

from mockserver.dialects.registry import dialects

ROOT = Path(__file__).parent.parent
#: I/O, clocks and chance. A pure room uses none of them.
IMPURE = {"asyncio", "socket", "threading", "subprocess", "time", "aiohttp", "httpx", "logging"}
#: Rooms and modules that must stay pure, so that they can be tested without a network.
PURE = [
    "mockserver.errors",
    "mockserver.wire",
    "mockserver.vocabulary",
    "mockserver.dialects",
    "mockserver.secrets",
    *("mockserver.cassettes." + m for m in ("writer", "yaml_reader")),
    *("mockserver.library." + m for m in ("session", "matcher", "nearest", "similarity")),
    "mockserver.backend",
    "mockserver.recording.converting",
    "mockserver.recording.drift",
    *("harness.suite." + m for m in ("scenario", "selection")),
    *("harness.clients." + m for m in ("interface", "conversation")),
    "harness.plan.expand",
    "harness.judge",
    *("harness.fuzz." + m for m in ("turns", "wires", "witness", "cases", "causes", "telling")),
]
#: The folders of mockserver that the harness may use, each by its face.
FACES = {
    "mockserver.backend",
    "mockserver.cassettes",
    "mockserver.dialects",
    "mockserver.dialects.codex",
    "mockserver.dialects.openai_chat",
    "mockserver.dialects.openai_responses",
    "mockserver.library",
    "mockserver.recording",
    "mockserver.secrets",
    "mockserver.serving",
    "mockserver.vocabulary",
    "mockserver.wire",
}
#: The rooms from the lowest to the highest. A room imports from lower ones only; what stands in
#: one tuple does not import from each other. The folders of dialects and of clients follow below.
FLOORS = [
    ("mockserver/errors.py", "mockserver/files.py", "mockserver/lazy.py"),
    ("mockserver/cassettes", "mockserver/vocabulary"),
    ("mockserver/wire",),
    ("mockserver/dialects",),
    ("mockserver/secrets",),
    ("mockserver/library",),
    ("mockserver/backend",),
    ("mockserver/serving",),
    ("mockserver/recording", "mockserver/testing"),
    ("mockserver",),
    ("harness/errors.py",),
    ("harness/suite",),
    ("harness/judge", "harness/environments"),
    ("harness/clients",),
    ("harness/adapters", "harness/plan"),
    ("harness/reports", "harness/wrapping"),
    ("harness/run",),
    ("harness/fuzz",),
    ("harness/plugin", "harness/commands"),
    ("harness",),
]
#: What a folder of a dialect or a client may be below of: clients in the order of their floors.
CLIENT_FLOORS = [
    ("common",),
    ("chat",),
    ("responses", "openai_compat", "anthropic", "gemini", "ollama", "bedrock", "cohere"),
    ("chatcmpl_to_responses", "chatgpt_oauth", "inner_thoughts"),
    ("response_strategies",),
    ("third_party",),
    ("reference",),
]


def modules() -> dict[str, Path]:
    found = {}
    for package in ("harness", "mockserver"):
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(p for p in parts if p != "__init__")] = path
    return found


MODULES = modules()


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{a.name}" for a in node.names}
            names |= {n if n in MODULES else node.module for n in full}
    return names


def room(name: str) -> str:
    """The folder of a module; the errors and files that all use are rooms of their own."""
    path = MODULES[name].relative_to(ROOT)
    if len(path.parts) == 2 and path.name in ("errors.py", "files.py", "lazy.py"):
        return path.as_posix()
    return "/".join(path.parent.parts[:2])


def arrows() -> dict[tuple[str, str], set[str]]:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for name, path in MODULES.items():
        for used in imports(path) & MODULES.keys():
            if room(used) != room(name):
                found[room(name), room(used)].add(f"{name} -> {used}")
    return dict(found)


def test_every_room_has_a_floor() -> None:
    assert {room(name) for name in MODULES} == {r for floor in FLOORS for r in floor}


def test_rooms_import_downwards_only() -> None:
    floor = {r: number for number, floor in enumerate(FLOORS) for r in floor}
    upward = {a: why for a, why in arrows().items() if floor[a[0]] <= floor[a[1]]}
    assert upward == {}


def test_the_folders_of_clients_import_downwards_only() -> None:
    floor = {f: number for number, floor in enumerate(CLIENT_FLOORS) for f in floor}
    for name in (m for m in MODULES if m.startswith("harness.adapters.")):
        own = name.split(".")[2]
        for used in imports(MODULES[name]):
            parts = used.split(".")
            if parts[:2] == ["harness", "adapters"] and parts[2:3] not in ([], [own]):
                assert floor[parts[2]] < floor[own], f"{name} -> {used}"


def test_a_dialect_knows_no_other_but_those_that_it_refines() -> None:
    for dialect in dialects().values():
        folder = type(dialect).__module__
        allowed = {folder, *(type(dialects()[name]).__module__ for name in dialect.refines)}
        for name in (m for m in MODULES if m == folder or m.startswith(f"{folder}.")):
            for used in imports(MODULES[name]):
                parts = used.split(".")
                if parts[:2] == ["mockserver", "dialects"] and ".".join(parts[:3]) in PACKAGES:
                    assert ".".join(parts[:3]) in allowed, f"{name} -> {used}"


PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}


#: What may be imported from beside the folders of mockserver.
OPEN = {"mockserver", "mockserver.errors", "mockserver.files", "mockserver.lazy"}
#: Public names of before the rooms, which hand on all that a module has.
FORMER = {"harness.model", "harness.codec", "harness.fold"}


@pytest.mark.parametrize(
    "name", sorted(m for m in MODULES if m.startswith("harness") and m not in FORMER)
)
def test_the_harness_uses_only_the_faces_of_the_server(name: str) -> None:
    """The face of a folder is what its ``__init__`` lists in ``__all__``."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not [a.name for a in node.names if a.name.startswith("mockserver")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mockserver"):
            assert node.module is not None
            if node.module not in OPEN:
                assert node.module in FACES, f"{node.module} is behind a face"
                names = {alias.name for alias in node.names}
                assert names <= set(import_module(node.module).__all__)


@pytest.mark.parametrize("name", sorted(m for m in MODULES if m.startswith("harness.adapters")))
def test_adapters_are_clients_not_parts_of_the_harness(name: str) -> None:
    allowed = {
        *("harness.adapters", "harness.clients"),
        *("mockserver.dialects", "mockserver.files", "mockserver.vocabulary", "mockserver.wire"),
    }
    for used in imports(MODULES[name]):
        if used.split(".")[0] in ("harness", "mockserver"):
            assert any(used == a or used.startswith(f"{a}.") for a in allowed)


def test_generic_code_branches_on_no_dialect() -> None:
    """Only a dialect's own folder, the table of providers and help texts know their names."""
    exempt = ("mockserver/dialects/", "harness/adapters/", "mockserver/recording/providers.py")
    found = {}
    for path in MODULES.values():
        place = path.relative_to(ROOT).as_posix()
        if place.startswith(exempt):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in dialects():
                found[f"{place}:{node.lineno}"] = node.value
    assert found == {}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_pure_modules_do_no_io(name: str) -> None:
    if any(name == p or name.startswith(f"{p}.") for p in PURE):
        assert not {i.split(".")[0] for i in imports(MODULES[name])} & IMPURE


def test_the_list_of_pure_modules_is_current() -> None:
    assert [p for p in PURE if p not in MODULES] == []


def test_the_model_uses_only_the_standard_library() -> None:
    own = {f"mockserver.vocabulary.{name}" for name in ("model", "failure", "limits")}
    for used in set().union(*(imports(MODULES[name]) for name in own)):
        assert used in own or used.split(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_are_small(name: str) -> None:
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= 450
