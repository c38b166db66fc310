"""Reads a file of recordings, whoever wrote it."""

from __future__ import annotations

import stat
import zlib
from pathlib import Path

from mockserver.cassettes import cassette
from mockserver.cassettes.cassette import Cassette
from mockserver.errors import CassetteError, NoRecordingError, UnparsableError

#: The file names of cassettes and archives.
SUFFIXES = (".yaml", ".yml", ".har")
#: File names that may be recordings of other tools; what they begin with decides.
MAYBE = (".json", ".gz", ".flow", ".flows", ".mitm", ".vcr")
#: How many bytes of such a file are looked at.
_START = 4096


def load(path: Path) -> Cassette:
    """Read a cassette, an HTTP archive, or another tool's recording as it is.

    Raises :class:`CassetteError`: with file and line for what is wrong in it, and with the verb
    that helps; :class:`NoRecordingError` for a file of another kind.
    """
    return parse(read(path), path)


def parse(text: bytes, path: Path) -> Cassette:
    """Read a recording from its ``text``; ``path`` is for its name and for messages."""
    # Few servers need the readers of other tools' files.
    if path.suffix.lower() == ".har":
        from mockserver.cassettes import har

        return har.parse(text, path)
    try:
        return cassette.parse(text, path)
    except CassetteError as exc:
        error = exc
    from mockserver.cassettes import foreign

    try:
        found = foreign.load(text, path)
    except UnparsableError as exc:
        raise (error if path.suffix.lower() in SUFFIXES else exc) from None
    except NoRecordingError:
        raise
    except CassetteError as exc:
        # What is wrong with a cassette is said by the reader of cassettes.
        raise (error if b"interactions" in text and error.line else exc) from None
    if found is None and text.strip() and b"interactions" not in text:
        raise NoRecordingError(path, error.message, line=error.line, hint=error.hint)
    if found is None or not found.interactions:
        raise error
    return found


def read(path: Path) -> bytes:
    """Return the bytes of a file. Raises :class:`CassetteError` for what is none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            # Reading a pipe or a device would wait for ever.
            raise CassetteError(path, "not a file", hint="name a file of recordings")
        return path.read_bytes()
    except FileNotFoundError:
        raise CassetteError(path, "no such cassette", hint="check the path") from None
    except OSError as exc:
        raise CassetteError(path, f"cannot be read: {exc.strerror}") from None


def is_recording(path: Path) -> bool:
    """Return whether a file in a directory is one to read, by its name and its beginning."""
    suffix = path.suffix.lower()
    if suffix not in MAYBE:
        return suffix in SUFFIXES
    from mockserver.cassettes import foreign

    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            return foreign.looks_like_one(file.read(_START))
    except (OSError, zlib.error):
        return False
