"""The command that starts a third-party client in its environment.

A program for Node.js finds packages beside its own file only, so that the shims are copied into the
environment, into a directory named for what is in them.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.environments import building, making, pins
from harness.environments.listing import Kind, ThirdParty
from harness.environments.store import Made
from harness.errors import SetupError


@dataclass(frozen=True, slots=True)
class Launch:
    """The ``words`` of a command, and the ``releases`` that it runs, for people."""

    words: tuple[str, ...]
    releases: str


def launch_of(client: ThirdParty) -> Launch:
    """Return the command of a client. Raises :class:`SetupError` if its environment is not made.

    Python's own variables, and packages in the user's directory, do not reach it.
    """
    made = making.find(client.environment, newest=client.newest)
    if made is None:
        newest = "--newest " if client.newest else ""
        verb = "update" if client.newest else "make"
        raise SetupError(
            f"{client.reference}: its environment {client.environment.name} is not made",
            hint=f"make it: tapecheck env {verb} {newest}{client.environment.name}",
        )
    if not client.shim.is_file():
        raise SetupError(f"{client.reference}: no such shim", path=client.shim)
    if client.environment.kind is Kind.PYTHON:
        program: tuple[str, ...] = (str(made.interpreter), "-E", "-s", str(client.shim))
    else:
        shim = _beside_packages(client.shim.parent, made) / client.shim.name
        program = (building.node(), str(shim))
    packages = pins.main_versions(client.environment, made.versions)
    return Launch((*program, *client.arguments), f"{packages}, {made.interpreter_shown}")


def _beside_packages(shims: Path, made: Made) -> Path:
    """Return a copy of the shims for Node.js inside an environment. Raises :class:`SetupError`."""
    originals = sorted(shims.glob("*.mjs"))
    key = hashlib.sha256()
    for path in originals:
        key.update(f"{path.name}\n".encode() + path.read_bytes())
    copied = made.directory / "shims" / key.hexdigest()[:12]
    if copied.is_dir():
        return copied
    try:
        copied.parent.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=copied.parent))
        for path in originals:
            shutil.copyfile(path, fresh / path.name)
        try:
            fresh.rename(copied)
        except OSError:
            # Another process was faster.
            shutil.rmtree(fresh, ignore_errors=True)
            if not copied.is_dir():
                raise
    except OSError as exc:
        raise SetupError(f"cannot be written: {exc.strerror}", path=copied) from None
    return copied
