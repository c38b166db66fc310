"""Write one cassette repeatedly in children that are killed, and check what is left.

Run as ``python -m tests.mockserver.killed_writer FILE COUNT``; prints how often the old and how
often the new recording was found.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
from collections import Counter
from pathlib import Path

from mockserver.cassettes.cassette import Cassette
from mockserver.library import library
from mockserver.recording.writer import locked, save
from tests.mockserver.rawhttp import cassette, interaction

BODIES = {n: f"data: {n}\n\n".encode() * 2_000 for n in (1, 2)}


def tape(path: Path, number: int) -> Cassette:
    return cassette(interaction(BODIES[number], content_type="text/event-stream"), path=path)


def write_for_ever(path: Path, ready: int, there: int) -> None:
    with locked(path):
        os.write(ready, b"!")
        while True:
            there = 3 - there
            save(tape(path, there), [])


def main(path: Path, count: int) -> None:
    number = 1
    save(tape(path, number), [])
    seen: Counter[str] = Counter()
    for _ in range(count):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            write_for_ever(path, writing, number)
        os.read(reading, 1)
        # Nothing more arrives: this is a wait of a random length.
        select.select([reading], [], [], random.uniform(0, 0.5))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
        body = library.load(path).interactions[0].response.body
        (number,) = (n for n, whole in BODIES.items() if whole == body)
        seen[f"recording {number}"] += 1
        seen["left over"] += sum(1 for f in path.parent.iterdir() if f.suffix != ".lock") > 1
    with locked(path):
        save(tape(path, 1), [])
    assert [f.name for f in path.parent.iterdir()] == [path.name]
    print(dict(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
