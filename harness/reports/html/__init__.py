"""One self-contained HTML page of a whole run, made from its records.

The tables at its top are written by a template. What opens from them, and the matrix, are data
that the page's own script shows, by text nodes only. It loads nothing, and runs from a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from harness.reports.html.fold import fold
from harness.reports.html.page import render
from harness.reports.summary import summarize
from mockserver.vocabulary import JsonObject

#: Bytes of a page that still opens well on a phone.
LIMIT = 2_000_000
#: Characters of a value that are shown, from the most to the fewest that a page may need.
_CLIPS = (4_000, 800, 160)


def write(records: Iterable[JsonObject], stream: TextIO, *, here: Path) -> None:
    """Write the page. Values are clipped until it has at most :data:`LIMIT` bytes, if that helps.

    Raises :class:`~harness.errors.ReportError` for half a run.
    """
    records = list(records)
    summary = summarize(records)
    text = ""
    for clip in _CLIPS:
        text = render(fold(records, summary, here=here, clip=clip))
        if len(text.encode()) <= LIMIT:
            break
    stream.write(text)
