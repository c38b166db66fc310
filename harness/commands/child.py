"""The client that is recorded: a command, or whatever a person starts by hand."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mockserver.recording import TapeHandle

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Seconds for a command to end after a signal.
_PATIENCE = 5.0


def run(argv: Sequence[str], tape: TapeHandle) -> tuple[int, str | None]:
    """Run the command with the tape in its environment.

    Returns its exit code, and the signal that ended both, if one did.
    """
    given = {n: v for n, v in os.environ.items() if n not in tape.hidden_variables}
    environment = {**given, **tape.environment()}
    say(f"recording {tape.path} at {tape.address}")
    received: list[signal.Signals] = []

    def stop(number: int, _: object) -> None:
        received.append(signal.Signals(number))
        # Ctrl-C reaches the command by itself.
        if number == signal.SIGTERM or not sys.stdin.isatty():
            process.send_signal(number)
        if len(received) == 1:
            killer.start()

    try:
        process = subprocess.Popen(argv, env=environment)  # noqa: S603
    except OSError as exc:
        raise click.UsageError(f"cannot run {shlex.join(argv)}: {exc.strerror}") from None
    killer = threading.Thread(target=_kill_later, args=(process,), daemon=True)
    before = {number: signal.signal(number, stop) for number in _STOP_SIGNALS}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        return 128 + received[0], received[0].name
    # Like a shell for a command that a signal ended.
    return (code if code >= 0 else 128 - code), None


def _kill_later(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def wait(tape: TapeHandle) -> int:
    """Wait for Ctrl-C or SIGTERM."""
    over = threading.Event()
    before = {number: signal.signal(number, lambda *_: over.set()) for number in _STOP_SIGNALS}
    for name, value in tape.environment().items():
        if tape.is_proxy or name.lower() != "no_proxy":
            say(f"export {name}={shlex.quote(value)}")
    for name in sorted(tape.hidden_variables):
        say(f"unset {name}")
    say(f"recording {tape.path}; press Ctrl-C to write it")
    try:
        # On some systems a signal handler runs only between two waits.
        while not over.wait(0.5):
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def say(text: str) -> None:
    """Tell a person."""
    # Stdout belongs to the command.
    click.echo(text, err=True)
    sys.stderr.flush()
