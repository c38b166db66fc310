"""One server for all tests of a process, started when it is first needed."""

from __future__ import annotations

import atexit
import os
import threading

from mockserver.serving.server import MockServer

_lock = threading.Lock()
#: The process that started the server, and the server: a fork has no thread of it.
_started: tuple[int, MockServer] | None = None


def shared_server() -> MockServer:
    """Return the server of this process; it ends with the process."""
    global _started
    with _lock:
        if _started is None or _started[0] != os.getpid():
            server = MockServer()
            server.__enter__()
            atexit.register(_close, os.getpid(), server)
            _started = os.getpid(), server
        return _started[1]


def _close(process: int, server: MockServer) -> None:
    if process == os.getpid():
        server.__exit__(None, None, None)
