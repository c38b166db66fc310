"""One bad file, link or folder never ends a command: it is named, and the others go on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cli import main
from mockserver.cassettes import loading
from mockserver.errors import CassetteError
from mockserver.library.library import Library
from tests.mockserver.cassettes.test_formats import FILES
from tests.mockserver.library.test_library import put

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes")


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    put(tmp_path / "good.yaml", b"1")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "one.yaml").symlink_to("two.yaml")
    (tmp_path / "two.yaml").symlink_to("one.yaml")
    (tmp_path / "folder").symlink_to(".")
    (tmp_path / "dangling.yaml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.yaml")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "empty.yaml").write_bytes(b"")
    (tmp_path / "nul.yaml").write_bytes(b"\0" * 100)
    (tmp_path / "deep.har").write_text("[" * 100_000)
    (tmp_path / "zero.har").write_text('{"log":{"entries":[{}]}}')
    return tmp_path


def test_a_library_with_odd_files_serves_the_others(odd: Path) -> None:
    library = Library([odd])
    problems = {error.path.name for error in library.unusable()}
    assert library.readable == 1
    assert {"loop.yaml", "pipe.yaml", "dangling.yaml", "empty.yaml", "deep.har"} <= problems
    assert library.open("good").cassette.interactions


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "good.yaml", b"1")
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path: Path) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    library = Library([tmp_path])
    assert list(library.paths) == ["good"]
    (error,) = library.unusable()
    assert str(error).endswith("closed: cannot be listed: Permission denied")


@pytest.mark.parametrize("verb", ["verify", "import", "lint"])
def test_commands_name_odd_files_and_go_on(
    odd: Path, verb: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    more = ["-o", str(tmp_path / "out")] if verb == "import" else []
    with pytest.raises(SystemExit) as caught:
        main([verb, str(odd), *more])
    assert caught.value.code in (1, 2)
    shown = "".join(capsys.readouterr())
    assert "Traceback" not in shown
    assert "empty.yaml" in shown


@pytest.mark.parametrize("name", ["loop.yaml", "pipe.yaml", "nowhere.yaml", "folder.yaml"])
def test_what_is_no_file_is_an_error_at_once(odd: Path, name: str) -> None:
    with pytest.raises(CassetteError):
        loading.load(odd / name)


@settings(
    max_examples=int(os.environ.get("TAPECHECK_FUZZ", "150")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_recording_is_read_or_refused(name: str, data: st.DataObject) -> None:
    text = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 30))
        text[start : start + length] = data.draw(st.binary(max_size=20))
    for suffix in (".yaml", ".har", ".json"):
        with suppress(CassetteError):
            loading.parse(bytes(text), Path(f"x{suffix}"))
