"""``tapecheck serve --workers``: several processes that answer on one port."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import click

from harness.errors import SetupError

#: Serves until SIGTERM, and calls its argument when it listens.
Serve = Callable[[Callable[[], None]], None]


@contextmanager
def started(count: int, serve: Serve) -> Iterator[None]:
    """Run ``serve`` in ``count`` processes; they listen when the block begins, and end with it.

    Raises :class:`SetupError` where a process cannot be copied, or one of them does not start.
    """
    if not hasattr(os, "fork"):
        raise SetupError(
            "this system cannot copy a process",
            hint="start the server without --workers, or several on ports of their own",
        )
    reads, writes = os.pipe()
    children: list[int] = []
    try:
        for _ in range(count):
            child = os.fork()
            if child == 0:
                _work(serve, writes)
            children.append(child)
        os.close(writes)
        for _ in children:
            if not os.read(reads, 1):
                wait()
        yield
    finally:
        os.close(reads)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        for child in children:
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def wait() -> NoReturn:
    """Wait until a worker ends. Raises :class:`SetupError`: none should."""
    child, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    raise SetupError(
        f"worker {child} has ended with {code}",
        hint="what it printed says why; the other workers were stopped",
    )


def _work(serve: Serve, writes: int) -> NoReturn:
    """Serve until SIGTERM, and end this process."""
    # Ctrl-C reaches every process of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = 1

    def listening() -> None:
        os.write(writes, b".")
        os.close(writes)

    try:
        serve(listening)
        code = 0
    except BaseException as exc:
        click.echo(f"tapecheck: a worker failed: {exc}", err=True)
    finally:
        os._exit(code)
