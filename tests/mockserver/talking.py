"""Bytes to a server, and what it answers."""

from __future__ import annotations

import socket

from mockserver.recording.recorder import Recorder


def talk(recorder: Recorder, *parts: bytes) -> bytes:
    port = int(recorder.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        for part in parts:
            sock.sendall(part)
        received = b""
        while piece := sock.recv(65536):
            received += piece
        return received
