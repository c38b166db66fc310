"""Install the packages of an environment: uv or pip for Python, npm for Node.js.

Only wheels are installed, and no package of Node.js runs a script of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from harness.environments import pins, store
from harness.environments.failing import Failed, explained, without_passwords
from harness.environments.listing import Environment, Kind
from harness.errors import SetupError

#: Gets a line of what an installer prints.
Tell = Callable[[str], None]
#: Lines kept of what an installer prints.
_KEPT = 200
#: What Node.js prints of itself: its major version and the machine it is for.
_NODE_RUNTIME = "`node-${process.version.split('.')[0]}-${process.platform}-${process.arch}`"
#: Variables that would put packages, or find them, elsewhere than in the environment.
_ELSEWHERE = {
    *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"),
    *("PIP_REQUIREMENT", "PIP_CONSTRAINT", "UV_CONSTRAINT", "NODE_PATH", "npm_config_prefix"),
}


@cache
def runtime(kind: Kind) -> str:
    """Return the interpreter, with its version and the machine it is for.

    Raises :class:`SetupError` if there is none.
    """
    if kind is Kind.PYTHON:
        return f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    return _output([node(), "-p", _NODE_RUNTIME]).strip()


def node() -> str:
    """Return the path of Node.js. Raises :class:`SetupError` if there is none."""
    return _tool("node")


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise SetupError(
            f"{name} is not installed, which clients for Node.js need",
            hint="install Node.js 20 or later, with npm",
        )
    return path


def _output(command: Sequence[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as exc:
        raise SetupError(f"{command[0]} does not run: {exc}") from None
    return ended.stdout


def installer(kind: Kind) -> str:
    """Return what installs packages: ``uv``, ``pip`` or ``npm``. Raises :class:`SetupError`."""
    if kind is Kind.NODE:
        _tool("npm")
        return "npm"
    if shutil.which("uv"):
        return "uv"
    if importlib.util.find_spec("pip") is None:
        raise SetupError("neither uv nor pip is installed", hint="install one of them")
    return "pip"


def build(environment: Environment, directory: Path, tell: Tell, *, newest: bool) -> dict[str, str]:
    """Install an environment into an empty directory. Return the versions, by package.

    Raises :class:`SetupError` that says why it failed.
    """
    tool = installer(environment.kind)
    commands = (_with_npm if tool == "npm" else _with_uv if tool == "uv" else _with_pip)(
        environment, directory, newest
    )
    for command in commands:
        _run(command, directory, environment, tool, tell)
    return installed(environment, directory)


def installed(environment: Environment, directory: Path) -> dict[str, str]:
    """Return the versions of what is installed in a directory, by package."""
    if environment.kind is Kind.NODE:
        # npm keeps the lock file of what is there, also where the other has more.
        path = directory / "node_modules" / ".package-lock.json"
        return pins.read_node(path.read_text(encoding="utf-8"))
    there = distributions(path=[str(store.packages_of(directory))])
    return dict(sorted((pins.normal(d.name), d.version) for d in there))


def _with_uv(environment: Environment, directory: Path, newest: bool) -> list[list[str]]:
    uv = shutil.which("uv") or "uv"
    chosen = [] if newest else ["--constraint", str(environment.pins)]
    install = [
        *(uv, "pip", "install", "--python", str(store.python_of(directory))),
        *("--only-binary", ":all:", "--compile-bytecode", "--no-progress"),
        *chosen,
    ]
    return [
        [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(directory)],
        *_installing(install, environment),
    ]


def _with_pip(environment: Environment, directory: Path, newest: bool) -> list[list[str]]:
    chosen = [] if newest else ["--constraint", str(environment.pins)]
    install = [
        *(sys.executable, "-m", "pip", "--python", str(store.python_of(directory))),
        *("--disable-pip-version-check", "--no-input", "--retries", "2"),
        *("install", "--progress-bar", "off", "--only-binary", ":all:"),
        *chosen,
    ]
    return [
        [sys.executable, "-m", "venv", "--without-pip", str(directory)],
        *_installing(install, environment),
    ]


def _installing(install: list[str], environment: Environment) -> list[list[str]]:
    """Return the commands that install the packages, and those that stand alone."""
    alone = [[*install, "--no-deps", *environment.alone]] if environment.alone else []
    return [[*install, *environment.packages], *alone]


def _with_npm(environment: Environment, directory: Path, newest: bool) -> list[list[str]]:
    quiet = (
        *("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"),
        *("--fetch-retries=2", "--fetch-retry-mintimeout=1000"),
    )
    stated: dict[str, object] = {"name": environment.name, "private": True}
    npm = _tool("npm")
    if newest:
        command = [npm, "install", *quiet, "--engine-strict", *environment.packages]
    else:
        text = environment.pins.read_text(encoding="utf-8")
        stated["dependencies"] = json.loads(text)["packages"][""]["dependencies"]
        (directory / "package-lock.json").write_text(text, encoding="utf-8")
        command = [npm, "ci", *quiet]
    (directory / "package.json").write_text(json.dumps(stated), encoding="utf-8")
    return [command]


def _run(
    command: Sequence[str], directory: Path, environment: Environment, tool: str, tell: Tell
) -> None:
    """Run an installer. Raises :class:`SetupError` if it fails."""
    inherited = {k: v for k, v in os.environ.items() if k not in _ELSEWHERE}
    try:
        process = subprocess.Popen(  # noqa: S603 - what is run is stated here
            command,
            cwd=directory,
            env=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as exc:
        raise SetupError(f"{command[0]} cannot be started: {exc.strerror}") from None
    lines: deque[str] = deque(maxlen=_KEPT)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if text := without_passwords(line).strip():
                lines.append(text)
                tell(text)
        code = process.wait()
    finally:
        # An interrupt does not reach what was started; an installer starts processes of its own.
        _kill(process)
    if code:
        raise explained(Failed(environment, tool, tuple(lines), code))


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if process.poll() is not None:
            pass
        elif sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
