"""Pages of records, and what is packed in them, for tests."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

from harness.reports import html
from tests.harness.reports.made import Record

#: What a hostile client may give: markup, ends of scripts, addresses, separators, controls, marks
#: that turn the direction of text, and half a character.
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&`{{7*7}}${1}"
    "javascript:alert(3)\u2028\u2029\x1b[31m\x00\u202eevil\u2066\ud800"
)


def written(records: list[Record]) -> str:
    """Return the page of a run."""
    stream = io.StringIO()
    html.write(records, stream, here=Path("/specs"))
    return stream.getvalue()


def packed(page: str) -> dict[str, Any]:
    """Return the data of a page."""
    found = re.search('id="packed">([^<]*)<', page)
    assert found is not None
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return data
