"""Where environments are kept, and which are there.

``<root>/<name>/<key>.json`` says that an environment is complete and in which directory beside it.
It is written last and in one step, so that what a killed process left is never used; the next one
that makes an environment of this name removes it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.environments.listing import Environment, Kind
from harness.suite.formats import VERSION
from mockserver import files
from mockserver.vocabulary import JsonObject

#: The variable that names another place for all environments.
VARIABLE = "TAPECHECK_ENVS"


def root() -> Path:
    """Return the directory of all environments: a cache, which may be removed at any time."""
    if stated := os.environ.get(VARIABLE):
        return Path(stated).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "tapecheck" / "envs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An environment that is there. ``versions`` are those of all its packages, ``size`` bytes.

    ``runtime`` is its interpreter, ``tool`` what installed the packages.
    """

    directory: Path
    kind: Kind
    key: str
    versions: dict[str, str]
    runtime: str
    tool: str
    size: int

    @property
    def interpreter(self) -> Path | None:
        """The program that runs clients in it: its own Python; ``None`` for the common Node.js."""
        return python_of(self.directory) if self.kind is Kind.PYTHON else None

    @property
    def interpreter_shown(self) -> str:
        """The interpreter with its version, for people: ``cpython-311-…`` is Python 3.11."""
        _, version, *_ = *self.runtime.split("-"), ""
        if self.kind is Kind.NODE:
            return f"{self.kind.shown} {version.removeprefix('v')}"
        return f"{self.kind.shown} {version[:1]}.{version[1:]}"


def python_of(directory: Path) -> Path:
    """Return the interpreter of a virtual environment of this Python's version."""
    name = "python.exe" if sys.platform == "win32" else "python"
    return _venv_path("scripts", directory) / name


def packages_of(directory: Path) -> Path:
    """Return where a virtual environment of this Python's version has its packages."""
    return _venv_path("purelib", directory)


def _venv_path(name: str, directory: Path) -> Path:
    places = {"base": str(directory), "platbase": str(directory)}
    return Path(sysconfig.get_path(name, "venv", places))


def found(environment: Environment, key: str) -> Made | None:
    """Return the environment with this key if it is there and complete."""
    return _read(root() / environment.name / f"{key}.json", environment.kind)


def all_found(environment: Environment) -> tuple[Made, ...]:
    """Return all environments of this name: of other pins and interpreters, too."""
    stated = sorted((root() / environment.name).glob("*.json"))
    made = (_read(path, environment.kind) for path in stated)
    return tuple(one for one in made if one is not None)


def _read(path: Path, kind: Kind) -> Made | None:
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        made = Made(
            directory=path.parent / stated["directory"],
            kind=kind,
            key=path.stem,
            versions=dict(stated["versions"]),
            runtime=stated["runtime"],
            tool=stated["tool"],
            size=stated["size"],
        )
        # What a link to a Python points to may be gone, too.
        there = (made.interpreter or made.directory).exists()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return made if there and stated["version"] == VERSION else None


@contextmanager
def locked(environment: Environment, waiting: Callable[[], None]) -> Iterator[Path]:
    """Yield the directory of an environment's name, which no other process changes meanwhile.

    Calls ``waiting`` before it waits for another process. Raises ``OSError``.
    """
    directory = root() / environment.name
    with ExitStack() as stack:
        try:
            stack.enter_context(files.lock(directory))
        except files.LockedError:
            waiting()
            stack.enter_context(files.lock(directory, wait=True))
        directory.mkdir(parents=True, exist_ok=True)
        yield directory


def keep(made: Made) -> None:
    """Write down that an environment is complete. It replaces one with its key."""
    stated: JsonObject = {
        "version": VERSION,
        "directory": made.directory.name,
        "versions": made.versions,
        "runtime": made.runtime,
        "tool": made.tool,
        "size": made.size,
    }
    path = made.directory.with_name(f"{made.key}.json")
    files.replace(path, (json.dumps(stated, indent=1) + "\n").encode())


def remove_leftovers(directory: Path) -> None:
    """Remove what no complete environment of this name uses. Take its lock first."""
    used = set()
    for path in directory.glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            used.add(json.loads(path.read_text(encoding="utf-8"))["directory"])
    for path in directory.iterdir():
        if path.is_dir() and path.name not in used:
            shutil.rmtree(path, ignore_errors=True)


def remove(made: Made) -> None:
    """Remove an environment. Take the lock of its name first."""
    made.directory.with_name(f"{made.key}.json").unlink(missing_ok=True)
    shutil.rmtree(made.directory, ignore_errors=True)


def size_of(directory: Path) -> int:
    """Return the bytes of all files below a directory; of links, none."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += Path(folder, name).lstat().st_size
    return total
