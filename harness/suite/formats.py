"""The file formats and the versions of them that this tapecheck reads.

Every file that is written says ``version: 1``. One that says nothing is older than versions are,
and is read the same; one that says more is refused, for nobody can know what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The version of scenarios, declarations, results and transcripts. Cassettes have their own.
VERSION = 1
HINT = f"this tapecheck reads version {VERSION}; upgrade tapecheck, or write the file again"
#: What ``tapecheck --version`` says of each format.
READS = {
    "cassettes": "version 1, wire version 1; also of vcrpy without a wire, and HTTP archives",
    "scenarios": "version 1",
    "declarations": "version 1, with their baselines",
    "results": "version 1, as NDJSON",
    "transcripts": "version 1, of 'tapecheck run --keep'",
}


def unknown_version(data: Mapping[str, Any]) -> str | None:
    """Say which version a file has that cannot be read; ``None`` for one that can.

    Results and transcripts once had their version under ``format``.
    """
    found = data.get("version", data.get("format", VERSION))
    return None if found == VERSION else f"version {found!r} of this format is not supported"
