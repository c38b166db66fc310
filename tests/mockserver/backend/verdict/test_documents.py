from __future__ import annotations

import re
from pathlib import Path

from mockserver.backend.verdict import CHECKS

DOCUMENT = Path(__file__).parents[4] / "docs" / "VERDICT.md"


def test_each_check_has_its_section() -> None:
    sections = re.findall(r"^### (.+)$", DOCUMENT.read_text(), re.MULTILINE)
    assert sections == [check for ids in CHECKS.values() for check in ids]
