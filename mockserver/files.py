"""Atomic replacement of files, and lock files beside them.

A reader sees the old file or the new one, and a process that is killed loses neither.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_LOCK = ".lock"
#: What a file that will replace another ends with; nobody else's file beside it does.
_TEMPORARY = ".tapecheck-new"


#: No room on the disk, none left for this user, or for this file.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class LockedError(OSError):
    """Another process has the lock."""


def replace(path: Path, data: bytes, *, private: bool = False) -> None:
    """Put ``data`` into ``path`` in one step; see :func:`replacing`. Raises ``OSError``."""
    with replacing(path, private=private) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """Yield a file that replaces ``path`` when the block ends without an exception.

    Makes the directory, follows a symbolic link, and keeps the mode of an existing file; a new
    one can be read by all. ``private``: only the owner may read it. Raises ``OSError``.
    """
    target = _target(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=_prefix(target), suffix=_TEMPORARY)
    temporary = Path(name)
    try:
        file = os.fdopen(handle, "wb")
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            # On a full disk closing fails, too; the first error says more.
            with suppress(OSError):
                file.close()
            raise
        file.close()
        # The mode comes last: it may forbid writing.
        temporary.chmod(0o600 if private else _mode(target))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def below(directory: Path, failed: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield what is below a directory and is none itself, in order: files, links, pipes.

    A link to a directory is not followed. ``failed`` gets the error of each directory that cannot
    be listed; it has the name of that.
    """
    found = [
        Path(folder, name)
        for folder, _, names in os.walk(directory, onerror=failed)
        for name in names
    ]
    yield from sorted(found)


def is_full(error: OSError) -> bool:
    """Return whether a file was not written because the disk is full."""
    return error.errno in _FULL


def remove_leftovers(path: Path) -> None:
    """Remove what a killed process left while replacing ``path``. Take its lock first."""
    target = _target(path)
    for file in target.parent.iterdir() if target.parent.is_dir() else ():
        if file.name.startswith(_prefix(target)) and file.suffix == _TEMPORARY:
            file.unlink(missing_ok=True)


@contextmanager
def lock(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Lock ``path`` for this process and make its directory; the file need not exist.

    The lock is a file beside it. It ends with the process, even if that is killed. Raises
    :class:`LockedError` if another process has it, unless it is to ``wait``, and ``OSError``.
    """
    # It loads asyncio and sqlite3, which most commands do without.
    from filelock import FileLock, Timeout

    target = _target(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    lock_file = target.with_name(f"{_prefix(target)[:-1]}{_LOCK}")
    # A recorder is opened in one thread and may be closed in another.
    file_lock = FileLock(lock_file, timeout=-1 if wait else 0, thread_local=False)
    try:
        file_lock.acquire()
    except Timeout:
        raise LockedError(None, "locked by another process", str(path)) from None
    try:
        yield
    finally:
        if sys.platform != "win32":
            # While we have the lock: a process that opened the file before sees that it is gone,
            # and one that opens it later makes a new one. Windows removes it with the last handle.
            lock_file.unlink(missing_ok=True)
        file_lock.release()


def _target(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _prefix(target: Path) -> str:
    return f".{target.name}."


def _mode(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode) & 0o777
    except FileNotFoundError:
        return 0o644
