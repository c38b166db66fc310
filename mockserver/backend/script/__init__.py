"""Scripts: answers that a user writes down, and when they are given."""

from mockserver.backend.script.answering import Answering
from mockserver.backend.script.playing import Playing
from mockserver.backend.script.reading import (
    in_words,
    is_script,
    rule_of,
    script_of,
    script_of_yaml,
    yaml_of,
)
from mockserver.backend.script.steps import EMPTY, Rule, Script, Tape, merged

__all__ = [
    "EMPTY",
    "Answering",
    "Playing",
    "Rule",
    "Script",
    "Tape",
    "in_words",
    "is_script",
    "merged",
    "rule_of",
    "script_of",
    "script_of_yaml",
    "yaml_of",
]
