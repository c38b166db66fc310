from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mockserver import files

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir())


def test_a_file_is_made_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "x"
    files.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["x"]


@posix
def test_a_new_file_can_be_read_by_all_and_a_private_one_by_its_owner(tmp_path: Path) -> None:
    files.replace(tmp_path / "open", b"")
    files.replace(tmp_path / "secret", b"", private=True)
    assert (mode(tmp_path / "open"), mode(tmp_path / "secret")) == (0o644, 0o600)


@posix
def test_an_existing_file_keeps_its_mode_unless_it_is_to_be_private(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    path.chmod(0o464)
    files.replace(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o464)
    files.replace(path, b"newer", private=True)
    assert mode(path) == 0o600


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path, there: bool) -> None:
    target, middle, link = tmp_path / "far" / "real", tmp_path / "middle", tmp_path / "link"
    if there:
        target.parent.mkdir()
        target.write_bytes(b"old")
        target.chmod(0o600)
    middle.symlink_to(Path("far", "real"))
    link.symlink_to(middle)
    files.replace(link, b"new")
    assert link.is_symlink()
    assert middle.is_symlink()
    assert target.read_bytes() == b"new"
    assert mode(target) == (0o600 if there else 0o644)
    assert names(target.parent) == ["real"]
    assert names(tmp_path) == ["far", "link", "middle"]


def test_readers_see_the_old_file_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with files.replacing(path) as file:
        file.write(b"n")
        file.flush()
        assert path.read_bytes() == b"old"
        file.write(b"ew")
    assert path.read_bytes() == b"new"


def test_a_failure_keeps_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def interrupt() -> None:
        with files.replacing(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.replace(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_leftovers_of_one_file_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [".x", ".x.lock", ".x.swp", ".x.un~", ".xy.k2j3.tapecheck-new", "x", "x.orig"]
    for name in (".x.k2j3.tapecheck-new", *kept):
        (tmp_path / name).touch()
    files.remove_leftovers(tmp_path / "x")
    assert names(tmp_path) == kept
    files.remove_leftovers(tmp_path / "absent" / "x")


def test_a_lock_is_held_by_one_at_a_time_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x"
    with files.lock(path), pytest.raises(files.LockedError), files.lock(path):
        pass
    with files.lock(path):
        assert names(path.parent) == [".x.lock"]
    assert names(path.parent) == []


def test_a_lock_can_be_released_in_another_thread(tmp_path: Path) -> None:
    held = files.lock(tmp_path / "x")
    held.__enter__()
    thread = threading.Thread(target=held.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    with files.lock(tmp_path / "x"):
        pass


@posix
def test_a_link_and_its_target_have_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "x")
    with (
        files.lock(tmp_path / "x"),
        pytest.raises(files.LockedError),
        files.lock(tmp_path / "link"),
    ):
        pass


@posix
def test_a_lock_on_a_deleted_file_locks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    take = fcntl.flock

    def late(handle: int, operation: int) -> None:
        # The other process removes its lock file between our open and our lock.
        (tmp_path / ".x.lock").unlink(missing_ok=True)
        take(handle, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(files.LockedError), files.lock(tmp_path / "x"):
        pass


HOLDER = """
import os, sys
from pathlib import Path
from mockserver import files
with files.lock(Path(sys.argv[1])):
    print(flush=True)
    sys.stdin.read()
    os.kill(os.getpid(), 9)
"""


@posix
def test_a_lock_keeps_other_processes_out_and_ends_with_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(files.LockedError), files.lock(path):
            pass
        holder.communicate()
    assert names(tmp_path) == [".x.lock"]
    with files.lock(path):
        pass
    assert names(tmp_path) == []


def test_a_lock_that_cannot_be_created_is_another_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as caught, files.lock(tmp_path / "file" / "x"):
        pass
    assert not isinstance(caught.value, files.LockedError)


def test_the_lock_library_is_loaded_when_it_is_needed() -> None:
    code = "import sys, mockserver.files; assert 'filelock' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
