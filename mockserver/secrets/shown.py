"""Bodies and texts as people may see them: in a journal, in an error, on a terminal."""

from __future__ import annotations

from mockserver.secrets import find, names
from mockserver.secrets.fields import KEY, Side, fields
from mockserver.secrets.find import NOTHING_KNOWN, Known
from mockserver.secrets.scrub import Edit, splice


def body(data: bytes, content_type: str | None, known: Known = NOTHING_KNOWN) -> bytes:
    """Return a body without its credentials; what it has of users stays."""
    spans = [
        *((f.start, f.stop) for f in find.find(data.decode("latin-1"), known)),
        *((f.start, f.stop) for f in fields(data, content_type, Side()) if f.kind == KEY),
    ]
    edits: list[Edit] = []
    word = names.PLACEHOLDER.encode()
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if edits and start < edits[-1].stop:
            edits[-1] = Edit(edits[-1].start, max(stop, edits[-1].stop), word)
        else:
            edits.append(Edit(start, stop, word))
    return splice(data, None, edits)[0] if edits else data
