"""How the process of a client is started: Python that loads an adapter, or a command."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.clients.certificates import environment
from harness.clients.interface import Call
from harness.errors import AdapterError

#: What a reference to a command begins with.
PREFIX = "cmd:"
#: What a new process of ours runs: the paths are those of this process, as with
#: ``multiprocessing``.
_BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from harness.clients.worker import main; main(sys.argv[2])"
)


@dataclass(frozen=True, slots=True)
class Command:
    """A program that speaks the client protocol.

    ``variables`` are added to its environment; ``directory`` is where it runs, by default the
    working directory.
    """

    words: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None


@dataclass(frozen=True, slots=True)
class InWorker:
    """The ``run`` of an adapter that is not loaded in this process.

    ``command`` is ``None`` for an adapter in Python. ``failures`` are the names of the classes of
    exceptions that a command's client documents; none means any.
    """

    reference: str
    command: Command | None = None
    failures: frozenset[str] = frozenset()

    def __call__(self, _: Call) -> Any:
        """Refuse: only a worker has the client's code."""
        raise TypeError(f"{self.reference} runs in processes of its own; see harness.clients.hosts")

    @property
    def argv(self) -> tuple[str, ...]:
        """The words that start the process."""
        if self.command is not None:
            return self.command.words
        return (sys.executable, "-P", "-c", _BOOT, _paths(), self.reference)

    @property
    def opens(self) -> str:
        """What it has to do before calls are made."""
        return "end" if self.command is None else "say hello"

    @property
    def directory(self) -> Path | None:
        """Where the process runs; ``None`` for the working directory."""
        return None if self.command is None else self.command.directory

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the process."""
        added = {} if self.command is None else self.command.variables
        return {**environment(), **added}


def command_of(reference: str, line: str, directory: Path | None = None) -> Command:
    """Return the command that a reference stands for: ``line``, in a directory.

    Raises :class:`AdapterError` for one that is empty, or whose program is not there.
    """
    try:
        words = shlex.split(line, posix=os.name == "posix")
    except ValueError as exc:
        raise AdapterError(f"{reference}: not a command: {exc}") from None
    if not words:
        raise AdapterError(
            f"{reference}: no command", hint="as in --adapter 'cmd: node my_client.mjs'"
        )
    if shutil.which(words[0]) is None and not ((directory or Path()) / words[0]).is_file():
        raise AdapterError(
            f"{reference}: no program {words[0]!r}", hint="install it, or give its path"
        )
    return Command(tuple(words), directory=directory)


def _paths() -> str:
    """Return where this process finds modules. The client may change its directory."""
    return json.dumps([os.path.abspath(path) for path in sys.path])  # noqa: PTH100 - not only files
