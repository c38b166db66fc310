"""Reads scripts: the same words in YAML, as JSON over HTTP, and from Python. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from yaml import Node

from mockserver.backend.schemas import patterns
from mockserver.backend.script import verbs
from mockserver.backend.script.cursor import Cursor, Open, Place, no_tapes, shown
from mockserver.backend.script.steps import STAY, Condition, End, Rule, Script
from mockserver.cassettes.yaml_reader import KeyPath, Loader, YamlDocument, YamlError, read
from mockserver.errors import ScriptError, did_you_mean

#: What a script says beside its answers.
_LIMITS = ("rpm", "tpm", "context")
_KEYS = ("answers", "limits", "only")
_CONDITIONS = ("on", "after")
_ON = ("text", "re", "model", "system", "turn", "image", "header")
_THEN = ("then", "end")
_KNOWN = (*_CONDITIONS, *verbs.VERBS, "then", *verbs.MANNERS)
_BOOL, _STR = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:str"
#: A longer pattern is not meant.
_LONGEST = 1000


def is_script(data: object) -> bool:
    """Return whether the value of a YAML file is meant for a script, and no cassette."""
    if not isinstance(data, dict) or "interactions" in data:
        return False
    return any(isinstance(key, str) and (key in _KEYS or did_you_mean(key, _KEYS)) for key in data)


def script_of_yaml(text: bytes | str, name: str, open_tape: Open = no_tapes) -> Script:
    """Read a YAML file called ``name``. Raises :class:`ScriptError` with file and line."""
    document = yaml_of(text, name)
    return script_of(document.data, lambda path: f"{name}:{document.line_of(path)}", open_tape)


def yaml_of(text: bytes | str, name: str) -> YamlDocument:
    """Read YAML in which ``on`` is a text. Raises :class:`ScriptError`."""
    try:
        return read(text, _Loader)
    except YamlError as exc:
        where = f"{name}:{exc.line}" if exc.line else name
        raise ScriptError(where, exc.message, exc.hint) from None


def script_of(data: Any, place: Place, open_tape: Open = no_tapes) -> Script:
    """Read a whole script. Raises :class:`ScriptError`."""
    found = Cursor(data, (), place, open_tape).children(_KEYS, "a script")
    limits = found["limits"].children(_LIMITS, "'limits'") if "limits" in found else {}
    return Script(
        rules=tuple(map(_rule, found["answers"].items("'answers'"))) if "answers" in found else (),
        only="only" in found and found["only"].flag("'only'"),
        limits={name: at.count(f"'{name}'", 1) for name, at in limits.items()},
    )


def rule_of(data: Any, place: Place, open_tape: Open = no_tapes) -> Rule:
    """Read one answer with its condition. Raises :class:`ScriptError`."""
    return _rule(Cursor(data, (), place, open_tape))


def in_words(path: KeyPath, first: int = 0) -> str:
    """Return the way to a value, such as ``answers[0].call``; answers count from ``first``."""
    words = ""
    for number, step in enumerate(path):
        if isinstance(step, int):
            words += f"[{step + first if number == 1 else step}]"
        else:
            words += f".{step}" if words else step
    return words or "the script"


class _Loader(Loader):
    """Takes ``on``, ``off``, ``yes`` and ``no`` for texts, as YAML 1.2 does."""

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        """Return the tag of a node that states none."""
        tag = super().resolve(kind, value, implicit)
        if tag == _BOOL and value.lower() not in ("true", "false"):
            return _STR
        return tag


def _rule(at: Cursor) -> Rule:
    # "end" is a manner of one answer, and what comes behind several.
    found = at.children(_KNOWN, "an answer")
    condition = _condition(found)
    if "embed" in found:
        _check_embedding(found)
    if "then" not in found:
        return Rule(where=at.where, steps=(verbs.step(found, at),), condition=condition)
    for key in found:
        if key not in (*_CONDITIONS, *_THEN):
            raise found[key].error(
                f"{key!r} beside 'then'", "write it below one of the answers of 'then'"
            )
    steps = tuple(
        verbs.step(item.children((*verbs.VERBS, *verbs.MANNERS), "an answer of 'then'"), item)
        for item in found["then"].items("'then'")
    )
    if len({step.embed is None for step in steps}) > 1:
        raise found["then"].error("embeddings and other answers in one 'then'", "write two")
    if steps and steps[0].embed is not None:
        _check_embedding(found)
    if not steps:
        raise found["then"].error("'then' has no answers", "add one, such as '- say: Hello.'")
    end = _end(found["end"]) if "end" in found else STAY
    return Rule(where=at.where, steps=steps, condition=condition, end=end)


def _check_embedding(found: Mapping[str, Cursor]) -> None:
    """Raise :class:`ScriptError` for conditions that a request for embeddings has nothing of."""
    on = found.get("on")
    parts = on.value.keys() - {"text", "re"} if on and isinstance(on.value, dict) else ()
    for name in (*sorted(parts), *(["after"] if "after" in found else [])):
        at = found["after"] if name == "after" else on
        assert at is not None
        raise at.error(f"{name!r} says nothing of a text to embed", "use 'text' or 're'")


def _end(at: Cursor) -> End:
    match at.value:
        case "repeat":
            return End(repeat=True)
        case "stop":
            return End(stop=True)
        case "stay":
            return STAY
        case str() if not at.value[:1].isdigit():
            raise at.error(
                f"unknown end {shown(at.value)}", "write stay, repeat, stop or a status: 503"
            )
    return End(fail=verbs.fail(at))


def _condition(found: Mapping[str, Cursor]) -> Condition | None:
    fields: dict[str, Any] = {}
    if "after" in found:
        fields["after"] = found["after"].text("'after'")
    on = found.get("on")
    if on is not None and isinstance(on.value, dict):
        parts = on.children(_ON, "'on'")
        if not parts:
            raise on.error("'on' has no condition", f"add one of {', '.join(_ON)}")
        for name, part in parts.items():
            fields[_NAMES.get(name, name)] = _READERS[name](part)
    elif on is not None:
        fields["text"] = on.text("'on'")
    return Condition(**fields) if fields else None


def _pattern(at: Cursor) -> re.Pattern[str]:
    text = at.text("'re'")
    if len(text) > _LONGEST:
        raise at.error(f"a pattern of {len(text)} characters", f"keep it below {_LONGEST}")
    try:
        found, is_risky = re.compile(text), patterns.is_risky(text)
    except (re.error, ValueError, OverflowError, RecursionError) as exc:
        raise at.error(f"no regular expression: {exc}", "fix it, or use 'text'") from None
    if is_risky:
        raise at.error(
            f"{shown(text)} may search a text for ever", "write no repeat inside of a repeat"
        )
    return found


def _headers(at: Cursor) -> Mapping[str, str]:
    if not isinstance(at.value, dict):
        raise at.error(
            f"'header' is a mapping, not {shown(at.value)}", "write 'header: {x-user: a*}'"
        )
    for name in at.value:
        if not isinstance(name, str):
            raise at.error(f"{shown(name)} is no name of a header", "put it in quotes")
    return {name.lower(): at.child(name).text(f"'{name}'") for name in at.value}


_NAMES = {"re": "pattern", "header": "headers"}
_READERS = {
    "text": lambda at: at.text("'text'"),
    "re": _pattern,
    "model": lambda at: at.text("'model'"),
    "system": lambda at: at.text("'system'"),
    "turn": lambda at: at.count("'turn'"),
    "image": lambda at: at.flag("'image'"),
    "header": _headers,
}
