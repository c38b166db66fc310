from __future__ import annotations

import asyncio
import shlex
from contextlib import aclosing
from pathlib import Path

import pytest

from harness.adapters.openai_compat import client
from harness.cli import tapecheck
from harness.errors import SetupError
from harness.fuzz.causes import Cause
from harness.fuzz.keeping import Kept, keep, keep_wire
from harness.fuzz.searching import Found
from harness.fuzz.wires import Wire
from harness.judge.transcript import Finding, Outcome
from harness.plan.expand import parse_axes
from harness.plan.planning import Settings, make_plan
from harness.reports.records import CaseResult
from harness.run.lanes import judged
from harness.run.runner import Runner
from mockserver.wire import Break, FaultKind
from tests.harness.fuzz import planted
from tests.harness.fuzz.drawn import wire

FINDING = Finding(check="turn", kind="text", field="text", message="text lost")


def kept(one: Wire, directory: Path) -> Kept:
    found = Found(cause=Cause("text", "text"), finding=FINDING, wire=one, played=1)
    return keep(found, directory, ("--adapter", "openai-compat"))


def replayed(files: Kept, directory: Path) -> list[CaseResult]:
    """Play what the command plays."""
    words = shlex.split(files.command)
    axes = parse_axes(words[words.index("--axes") + 1])
    settings = Settings(
        adapters=("openai-compat",),
        scenarios=(directory / "scenarios",),
        cassettes=(directory / "cassettes",),
        patterns=(words[-1],),
        axes=axes,
        faults="--no-faults" not in words,
    )
    plan = make_plan(settings)

    async def play() -> list[CaseResult]:
        async with Runner(plan) as runner, aclosing(judged(runner, plan.cases)) as results:
            return [result async for result in results]

    return asyncio.run(play())


@pytest.mark.parametrize(
    "one",
    [
        wire("\u0301\u2028\x85🎉"),
        wire("\u0301, or not", {"eol": "crlf", "framing": "one-byte"}),
        wire("\u0301 and what is behind it", broken=Break(FaultKind.CUT, 3)),
    ],
    ids=["recorded", "axes", "fault"],
)
def test_the_command_plays_the_case_again(
    one: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = kept(one, tmp_path)
    (right,) = replayed(files, tmp_path)
    assert right.verdict.outcome is Outcome.PASS
    assert right.case.point == one.point
    assert right.case.fault == (one.broken and one.broken.kind)
    monkeypatch.setattr(client, "ChatStream", planted.DropsCombining)
    (wrong,) = replayed(files, tmp_path)
    assert wrong.verdict.outcome is Outcome.FAIL
    assert wrong.verdict.findings[0].kind == "text"


def test_the_suite_that_is_kept_is_valid(tmp_path: Path) -> None:
    files = kept(wire("Grüße"), tmp_path)
    assert files.scenario.read_bytes().isascii()
    assert b"origin: authored" in files.cassette.read_bytes()
    words = ["lint", str(tmp_path / "scenarios")]
    words += ["--cassettes", str(tmp_path / "cassettes")]
    assert tapecheck.main(words, standalone_mode=False) in (0, None)


def test_a_disagreement_is_kept_too(tmp_path: Path) -> None:
    files = keep_wire(wire("a"), "text: 'a' written, '' read", tmp_path)
    assert "disagreement" in files.name
    assert files.scenario.is_file()


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "scenarios").write_text("a file")
    with pytest.raises(SetupError, match="cannot write the scenario"):
        kept(wire("a"), tmp_path)
