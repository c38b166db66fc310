from __future__ import annotations

from pathlib import Path

import pytest

from harness.commands import last_run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, *, whole: bool = True) -> None:
    with last_run.new_records() as file:
        assert file is not None
        file.write(text)
        if not whole:
            raise KeyboardInterrupt


def test_records_are_replaced_when_they_are_complete() -> None:
    write("ü\n")
    with pytest.raises(KeyboardInterrupt):
        write("half", whole=False)
    assert last_run.existing().read_bytes() == "ü\n".encode()
    names = {file.name for file in last_run.FILE.parent.iterdir()}
    assert names == {".gitignore", "last-run.ndjson"}


def test_an_unwritable_directory_only_warns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    last_run.FILE.parent.write_text("")
    with last_run.new_records() as file:
        assert file is None
    assert capsys.readouterr().err == (
        f"tapecheck: cannot save the results: {last_run.FILE}: File exists\n"
    )
