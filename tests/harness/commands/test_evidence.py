"""Commands that read cassettes count what they could read, and name the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from mockserver.library import library
from tests.mockserver.rawhttp import cassette, interaction


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Two cassettes that can be read, one of them in part, and two that cannot."""
    library.write(cassette(interaction(b"{}"), path=tmp_path / "good.yaml"))
    (tmp_path / "broken.yaml").write_text("version: 2\ninteractions: []\n")
    (tmp_path / "never.har").write_text(archive(0))
    (tmp_path / "partly.har").write_text(archive(200, 0))
    return tmp_path


def archive(*statuses: int) -> str:
    request = {"method": "GET", "url": "http://a/b", "headers": []}
    entries = [
        {"request": request, "response": {"status": s, "headers": [], "content": {"text": "x"}}}
        for s in statuses
    ]
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


def verify(*arguments: Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["verify", *map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_verify_names_what_it_could_not_play(
    mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(mixed) == 2
    out, err = capsys.readouterr()
    assert out == "2 cassettes, 2 interactions played\n"
    assert len(err.splitlines()) == 3
    for text in ("version 2", "never.har: entry 0 was never", "partly.har: entry 1 was never"):
        assert text in err


OTHERS = {
    "api.yaml": "openapi: 3.0.0\ninfo: {title: a, version: '1'}\npaths: {}\n",
    "compose.yml": "services: {db: {image: x}}\n",
}


@pytest.mark.parametrize("rechunk", [[], ["--rechunk"]])
def test_files_of_other_kinds_are_skipped_unless_they_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rechunk: list[str]
) -> None:
    library.write(cassette(interaction(b"{}"), path=tmp_path / "good.yaml"))
    for name, text in OTHERS.items():
        (tmp_path / name).write_text(text)
    assert verify(tmp_path, *map(Path, rechunk)) == 0
    out, err = capsys.readouterr()
    assert out == "1 cassette, 1 interaction played: every byte as recorded\n"
    assert [line.endswith("; skipped") for line in err.splitlines()] == [True, True]
    for name in OTHERS:
        assert verify(tmp_path / name, *map(Path, rechunk)) == 2
        assert "skipped" not in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "interactions:\n- a\n", "a: [\n"])
def test_a_broken_cassette_is_no_file_of_another_kind(tmp_path: Path, text: str) -> None:
    library.write(cassette(interaction(b"{}"), path=tmp_path / "good.yaml"))
    (tmp_path / "broken.yaml").write_text(text)
    assert verify(tmp_path) == 2


def test_verify_plays_files_of_one_name_in_several_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = [tmp_path / name / "same.har" for name in ("a", "b")]
    for number, place in enumerate(places, 1):
        place.parent.mkdir()
        place.write_text(archive(*[200] * number))
    assert verify(places[0].parent, places[1]) == 0
    played = "2 cassettes, 3 interactions played: every byte as recorded\n"
    assert capsys.readouterr().out == played


def serve(path: Path) -> subprocess.Popen[str]:
    code = "from harness.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "serve", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_serve_counts_what_it_can_serve_and_names_the_rest(mixed: Path) -> None:
    with serve(mixed) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert first.startswith("Serving 2 cassettes on http://127.0.0.1:")
    assert err.count("not served: ") == 3
    for text in ("version 2", "never.har: entry 0 was never", "partly.har: entry 1 was never"):
        assert text in err


def test_serve_of_nothing_readable_is_an_error(mixed: Path) -> None:
    with serve(mixed / "broken.yaml") as process:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert out == ""
    assert "no cassette that can be read" in err
