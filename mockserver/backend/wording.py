"""The settings of a backend in words: one syntax for the command line, Python and HTTP. Pure.

==============================  =============================================================
``seed: 7``                     other texts and ids of made-up answers
``fail: 429=10%,cut=5%``        failures by chance or by number
``rpm``, ``tpm``, ``context``   limits of the provider
``first: 300ms``                when answers begin
``pace: 50/s``                  how fast they are sent
``jitter: 30%``                 by how much these waits are longer or shorter
``key: sk-test``                the only key that is let in
``lenient: true``               what the provider would refuse is noted only
``models: [a, b]``              the models to list
==============================  =============================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mockserver.backend import notation
from mockserver.backend.limits import Limits
from mockserver.backend.script.cursor import Cursor, Place, shown
from mockserver.backend.script.steps import EMPTY, Script
from mockserver.backend.settings import Settings

_LIMITS = ("rpm", "tpm", "context")
#: The words.
SETTINGS = ("seed", "fail", *_LIMITS, "first", "pace", "jitter", "key", "lenient", "models")


def settings_of(given: Mapping[str, Any], place: Place, script: Script = EMPTY) -> Settings:
    """Read settings; ``None`` is for a word that is not said.

    Raises :class:`~mockserver.errors.ScriptError` with the place of a mistake.
    """
    words = {name: value for name, value in given.items() if value is not None}
    found = Cursor(words, (), place).children(SETTINGS, "the settings")
    limits = {name: found[name].count(f"'{name}'", 1) for name in _LIMITS if name in found}
    settings = Settings(script=script, limits=Limits(**limits))
    for name in found.keys() - limits.keys():
        settings = _with(settings, name, found[name])
    return settings


def _with(settings: Settings, name: str, at: Cursor) -> Settings:
    match name:
        case "seed":
            return replace(settings, seed=_seed(at))
        case "fail":
            words = at.text("'fail'")
            return replace(settings, failures=Cursor(words, at.path, at.place).parsed(_failures))
        case "first":
            first = at.parsed(notation.parse_duration) * 1000
            return replace(settings, pace=replace(settings.pace, first_ms=first))
        case "pace":
            pace = replace(settings.pace, each_ms=at.parsed(notation.parse_pace))
            return replace(settings, pace=pace)
        case "jitter":
            pace = replace(settings.pace, jitter=at.parsed(notation.parse_share))
            return replace(settings, pace=pace)
        case "key":
            if not (key := at.text("'key'")):
                raise at.error("an empty key lets nobody in", "leave it out for any key")
            return replace(settings, key=key)
        case "lenient":
            return replace(settings, lenient=at.flag("'lenient'"))
    models = tuple(item.text("a model") for item in at.items("'models'"))
    return replace(settings, models=models)


def _failures(words: str) -> Any:
    return notation.parse_failures(words)


def _seed(at: Cursor) -> int:
    if isinstance(at.value, int) and not isinstance(at.value, bool):
        return at.value
    raise at.error(f"'seed' is a whole number, not {shown(at.value)}", "write one, such as 7")
