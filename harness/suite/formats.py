"""The file formats and the versions that this tapecheck reads.

Every file that is written has ``version: 1``. A file without a version is older than versions, and
is read the same. Any other version is rejected, since its meaning is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The version of scenarios, declarations, results and transcripts. Cassettes have their own.
VERSION = 1
HINT = f"this tapecheck reads version {VERSION}; upgrade tapecheck, or write the file again"
#: What ``tapecheck --version`` prints for each format.
READS = {
    "cassettes": "version 1, wire version 1; also of vcrpy without a wire, and HTTP archives",
    "scenarios": "version 1",
    "declarations": "version 1, with their baselines",
    "results": "version 1, as NDJSON",
    "transcripts": "version 1, of 'tapecheck run --keep'",
}


def unknown_version(data: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the version of a file; ``None`` if it can be read.

    Results and transcripts once had their version under ``format``.
    """
    found = data.get("version", data.get("format", VERSION))
    return None if found == VERSION else f"version {found!r} of this format is not supported"
