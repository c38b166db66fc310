from __future__ import annotations

import io

import pytest

from harness.reports import glyphs


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", r"ok FAIL - ... -> | Gr\xfc\xdfe \U0001f44b"),
        ("latin-1", r"ok FAIL - ... -> | Grüße \U0001f44b"),
        ("cp1252", r"ok FAIL – … -> | Grüße \U0001f44b"),
        ("utf-8", "✓ ✗ – … → ┊ Grüße 👋"),
        (None, "✓ ✗ – … → ┊ Grüße 👋"),
    ],
)
def test_what_an_encoding_lacks_is_said_in_words(encoding: str | None, shown: str) -> None:
    assert glyphs.showable("✓ ✗ – … → ┊ Grüße 👋", encoding) == shown


def test_a_stream_writes_words_instead_of_failing() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    glyphs.show_marks((stream, io.StringIO()))
    stream.write("✓✗ \ud800")
    stream.flush()
    assert stream.buffer.getvalue() == rb"okFAIL \ud800"  # type: ignore[attr-defined]
