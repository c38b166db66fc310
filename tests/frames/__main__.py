"""Make the bodies of frames in cassettes from the comments above them."""

from __future__ import annotations

from pathlib import Path

from tests.frames import with_bodies

CASSETTES = Path(__file__).parents[2] / "cassettes"

for path in (CASSETTES / "bedrock").glob("*.yaml"):
    text = path.read_text(encoding="utf-8")
    if (made := with_bodies(text)) != text:
        path.write_text(made, encoding="utf-8")
        print(path)
