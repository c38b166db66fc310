"""The proofs that come with reasoning and must come back unchanged. Pure.

A proof depends on its key and on what it is for alone, so it can be checked without a memory of
what was sent. It has the form of the provider's: base64 with the provider's first characters. It
has letters and digits alone: some SDKs read it as bytes and write it in the other alphabet.
"""

from __future__ import annotations

import base64
import hashlib

#: Bytes of a proof: a number of its own, what shows that it was made here, what it is for.
_NONCE, _OWN, _BOUND = 12, 16, 16
_SIZE = 78
#: How long the part behind the prefix is: hex digits in base64.
_LENGTH = _SIZE * 2 // 3 * 4


def seal(prefix: str, text: str, key: str) -> str:
    """Return the proof for a text: reasoning, or the name of the tool that is called.

    ``prefix`` is what the provider's begin with, ``key`` makes equal texts differ.
    """
    nonce = hashlib.sha256(key.encode()).digest()[:_NONCE]
    body = nonce + _hash(nonce, "")[:_OWN] + _hash(nonce, "=" + text)[:_BOUND]
    filler = b""
    while len(body) + len(filler) < _SIZE:
        filler += _hash(nonce, f"+{len(filler)}")
    digits = (body + filler)[:_SIZE].hex()
    return prefix + base64.b64encode(digits.encode()).decode()


def is_own(sent: str) -> bool:
    """Return whether a proof was made here, for whatever text."""
    return _opened(sent) is not None


def is_for(sent: str, text: str) -> bool:
    """Return whether a proof was made here for this text."""
    opened = _opened(sent)
    if opened is None:
        return False
    nonce, bound = opened
    return bound == _hash(nonce, "=" + text)[:_BOUND]


def _opened(sent: str) -> tuple[bytes, bytes] | None:
    try:
        body = bytes.fromhex(base64.b64decode(sent[-_LENGTH:], validate=True).decode("ascii"))
    except ValueError:
        return None
    nonce, own = body[:_NONCE], body[_NONCE : _NONCE + _OWN]
    if len(body) != _SIZE or own != _hash(nonce, "")[:_OWN]:
        return None
    return nonce, body[_NONCE + _OWN : _NONCE + _OWN + _BOUND]


def _hash(nonce: bytes, text: str) -> bytes:
    said = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(b"tapecheck/" + nonce + said).digest()
