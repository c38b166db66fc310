"""How many examples the tests try that feed readers with broken input.

``TAPECHECK_FUZZ`` sets it for a long run, as in ``TAPECHECK_FUZZ=20000 pytest -k fuzz tests``; by
default there are few.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

TRIED = int(os.environ.get("TAPECHECK_FUZZ", "150"))

fuzzed = settings(max_examples=TRIED, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def broken(draw: st.DrawFn, seeds: list[bytes], pieces: list[bytes]) -> bytes:
    """Return one of the texts with a few places cut, doubled, exchanged or filled with pieces."""
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 60)))
        match draw(st.sampled_from(["cut", "double", "put", "bytes", "end"])):
            case "cut":
                text = text[:start] + text[stop:]
            case "double":
                text = text[:stop] + text[start:stop] + text[stop:]
            case "put":
                text = text[:start] + draw(st.sampled_from(pieces)) + text[stop:]
            case "bytes":
                text = text[:start] + draw(st.binary(max_size=8)) + text[stop:]
            case "end":
                text = text[:start]
    return text
