"""Who may import whom. The layout is explained in the README."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: I/O, clocks and chance. A pure module uses none of them.
IMPURE = {"asyncio", "socket", "threading", "subprocess", "time", "aiohttp", "httpx", "logging"}
#: The modules that must stay pure, so that they can be tested without a network.
PURE = [
    "mockserver.errors",
    *("mockserver.wire." + m for m in ("sse", "schedule", "axes", "faults", "documents")),
    *("mockserver.cassettes." + m for m in ("writer", "yaml_marks")),
    *("mockserver.library." + m for m in ("session", "matcher", "similarity")),
    *("mockserver.secrets." + m for m in ("names", "find", "scrub", "scan", "reassembled")),
    "mockserver.recording.drift",
    *("mockserver.vocabulary." + m for m in ("model", "codec", "fold")),
    "mockserver.dialects",
    *("harness.suite." + m for m in ("scenario", "selection", "dialects")),
    *("harness.clients." + m for m in ("interface", "conversation")),
    "harness.plan.expand",
    "harness.judge",
]
#: What the harness may know of the server: its Python face, the byte codec, and the pure types
#: that describe what is sent.
MOCKSERVER_FACE = {
    "mockserver",
    "mockserver.vocabulary",
    "mockserver.vocabulary.codec",
    "mockserver.vocabulary.fold",
    "mockserver.vocabulary.model",
    "mockserver.dialects.facts",
    "mockserver.dialects.facts_model",
    "mockserver.dialects.openai_responses.grammar",
    "mockserver.dialects.openai_responses.parsed_turn",
    "mockserver.wire.axes",
    "mockserver.cassettes.cassette",
    "mockserver.errors",
    "mockserver.wire.faults",
    "mockserver.cassettes.foreign",
    "mockserver.recording.importing",
    "mockserver.serving.journal",
    "mockserver.cassettes.yaml_marks",
    "mockserver.recording.providers",
    "mockserver.secrets.names",
    "mockserver.cassettes.rechunk",
    "mockserver.recording.recorder",
    "mockserver.recording.exchange",
    "mockserver.recording.modes",
    "mockserver.recording.resend",
    "mockserver.recording.tape",
    "mockserver.secrets.scan",
    "mockserver.wire.schedule",
    "mockserver.serving.server",
    "mockserver.library.session",
    "mockserver.wire.sse",
    "mockserver.library.library",
    "mockserver.serving.verify",
}


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


@pytest.mark.parametrize("name", sorted(m for m in MODULES if m.startswith("mockserver")))
def test_the_server_knows_nothing_of_the_harness(name: str) -> None:
    assert not [i for i in imports(MODULES[name]) if i.split(".")[0] == "harness"]


@pytest.mark.parametrize("name", sorted(m for m in MODULES if m.startswith("harness")))
def test_the_harness_uses_only_the_face_of_the_server(name: str) -> None:
    used = {i for i in imports(MODULES[name]) if i.split(".")[0] == "mockserver"}
    assert used <= MOCKSERVER_FACE


@pytest.mark.parametrize("name", sorted(m for m in MODULES if m.startswith("harness.adapters")))
def test_adapters_are_clients_not_parts_of_the_harness(name: str) -> None:
    allowed = {
        "harness.adapters",
        "mockserver.vocabulary.model",
        "harness.clients.interface",
        "mockserver.vocabulary.fold",
    }
    for used in imports(MODULES[name]):
        if used.startswith("harness"):
            assert any(used == a or used.startswith(f"{a}.") for a in allowed), used
        elif used.startswith("mockserver"):
            assert used in {"mockserver", "mockserver.wire.sse"} or used in allowed


@pytest.mark.parametrize("name", sorted(MODULES))
def test_pure_modules_do_no_io(name: str) -> None:
    if any(name == p or name.startswith(f"{p}.") for p in PURE):
        assert not {i.split(".")[0] for i in imports(MODULES[name])} & IMPURE


def test_the_list_of_pure_modules_is_current() -> None:
    assert [p for p in PURE if p not in MODULES] == []


def test_the_model_uses_only_the_standard_library() -> None:
    for used in imports(MODULES["mockserver.vocabulary.model"]):
        assert used.split(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_are_small(name: str) -> None:
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= 450
