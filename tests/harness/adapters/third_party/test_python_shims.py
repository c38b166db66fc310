"""The programs behind which the SDKs for Python are: small, and readable without the SDK."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harness.adapters.third_party import shims

FOLDER = Path(shims.__file__).parent
SHARED = ("__init__", "tapecheck_client", "original_imports")
SHIMS = sorted(
    f for f in FOLDER.glob("*.py") if f.stem not in SHARED and not f.stem.endswith("_parts")
)


@pytest.mark.parametrize("shim", SHIMS, ids=lambda shim: shim.stem)
def test_a_shim_is_one_program_that_serves_its_client(shim: Path) -> None:
    text = shim.read_text(encoding="utf-8")
    *_, last = ast.parse(text, str(shim)).body
    assert "serve(" in ast.unparse(last)
    # An original has a form of its own, which its program turns into events.
    assert len(text.splitlines()) <= (130 if shim.stem.startswith("original_") else 90)
