from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

import pytest

from harness.reports.versions import versions_of
from tests.harness.commands import third_party

OURS = f"tapecheck {metadata.version('tapecheck')}"
PYTHON = f"Python {platform.python_version()}"


def test_a_client_s_imports_name_its_distributions(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(
        "import json\nfrom harness import adapter\nfrom near import x\n"
        "def run():\n    import click\n"
    )
    (tmp_path / "near.py").write_text("import httpx, near\n")
    found = versions_of((f"{tmp_path}/client.py:run",))
    assert found[:2] == (OURS, PYTHON)
    assert f"click {metadata.version('click')}" in found
    assert f"httpx {metadata.version('httpx')}" in found
    # What a distribution sends its requests with.
    assert f"h11 {metadata.version('h11')}" in found
    assert len(set(found)) == len(found)


def test_a_declaration_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import click\n")
    declaration = tmp_path / "mine.yaml"
    declaration.write_text("version: 1\nadapter: mine\nentry: mine.py:mine\n")
    assert versions_of((str(declaration),)) == (
        OURS,
        PYTHON,
        f"click {metadata.version('click')}",
    )


def test_a_module_names_its_distribution() -> None:
    assert f"click {metadata.version('click')}" in versions_of(("click.core:adapter",))


def test_a_bundled_client_sends_with_what_this_package_requires() -> None:
    assert f"httpx {metadata.version('httpx')}" in versions_of(("openai-compat",))


def test_a_third_party_client_is_what_its_environment_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = third_party.listed(tmp_path, monkeypatch)
    assert versions_of((client.reference,)) == (OURS, PYTHON, "toy 1.0", "httpx 0.28")
    assert versions_of((f"{client.reference}@newest",)) == (OURS, PYTHON)
    assert versions_of((str(client.file),)) == (OURS, PYTHON)


def test_what_cannot_be_read_has_no_versions(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def (")
    for reference in ("a-client", str(broken), str(tmp_path / "absent.py")):
        assert versions_of((reference,)) == (OURS, PYTHON)
