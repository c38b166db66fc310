from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.cassettes.cassette import Origin
from mockserver.library import library
from tests.harness.test_cli import Cli

KEY = "sk-" + "proj1234" * 5
HEADERS = {"authorization": [f"Bearer {KEY}"], "content-type": ["application/json"]}


@pytest.fixture
def tapecheck(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(capsys)


def put(path: str, *responses: dict[str, Any]) -> Path:
    """Write a recording of vcrpy."""
    request = {"method": "POST", "uri": "https://h/v1", "headers": HEADERS, "body": "{}"}
    status = {"code": 200, "message": "OK"}
    items = [
        {"request": request, "response": {"status": status, "headers": {}, **response}}
        for response in responses or ({"body": {"string": "hi"}},)
    ]
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"interactions": items}, indent=1), encoding="utf-8")
    return file


def written() -> list[str]:
    return sorted(str(p.relative_to("out")) for p in Path("out").rglob("*") if p.is_file())


def test_a_file_becomes_a_cassette(tapecheck: Cli) -> None:
    put("in/a.json")
    assert tapecheck("import", "in/a.json", "-o", "out") == 0
    assert tapecheck.out == (
        "in/a.json: 1 interaction, 1 credential header dropped\n"
        "1 credential header dropped: they contain a secret or a session\n"
        "1 interaction imported into 1 cassette, 0 left out\n"
    )
    (interaction,) = library.load(Path("out/a.yaml")).interactions
    assert interaction.response.wire.origin is Origin.IMPORTED
    assert interaction.request.headers == (("content-type", "application/json"),)
    assert KEY not in Path("out/a.yaml").read_text(encoding="utf-8")


def test_paths_below_a_directory_are_kept(tapecheck: Cli) -> None:
    put("in/x/a.b.yaml")
    put("in/b.yml")
    put("in/.hidden/c.yaml")
    put("in/.d.yaml")
    Path("in/README.md").touch()
    Path("in/settings.json").write_text("{}")
    assert tapecheck("import", "in", "-o", "out") == 0
    assert written() == ["b.yaml", "x/a.b.yaml"]
    assert "in/settings.json: not a recording; skipped\n" in tapecheck.out


def test_a_named_file_needs_no_suffix(tapecheck: Cli) -> None:
    put("in/test_chat[a.b]")
    assert tapecheck("import", "in/test_chat[a.b]", "-o", "out") == 0
    assert written() == ["test_chat[a.b].yaml"]


def test_a_dry_run_says_the_same_and_writes_nothing(tapecheck: Cli) -> None:
    put("in/a.yaml")
    assert tapecheck("import", "in", "-o", "out", "--dry-run", "--verbose") == 0
    assert "credential header dropped: request.headers.authorization" in tapecheck.out
    assert "1 interaction would be imported into 1 cassette, 0 left out" in tapecheck.out
    assert not Path("out").exists()


def test_a_skipped_interaction_is_reported_with_code_1(tapecheck: Cli) -> None:
    file = put("in/a.yaml", {"body": {"string": "hi"}}, {"body": {}})
    lines = file.read_text(encoding="utf-8").splitlines()
    second = [n for n, line in enumerate(lines, 1) if line == "  {"][1]
    put("in/b.yaml", {"body": {}})
    assert tapecheck("import", "in", "-o", "out") == 1
    assert written() == ["a.yaml"]
    assert f"left out: in/a.yaml:{second}: interaction 1 has no body" in tapecheck.err
    assert "1 interaction imported into 1 cassette, 2 left out" in tapecheck.out


def test_a_broken_file_affects_no_other_and_gives_code_2(tapecheck: Cli) -> None:
    put("in/b.yaml")
    Path("in/a.yaml").write_text("interactions:\n- request: [\n")
    assert tapecheck("import", "in", "missing.yaml", "-o", "out") == 2
    assert written() == ["b.yaml"]
    first, second = tapecheck.err.splitlines()
    assert first.startswith("in/a.yaml:3: not valid YAML: ")
    assert second == "missing.yaml: no such cassette (check the path)"


def test_nothing_is_replaced_without_force(tapecheck: Cli) -> None:
    put("in/a.yaml")
    put("in/b.yaml")
    put("out/b.yaml", {"body": {"string": "old"}})
    before = Path("out/b.yaml").read_bytes()
    assert tapecheck("import", "in", "-o", "out") == 2
    assert "out/b.yaml: already exists (--force replaces it)" in tapecheck.err
    assert written() == ["b.yaml"]
    assert Path("out/b.yaml").read_bytes() == before
    assert tapecheck("import", "in", "-o", "out", "--force") == 0
    assert library.load(Path("out/b.yaml")).interactions[0].response.body == b"hi"


def test_an_import_into_its_source_skips_its_own_output(tapecheck: Cli) -> None:
    put("in/a.yaml")
    assert tapecheck("import", "in", "-o", "in/out") == 0
    assert tapecheck("import", "in", "-o", "in/out", "--force") == 0
    assert sorted(p.name for p in Path("in").rglob("*.yaml")) == ["a.yaml", "a.yaml"]
    assert tapecheck("import", "in", "-o", "in", "--force") == 2
    assert "in/a.yaml: is one of the recordings to import" in tapecheck.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["in/a.yaml", "in/a.json"],
            "two recordings would be written to it: in/a.yaml and in/a.json",
        ),
        (["in/x.txt"], "in/x.txt: not a recording in a known format ('tapecheck import"),
        (["in/none.yaml"], "in/none.yaml: contains no interaction"),
        (["in/ours.yaml"], "already a tapecheck cassette"),
        (["empty"], "no recording found"),
        ([], "Missing argument"),
    ],
)
def test_a_mistake_gets_one_message_and_code_2(
    tapecheck: Cli, arguments: list[str], expected: str
) -> None:
    put("in/a.yaml")
    put("in/a.json")
    put("in/ours.yaml", {"body": {"string": "hi"}, "wire": {"v": 1}})
    Path("in/x.txt").write_text("hello")
    Path("in/none.yaml").write_text("interactions: []")
    Path("empty").mkdir()
    assert tapecheck("import", *arguments, "-o", "out") == 2
    assert expected in tapecheck.err
    assert "Traceback" not in tapecheck.err
    assert not Path("out").exists()


def test_keys_in_the_environment_are_replaced_everywhere(
    tapecheck: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "no-known-shape-of-a-key")
    put("in/a.yaml", {"body": {"string": '{"e":"no-known-shape-of-a-key"}'}})
    assert tapecheck("import", "in", "-o", "out") == 0
    (interaction,) = library.load(Path("out/a.yaml")).interactions
    assert interaction.response.body == b'{"e":"key_REDACTED_1"}'


def test_a_file_of_something_else_is_named_and_in_a_directory_skipped(tapecheck: Cli) -> None:
    put("in/a.json")
    Path("in/b.yaml").write_text("interactions: {1be2: [{text: x}]}", encoding="utf-8")
    assert tapecheck("import", "in", "-o", "out") == 0
    assert written() == ["a.yaml"]
    line = "in/b.yaml:1: seems to be recordings, but not of HTTP"
    assert line in tapecheck.err
    assert tapecheck.err.endswith("; skipped\n")
    assert tapecheck("import", "in/b.yaml", "-o", "out") == 2
    assert line in tapecheck.err
    Path("in/a.json").unlink()
    assert tapecheck("import", "in", "-o", "out") == 2
