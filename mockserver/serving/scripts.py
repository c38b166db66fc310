"""Scripts in files, and the cassettes that they play."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from mockserver.backend.script import Script, Tape, is_script, merged, script_of_yaml
from mockserver.cassettes.yaml_reader import YamlError, read
from mockserver.errors import CassetteError, ScriptError, SessionError
from mockserver.library import library as store
from mockserver.library.library import Library

#: Files that may be scripts.
_SUFFIXES = (".yaml", ".yml", ".json")
_CASSETTE = re.compile(rb"^interactions:", re.MULTILINE)
_BEGINNING = re.compile(rb"^(?:answers|limits|only):", re.MULTILINE)
#: A larger file is no script.
_LARGEST = 16 * 1024 * 1024


def is_script_file(path: Path) -> bool:
    """Return whether a file is a script: it has answers or limits, and no interactions."""
    if path.suffix.lower() not in _SUFFIXES or not path.is_file():
        return False
    if path.stat().st_size > _LARGEST:
        return False
    text = path.read_bytes()
    if _CASSETTE.search(text):
        # To read a large cassette takes seconds.
        return False
    try:
        return is_script(read(text).data)
    except YamlError:
        # What is wrong with it shall be named.
        return _BEGINNING.search(text) is not None


def load_scripts(paths: Iterable[Path]) -> Script:
    """Read scripts as one, in their order. Raises as :func:`load_script` does."""
    return merged([load_script(path) for path in paths])


def load_script(path: Path) -> Script:
    """Read a script; the cassettes that it plays are named from its folder.

    Raises :class:`ScriptError` with file and line.
    """
    try:
        text = path.read_bytes()
    except OSError as exc:
        raise ScriptError(str(path), f"cannot be read: {exc.strerror}", "name a file") from None
    return script_of_yaml(text, str(path), tapes_below(path.parent))


def tapes_below(folder: Path) -> Callable[[str], Tape]:
    """Return what opens the cassettes that a script names by their files."""

    def open_tape(name: str) -> Tape:
        try:
            cassette = store.load(folder / name)
        except CassetteError as exc:
            raise ValueError(str(exc)) from None
        return Tape(name=name, interactions=cassette.interactions)

    return open_tape


def tapes_of(library: Library) -> Callable[[str], Tape]:
    """Return what opens the cassettes that a server has, by their names and no others."""

    def open_tape(name: str) -> Tape:
        try:
            cassette = library.open(name).cassette
        except (CassetteError, SessionError) as exc:
            raise ValueError(str(exc)) from None
        return Tape(name=name, interactions=cassette.interactions)

    return open_tape
