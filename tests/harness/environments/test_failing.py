from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments.failing import Failed, explained, without_passwords
from harness.environments.listing import Kind
from tests.harness.environments.packages import python


@pytest.mark.parametrize(
    ("tool", "said", "message"),
    [
        (
            "pip",
            "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for toy",
            "toy: pip cannot reach the package index\n  connect to a network",
        ),
        (
            "pip",
            "ERROR: Could not find a version that satisfies the requirement toy (from versions: )\n"
            "ERROR: No matching distribution found for toy",
            "toy: the package index has no toy that can be installed with these pins\n"
            "  it may need another Python; or try the newest releases: tapecheck env update ",
        ),
        (
            "pip",
            "ERROR: Cannot install toy because these package versions have conflicting dependen",
            "the package index has no toy that",
        ),
        (
            "uv",
            "× No solution found when resolving dependencies:\n"
            "╰─▶ Because there is no version of toy==9 and you require toy==9, we can conclude",
            "the package index has no toy==9 that",
        ),
        (
            "uv",
            "error: Request failed\n  Caused by: dns error: failed to lookup address information",
            "uv cannot reach the package index",
        ),
        ("npm", "npm error code ENOTFOUND\nnpm error network request", "npm cannot reach"),
        (
            "npm",
            "npm error code ETARGET\nnpm error notarget No matching version found for toy@9.9.9.",
            "the package index has no toy@9.9.9 that",
        ),
        (
            "npm",
            "npm error code E404\n"
            "npm error 404 Not Found - GET https://registry.invalid/@a%2ftoy - Not found",
            "the package index has no @a/toy that",
        ),
        ("npm", "npm error code EBADENGINE\nnpm error Not compatible", "needs a newer Python"),
        ("pip", "OSError: [Errno 28] No space left on device", "toy: the disk is full"),
        ("pip", "noise\nERROR: something new\nmore", "pip failed (exit code 7): something new"),
        ("npm", "npm error code X\nnpm error it broke", "npm failed (exit code 7): it broke"),
        ("uv", "", "uv failed (exit code 7): it printed nothing"),
    ],
)
def test_what_went_wrong_and_what_to_do(tool: str, said: str, message: str, tmp_path: Path) -> None:
    error = explained(Failed(python(tmp_path), tool, tuple(said.splitlines()), 7))
    assert message in str(error)
    assert error.hint
    assert error.exit_code == 3


def test_the_runtime_is_named_for_people(tmp_path: Path) -> None:
    environment = replace(python(tmp_path), kind=Kind.NODE)
    error = explained(Failed(environment, "npm", ("npm error code EBADENGINE",), 1))
    assert "a newer Node.js" in str(error)


def test_passwords_of_an_index_are_left_out() -> None:
    line = "Looking in indexes: https://user:secret@index.invalid/simple"
    assert without_passwords(line) == "Looking in indexes: https://index.invalid/simple"
