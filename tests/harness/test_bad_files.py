"""One file that cannot be used never ends a command: it has a line, and the others go on."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from harness import cli
from mockserver.library import library

ROOT = Path(__file__).parents[2]
GOOD = (ROOT / "cassettes/openai-chat/text-basic.yaml").read_text(encoding="utf-8")
PLAIN = GOOD[: GOOD.index("    wire:\n")]
BOMB = (
    "a: &a ["
    + ", ".join(["xxxxxxxxxx"] * 10)
    + "]\n"
    + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
        for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
)
ENTRY = {
    "request": {"method": "GET", "url": "http://a/b", "headers": []},
    "response": {"status": 200, "headers": [], "content": {}},
}

#: Text of a file by its name, and what is said of it; ``None``: it is used.
BAD: dict[str, tuple[str | bytes, str]] = {
    "binary.yaml": (bytes(range(256)), "not UTF-8"),
    "bomb.yaml": (PLAIN + BOMB, "aliases add more than 10,000,000 characters"),
    "deep-down.yaml": ("interactions: " + "[" * 5000, "nest"),
    "deeper.json": ('{"interactions":' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    "deep.har": ('{"log":{"entries":' + "[" * 100_000 + "]" * 100_000 + "}}", "nested too deeply"),
    "empty.yaml": ("", "not a cassette|not a recording"),
    "keys.yaml": ("version: 1\n" + PLAIN, ": duplicate key 'version'"),
    "names.har": ('{"log":{\n"entries":[],\n"entries":[]}}', ":3: duplicate key 'entries'"),
    "long.yaml": ("version: " + "9" * 6000, ":1: a number that is too long"),
    "longer.har": ('{"log":{"entries":[' + "9" * 6000 + "]}}", "a number that is too long"),
    "status.yaml": (PLAIN.replace("code: 200", "code: 0"), "never answered"),
    "answer.har": (
        json.dumps(
            {
                "log": {
                    "entries": [ENTRY | {"response": {"status": 0, "headers": [], "content": {}}}]
                }
            }
        ),
        "was never answered",
    ),
    "type.har": ('{"log":{"entries":[5]}}', "not HAR 1.2: a part of it is of a wrong type"),
    "tag.yaml": ("!!python/object/apply:os.system ['echo']", "constructor for the tag"),
    "uri.yaml": (PLAIN.replace("uri: https://", "uri: 'http://[::1/' #"), "not a URI|Invalid IPv6"),
    "zip.json.gz": (gzip.compress(b'{"interactions":[' + b" " * 10_000)[:-9], "not gzip"),
}
#: What is wrong with a cassette, which other tools' files do not have.
BAD_CASSETTES: dict[str, tuple[str, str]] = {
    "version.yaml": (GOOD.replace("version: 1", "version: 2"), ":2: version 2"),
    "time.yaml": (GOOD.replace("headers_ms: ", "headers_ms: .inf #"), "must be a number"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory ``bad`` with good files, bad ones and a folder that cannot be listed."""
    folder = tmp_path / "bad"
    (folder / "locked").mkdir(parents=True)
    for name, (text, _) in (BAD | BAD_CASSETTES).items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / name).write_bytes(data)
    (folder / "good.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "plain.yaml").write_text(PLAIN, encoding="utf-8")
    (folder / "plain.yml").write_text(PLAIN, encoding="utf-8")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "around").symlink_to("../bad")
    os.mkfifo(folder / "pipe.yaml")
    real = os.scandir

    def guarded(path: str | Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    # As root, nothing is forbidden by its mode.
    monkeypatch.setattr("os.scandir", guarded)
    monkeypatch.chdir(tmp_path)
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    with pytest.raises(SystemExit) as raised:
        cli.main(arguments)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return int(raised.value.code or 0), (out + err).splitlines()


def line_about(name: str, lines: list[str]) -> str:
    """Return the one line that says what is wrong with a file."""
    about = [
        line for line in lines if f"bad/{name}" in line and not line.endswith(" 0 interactions")
    ]
    assert len(about) == 1, (name, about)
    return about[0]


def check(
    lines: list[str], bad: dict[str, tuple[str | bytes, str]] | dict[str, tuple[str, str]]
) -> None:
    for name, (_, expected) in bad.items():
        line = line_about(name, lines)
        assert any(part in line for part in expected.split("|")), line
    assert "cannot be listed: Permission denied" in line_about("locked", lines)
    assert "symbolic links" in line_about("loop.yaml", lines)
    assert "not a file" in line_about("pipe.yaml", lines)


def test_verify(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(capsys, "verify", "bad")
    assert code == 2
    check(lines, BAD | BAD_CASSETTES)
    assert "bad/plain.yaml has the same name" in line_about("plain.yml", lines)
    assert any("2 interactions played" in line for line in lines)


def test_import(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(capsys, "import", "bad", "-o", "out")
    assert code == 2
    check(lines, BAD)
    made = sorted(path.name for path in Path("out").rglob("*.yaml"))
    assert made == ["plain.yaml", "plain.yml.yaml"]
    assert len(library.load(Path("out/plain.yml.yaml")).interactions) == 1


def test_convert(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(capsys, "convert", "bad", "--to", "anthropic", "-o", "out")
    assert code == 2
    read = {n: b for n, b in (BAD | BAD_CASSETTES).items() if not n.endswith((".json", ".gz"))}
    check(lines, read)
    assert Path("out/good.yaml").is_file()


def test_lint(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(capsys, "lint", "--cassettes", "bad")
    assert code == 2
    check(lines, BAD | BAD_CASSETTES)
    assert "no scenario plays this cassette" in line_about("good.yaml", lines)


def test_run_of_recordings(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = ("--axes", "none", "--no-faults", "-a", "openai-compat", "-v", "-j", "1")
    code, lines = said(capsys, "run", "--recordings", "bad", *quick)
    assert code == 2
    for name, (_, expected) in (BAD | BAD_CASSETTES).items():
        line = line_about(name, lines)
        assert any(part in line for part in expected.split("|")), line
    assert "cannot be listed" in line_about("locked", lines)
    for name in ("loop.yaml", "pipe.yaml"):
        assert "no regular file" in line_about(name, lines)
    assert any("3 passed" in line for line in lines)


def test_list(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(capsys, "list", "--what", "cassettes", "--cassettes", "bad")
    assert code == 0
    assert any(line.split() == ["good", "bad/good.yaml"] for line in lines)
