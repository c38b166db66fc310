"""Serve the scripted model with llama.cpp's own server until standard input is closed.

Run as ``python -m tests.end_to_end.scripted_server DIRECTORY [PORT]``; prints the address.
"""

from __future__ import annotations

import sys
from pathlib import Path

import xllamacpp

from tests.end_to_end import scripted_model


def main(directory: Path, port: int = 0) -> None:
    path = directory / "scripted.gguf"
    scripted_model.write(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {"scripted"}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 1024
    params.cpuparams.n_threads = 1
    params.use_jinja = True
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
