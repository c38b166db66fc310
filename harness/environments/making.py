"""Make environments, one at a time, so that a complete one appears in one step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.environments import building, store
from harness.environments.listing import Environment
from harness.environments.store import Made
from harness.errors import SetupError
from mockserver import files


def _nothing(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Telling:
    """Who hears how it goes: ``waiting`` for another process, and each ``line`` of a tool."""

    line: Callable[[str], None] = _nothing
    waiting: Callable[[], None] = lambda: None


def find(environment: Environment, *, newest: bool = False) -> Made | None:
    """Return the environment for this machine's interpreter, if it is there.

    Raises :class:`SetupError` if there is no such interpreter.
    """
    key = environment.key(building.runtime(environment.kind), newest=newest)
    return store.found(environment, key)


def make(
    environment: Environment,
    telling: Telling | None = None,
    *,
    newest: bool = False,
    again: bool = False,
) -> Made:
    """Return the environment; make it if it is not there, or if it is to be made ``again``.

    Another process that makes it is waited for. What fails or is stopped leaves nothing. Raises
    :class:`SetupError` that says why it cannot be made.
    """
    telling = telling or Telling()
    runtime = building.runtime(environment.kind)
    key = environment.key(runtime, newest=newest)
    if not again and (there := store.found(environment, key)) is not None:
        return there
    waited = False

    def waiting() -> None:
        nonlocal waited
        waited = True
        telling.waiting()

    try:
        with store.locked(environment, waiting) as directory:
            before = store.found(environment, key)
            if before is not None and (waited or not again):
                return before
            store.remove_leftovers(directory)
            made = _build(environment, directory, key, runtime, telling, newest=newest)
            store.keep(made)
            if before is not None:
                shutil.rmtree(before.directory, ignore_errors=True)
            return made
    except OSError as exc:
        raise SetupError(
            "the disk is full" if files.is_full(exc) else f"cannot be written: {exc.strerror}",
            path=exc.filename or store.root(),
            hint=f"make room, or set {store.VARIABLE} to another directory",
        ) from None


def _build(
    environment: Environment,
    beside: Path,
    key: str,
    runtime: str,
    telling: Telling,
    *,
    newest: bool,
) -> Made:
    directory = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=beside))
    try:
        directory.chmod(0o755)
        versions = building.build(environment, directory, telling.line, newest=newest)
        return Made(
            directory=directory,
            kind=environment.kind,
            key=key,
            versions=versions,
            runtime=runtime,
            tool=building.installer(environment.kind),
            size=store.size_of(directory),
        )
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
