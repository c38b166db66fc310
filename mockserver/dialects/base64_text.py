"""Base64 text as bytes, for SDKs that encode by themselves. Pure."""

from __future__ import annotations

import base64
import binascii

from mockserver.dialects.dialect import UnwritableError
from mockserver.vocabulary.model import Json


def decoded(text: Json) -> bytes:
    """Return the bytes. Raises :class:`UnwritableError` for what is not Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise UnwritableError(f"{str(text)[:40]!r} is not Base64") from None
