"""The shims of docs/CLIENT_PROTOCOL.md speak the protocol, and their clients are right."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import tapecheck
from harness.clients import workers
from harness.run import smoke
from harness.suite import bundled
from tests.end_to_end.test_documents import EXAMPLES

DOCUMENT = "docs/CLIENT_PROTOCOL.md"
TEXTS = {example.name: example.text for example in EXAMPLES if example.document == DOCUMENT}


def smoked(tmp_path: Path, name: str, *words: str) -> str:
    if missing := [word for word in (*words[:1], "jq", "curl") if shutil.which(word) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    for kit in (bundled.third_party() / "shims").glob("tapecheck*client.*"):
        shutil.copy(kit, tmp_path)
    (tmp_path / name).write_text(TEXTS[name], encoding="utf-8")
    line = " ".join([*words, str(tmp_path / name)])
    result = CliRunner().invoke(tapecheck, ["smoke", line], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.output


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("my_client.py", (sys.executable,)),
        ("my_client.mjs", ("node",)),
        ("my_client.sh", ("bash",)),
    ],
)
def test_an_example_is_ok_in_every_step(
    name: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A shell starts many programs for one call, which takes long on a busy machine.
    monkeypatch.setattr(workers, "CANCEL_GRACE", 60.0)
    monkeypatch.setattr(smoke, "DEADLINE", 60.0)
    monkeypatch.setattr(smoke, "GRACE", 60.0)
    output = smoked(tmp_path, name, *words)
    steps = re.findall(r"^  (ok|shim|client|not tried) +(.+)$", output, re.M)
    assert {says for says, _ in steps} == {"ok"}, output
    assert {"calls at once", "a cancelled call", "the end of stdin"} < {what for _, what in steps}
