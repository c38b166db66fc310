"""Show text so that a reader sees every character of it."""

from __future__ import annotations

import json
import re

_TRAILING = re.compile(r" +(?=\\n|\\r|$)")


def visible(text: str) -> str:
    """Return a text with every character that cannot be seen as its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def as_json(value: object) -> str:
    """Return a value as JSON in one line, with escapes for all that cannot be seen."""
    match value:
        case str():
            inner = visible(json.dumps(value, ensure_ascii=False)[1:-1])
            blanks = _TRAILING.sub(lambda found: r"\u0020" * len(found.group()), inner)
            return f'"{blanks}"'
        case dict():
            return f"{{{', '.join(f'{as_json(str(k))}: {as_json(v)}' for k, v in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(as_json, value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
