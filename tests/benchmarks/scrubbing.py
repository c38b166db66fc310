"""Processor time to scrub and write one recording, and the memory that it takes.

``python -m tests.benchmarks.scrubbing [KIND] [MEGABYTES]``: a stream of short events, a JSON body
of prose, an image in base64, binary data, or a stream in pieces of one byte.
"""

from __future__ import annotations

import base64
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from mockserver.cassettes.cassette import (
    Cassette,
    Chunk,
    Interaction,
    Origin,
    Request,
    Response,
    Wire,
)
from mockserver.recording import writer
from mockserver.secrets.scrub import Scrubber

KINDS = ("stream", "prose", "image", "binary", "bytes")
_TEXT = 'the quick brown fox tokens keys \n "quoted" café 🎉 jumps over lazy dogs'
_WORDS = _TEXT.split(" ")


def sample(kind: str, size: int) -> Interaction:
    """Return an exchange with about ``size`` bytes of one kind."""
    chance = random.Random(5)
    request, answer, chunks = b"{}", b"{}", None
    if kind in ("stream", "bytes"):
        events: list[bytes] = []
        total = 0
        while total < size:
            delta = {"index": 0, "delta": {"content": chance.choice(_WORDS) + " "}}
            event = {"id": "chatcmpl-9x8y7z6w5v4u3t2s1r0q", "created": 1, "choices": [delta]}
            events.append(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())
            total += len(events[-1])
        answer = b"".join(events)
        lengths = [1] * len(answer) if kind == "bytes" else list(map(len, events))
        chunks = tuple(Chunk(number * 1.5, length) for number, length in enumerate(lengths))
    elif kind == "prose":
        texts = [" ".join(chance.choices(_WORDS, k=60)) for _ in range(size // 300)]
        request = json.dumps({"messages": [{"content": text} for text in texts]}).encode()
    elif kind == "image":
        image = base64.b64encode(chance.randbytes(size * 3 // 4)).decode()
        request = json.dumps({"url": f"data:image/png;base64,{image}"}).encode()
    else:
        request = chance.randbytes(size)
    return Interaction(
        Request(method="POST", uri="https://api.example.com/v1/x", body=request),
        Response(
            status=200,
            reason="OK",
            headers=(("content-type", "text/event-stream" if chunks else "application/json"),),
            body=answer,
            wire=Wire(chunks=chunks, end_ms=9e9, origin=Origin.RECORDED, recorded={"at": "now"}),
        ),
    )


def measure(recorded: Interaction) -> tuple[float, float]:
    """Return the processor seconds of scrubbing and of writing."""
    with tempfile.TemporaryDirectory() as directory:
        begun = time.process_time()
        safe = Scrubber(["a-known-secret-value"]).interaction(recorded)
        scrubbed = time.process_time()
        writer.save(Cassette(Path(directory) / "c.yaml", (safe,)), ["a-known-secret-value"])
        return scrubbed - begun, time.process_time() - scrubbed


if __name__ == "__main__":
    named = sys.argv[1:2] or KINDS
    megabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    # Patterns are compiled when they are first needed.
    measure(sample("stream", 1000))
    for each in named:
        made = sample(each, int(megabytes * 1e6 * (0.1 if each == "bytes" else 1)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        scrub, write = measure(made)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        bytes_of = len(made.request.body) + len(made.response.body)
        print(
            f"{each:8} {bytes_of / 1e6:.2f} MB: "
            f"scrub {scrub:.2f} s, write {write:.2f} s, +{grown:.0f} MiB"
        )
