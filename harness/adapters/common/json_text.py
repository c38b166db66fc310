"""Where a JSON text breaks off. Pure."""

from __future__ import annotations

import json

_WORDS = ("true", "false", "null")


def is_json_start(text: str) -> bool:
    """Return whether ``text`` is the beginning of an object or a list, but not all of it."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as exc:
        tail = text[exc.pos :]
        return (
            not tail.strip()
            or exc.msg.startswith(("Unterminated string", "Invalid \\u"))
            or any(word.startswith(tail) for word in _WORDS)
        )
    except (ValueError, RecursionError):
        # Too many digits, or too deep.
        pass
    return False
