"""Files of each format, in the version that is written now and in the one before."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.clients import registry
from harness.errors import HarnessError
from harness.judge.baseline import Entry
from harness.reports import ndjson
from harness.reports.rebaseline import rewritten
from harness.reports.summary import summarize
from harness.run import evidence
from harness.suite import bundled, loader
from harness.suite.formats import READS
from harness.suite.schemas import validator
from mockserver.cassettes import cassette
from mockserver.cassettes.writer import dump
from mockserver.errors import CassetteError

FILES = Path(__file__).parent / "formats"


def read_cassette(path: Path) -> Any:
    (interaction,) = cassette.load(path).interactions
    return interaction.request, interaction.response.body


def read_scenario(path: Path) -> Any:
    (scenario,) = loader.load(path, [path.parent])
    return scenario.id, scenario.turns


def read_declaration(path: Path) -> Any:
    adapter, baseline = registry.load(str(path))
    return adapter.name, baseline.entries


def read_results(path: Path) -> Any:
    summary = summarize(ndjson.read(path))
    return summary.run["cases"], summary.end, summary.failures


def read_transcript(path: Path) -> Any:
    data = evidence.read(path)
    return data["record"], data["explanation"], data["turns"]


READERS: dict[str, Callable[[Path], Any]] = {
    "cassette.yaml": read_cassette,
    "scenario.yaml": read_scenario,
    "declaration.yaml": read_declaration,
    "results.ndjson": read_results,
    "transcript.json": read_transcript,
}


@pytest.mark.parametrize("name", READERS)
def test_the_format_before_is_read_the_same(name: str) -> None:
    former, present = (
        READERS[name](FILES / "former" / name),
        READERS[name](FILES / "present" / name),
    )
    assert former == present


@pytest.mark.parametrize("name", READERS)
def test_a_newer_version_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "present" / name
    text = path.read_text(encoding="utf-8")
    newer, count = re.subn('^(.*?"?version"?: ?)1', r"\g<1>2", text, count=1)
    if not count:
        newer, count = re.subn(r'^(\{\s*(?:"type":"run",)?"version": ?)1', r"\g<1>2", text)
    assert count == 1
    path.write_text(newer, encoding="utf-8")
    with pytest.raises((HarnessError, CassetteError), match="version 2 of this format") as caught:
        READERS[name](path)
    assert str(path) in str(caught.value)
    assert "this tapecheck reads version 1" in str(caught.value)
    line = None if name == "transcript.json" else 1
    assert caught.value.line == line


def test_a_newer_wire_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cassette.yaml"
    text = (FILES / "present/cassette.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("      v: 1\n", "      v: 2\n"), encoding="utf-8")
    with pytest.raises(CassetteError, match=r"cassette\.yaml:18: .*reads version 1"):
        cassette.load(path)


@pytest.mark.parametrize("version", ["1.5", "'1'", "true", "null", "-1"])
def test_what_is_no_version_is_refused(version: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    text = (FILES / "present/scenario.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("version: 1", f"version: {version}"), encoding="utf-8")
    with pytest.raises(HarnessError, match=r"scenario\.yaml:1: "):
        loader.load(path, [FILES / "present"])


def test_what_is_written_says_its_version(tmp_path: Path) -> None:
    assert dump(cassette.load(FILES / "former/cassette.yaml")).startswith(b"version: 1\n")
    entry = Entry(kind="text", cases=("a/b",), reason="because")
    for before in ("adapter: a\nentry: a.py:a\n", "baseline:\n- x\nadapter: a\nentry: a.py:a\n"):
        after = rewritten(before, [entry])
        assert after.count("version: 1\n") == 1
        assert rewritten(after, [entry]) == after
        (tmp_path / "x.yaml").write_text(after, encoding="utf-8")
        loader.read_yaml(tmp_path / "x.yaml", "adapter")
    assert rewritten("adapter: a\n", []) == "adapter: a\n"


@pytest.mark.parametrize("folder", ["former", "present"])
def test_the_schema_of_records_takes_both(folder: str) -> None:
    for line in (FILES / folder / "results.ndjson").read_text(encoding="utf-8").splitlines():
        validator("run_record").validate(json.loads(line))


def test_bundled_files_say_their_version() -> None:
    files = [*bundled.scenarios().rglob("*.yaml"), *bundled.adapters().glob("*.yaml")]
    versions = re.compile(r"^version: 1$", re.MULTILINE)
    assert [path for path in files if not versions.search(path.read_text(encoding="utf-8"))] == []


def test_the_command_line_says_what_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["--version"])
    assert raised.value.code == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("tapecheck ")
    assert [line.split()[:4] for line in others] == [
        ["reads", name, "version", "1,"] if "," in versions else ["reads", name, "version", "1"]
        for name, versions in READS.items()
    ]
    assert len(READS) == len(READERS)
