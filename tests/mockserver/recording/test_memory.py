"""A large upload is scrubbed, searched and written in a small multiple of its size."""

from __future__ import annotations

import base64
import json
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.cassettes.cassette import Cassette, Interaction, Origin, Request, Response, Wire
from mockserver.recording import writer
from mockserver.secrets.scrub import Scrubber

SIZE = 2_000_000
CHANCE = random.Random(7)
MULTIPART = (
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n%b\r\n--b--\r\n'
)
BODIES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "one letter": ("application/json", lambda: json.dumps({"content": "A" * SIZE}).encode()),
    "prose": (
        "application/json",
        lambda: json.dumps({"content": "the quick brown fox " * (SIZE // 20)}).encode(),
    ),
    "image": (
        "application/json",
        lambda: json.dumps(
            {"u": base64.b64encode(CHANCE.randbytes(SIZE * 3 // 4)).decode()}
        ).encode(),
    ),
    "sound": (
        "multipart/form-data; boundary=b",
        lambda: MULTIPART % CHANCE.randbytes(SIZE),
    ),
}


def tape(path: Path, kind: str, body: bytes) -> Interaction:
    return Interaction(
        Request(method="POST", uri="http://a/b", headers=(("content-type", kind),), body=body),
        Response(
            status=200,
            reason="OK",
            headers=(),
            body=b"",
            wire=Wire(end_ms=1, origin=Origin.RECORDED, recorded={"at": "now"}),
        ),
    )


@pytest.mark.parametrize("name", BODIES)
def test_a_large_upload_takes_a_few_times_its_size(tmp_path: Path, name: str) -> None:
    kind, make = BODIES[name]
    path = tmp_path / "c.yaml"
    # Modules and patterns are loaded once.
    writer.save(Cassette(path, (Scrubber().interaction(tape(path, kind, b"{}")),)), ())
    recorded = tape(path, kind, make())
    size = len(recorded.request.body)
    tracemalloc.start()
    try:
        safe = Scrubber(["a-known-secret-value"]).interaction(recorded)
        scrubbing = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        writer.save(Cassette(path, (safe,)), ["a-known-secret-value"])
        writing = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert scrubbing < 7 * size
    assert writing < 7 * size
