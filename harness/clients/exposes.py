"""What clients were found to expose, where nothing declares it: ``.tapecheck/exposes/NAME.yaml``.

The first whole run writes it; every later run, selections included, is judged by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from harness.errors import SetupError
from harness.suite.loader import read_yaml
from mockserver import files

FOLDER = Path(".tapecheck") / "exposes"
_TEXT = """\
# What {name} gives out beside text, refusals and tool calls, found out by a whole run.
# Nothing else is judged but what the profile 'framework' exposes. A word that no case of a later
# whole run gives any more fails that run. To find it out again, delete this file and run all
# scenarios; to decide it yourself, declare 'exposes'. Keep this file under version control.
version: 1
adapter: "{name}"
exposes: [{words}]
"""


def file_of(name: str) -> Path:
    """Return where the words of an adapter are, relative to the working directory."""
    return FOLDER / f"{quote(name, safe='')}.yaml"


def read(name: str) -> frozenset[str] | None:
    """Return the words that were found, ``None`` if none were. Raises :class:`SpecError`."""
    path = file_of(name)
    return frozenset(read_yaml(path, "exposes").data["exposes"]) if path.is_file() else None


def write(name: str, words: Iterable[str]) -> Path:
    """Write the words down and return the file. Raises :class:`SetupError`."""
    path = file_of(name)
    text = _TEXT.format(name=name, words=", ".join(sorted(words)))
    try:
        files.replace(path, text.encode())
    except OSError as exc:
        raise SetupError(f"cannot be written: {exc.strerror}", path=path) from None
    return path
