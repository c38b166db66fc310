"""Text of clients in Markdown, so that nothing in it is markup, a link or a mention."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from harness.judge.visible import visible

#: What may stand between backticks, also in the cell of a table.
_PLAIN = re.compile(r"[\w./=,@:+-]+(?: [\w./=,@:+-]+)*", re.ASCII)
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_BACKTICKS = re.compile("`+")


def code(text: str, most: int = 300) -> str:
    """Return a text as code in a line, a list or a table; it is clipped to ``most`` characters."""
    text = _clipped(visible(text), most)
    return f"`{text}`" if _PLAIN.fullmatch(text) else html_code(text, most)


def html_code(text: str, most: int = 300) -> str:
    """Return a text as code where HTML is expected; in Markdown it is code as well.

    Servers look for mentions and references in what they show, but not in code. Every character
    that Markdown or HTML might take for markup is written as its number.
    """
    text = _clipped(visible(text), most)
    return f"<code>{_PUNCTUATION.sub(lambda c: f'&#{ord(c.group())};', text)}</code>"


def fenced(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines as a block of code, which ends where they end."""
    shown = [visible(line) for line in lines]
    longest = max((len(run) for line in shown for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}text", *shown, fence)


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
