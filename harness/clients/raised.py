"""Describe an exception that a client raised: class, text, and where it came from."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path, PurePath

#: Exceptions of one chain, frames of one of them, and characters of the whole.
_CHAIN, _FRAMES, _LENGTH = 4, 24, 6_000
#: Directories that installed packages and the standard library stand in.
_INSTALLED = ("site-packages", "dist-packages")
#: Frames of this folder say nothing about the client.
_OWN = str(Path(__file__).parent)


def text_of(exc: BaseException) -> str:
    """Return class and text of an exception in one line, whatever its own code does."""
    try:
        return f"{type(exc).__name__}: {exc}"
    except BaseException:
        # The client's own code makes the text, and may raise what ends a program.
        return f"{type(exc).__name__}, whose text cannot be read"


def traceback_of(exc: BaseException, secret: str) -> str:
    """Return an exception with the files, lines and functions that it passed, and its causes.

    The paths are those below the packages' directory, or the file's name. ``secret`` is replaced.
    """
    try:
        text = "\n".join(_chain(exc))
    except BaseException:
        return ""
    if secret:
        text = text.replace(secret, "[key]")
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"


def has_cause(exc: BaseException) -> bool:
    """Return whether an exception was raised because of another one."""
    try:
        return exc.__cause__ is not None or exc.__context__ is not None
    except BaseException:
        return False


def _chain(exc: BaseException) -> Iterator[str]:
    seen: list[BaseException] = []
    begin = ""
    current: BaseException | None = exc
    while current is not None and len(seen) < _CHAIN and current not in seen:
        seen.append(current)
        yield begin + text_of(current)
        yield from _frames(current)
        begin = "caused by " if current.__cause__ is not None else "while handling "
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)


def _frames(exc: BaseException) -> Iterator[str]:
    found = [
        f"  {_place(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(exc.__traceback__)
        if not frame.f_code.co_filename.startswith(_OWN)
    ]
    if len(found) <= _FRAMES:
        yield from found
        return
    yield from found[: _FRAMES // 2]
    yield f"  … {len(found) - _FRAMES} more"
    yield from found[-_FRAMES // 2 :]


def _place(filename: str) -> str:
    path = PurePath(filename)
    for number, part in enumerate(path.parts):
        if part in _INSTALLED or (part.startswith("python3") and number < len(path.parts) - 1):
            below = path.parts[number + 1 :]
            if below[0] not in _INSTALLED:
                return "/".join(below)
    return path.name
