"""Makes ids in the provider's form."""

from __future__ import annotations

import hashlib


def made_id(prefix: str, *of: object) -> str:
    """Return an id that begins with ``prefix``; the same for the same things."""
    text = "\n".join(map(repr, of))
    return prefix + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
