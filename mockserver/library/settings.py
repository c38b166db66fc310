"""The settings of a project about its recordings, in ``tapecheck.toml`` or ``pyproject.toml``.

[tool.tapecheck]               # in tapecheck.toml: the keys alone
match-on = ["method", "path", "query", "body.model", "body.messages"]
ignore = ["body.metadata.trace_id", "query.at"]
repeat = false                 # an equal GET does not get the last answer again
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockserver.errors import MatchError, SettingsError, did_you_mean
from mockserver.library.rule import EXACT, Rule

_OWN, _PYTHON = "tapecheck.toml", "pyproject.toml"
_KEYS = ("match-on", "ignore", "repeat")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project says about its recordings; ``repeat`` is about the last answer to a GET."""

    rule: Rule = EXACT
    repeat: bool = True


def find(directory: Path) -> Settings:
    """Return the settings of the project around ``directory``: the nearest file with some.

    Raises :class:`SettingsError` that names the file and the key.
    """
    start = directory.resolve()
    for folder in (start, *start.parents):
        for name in (_OWN, _PYTHON):
            path = folder / name
            if path.is_file():
                data = _load(path)
                table = data if name == _OWN else data.get("tool", {}).get("tapecheck")
                if table is not None:
                    return _read(table, path)
        if (folder / ".git").exists():
            break
    return Settings()


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        if path.name == _PYTHON:
            # Other tools complain about it.
            return {}
        raise SettingsError(f"{path}: cannot be read: {exc}") from None


def _read(table: Any, path: Path) -> Settings:
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: tool.tapecheck must be a table")
    for key in table:
        if key not in _KEYS:
            close = did_you_mean(key, _KEYS)
            raise SettingsError(f"{path}: unknown key {key!r}{close}; known: {', '.join(_KEYS)}")
    lists = [table.get(key, []) for key in ("match-on", "ignore")]
    for key, words in zip(("match-on", "ignore"), lists, strict=True):
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise SettingsError(f"{path}: {key} must be a list of texts such as 'body.model'")
    repeat = table.get("repeat", True)
    if not isinstance(repeat, bool):
        raise SettingsError(f"{path}: repeat must be true or false")
    try:
        return Settings(Rule.of(*lists), repeat)
    except MatchError as exc:
        raise SettingsError(f"{path}: {exc}") from None
