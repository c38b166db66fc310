from __future__ import annotations

from typing import Any

import pytest

from mockserver.backend.failing import Failure
from mockserver.backend.limits import Limits
from mockserver.backend.script import Script
from mockserver.backend.settings import Settings
from mockserver.backend.wording import SETTINGS, settings_of
from mockserver.errors import ScriptError
from mockserver.wire.faults import FaultKind


def read(**words: Any) -> Settings:
    return settings_of(words, lambda path: f"--{path[0]}")


def test_nothing_said_is_the_default() -> None:
    assert read(**dict.fromkeys(SETTINGS)) == Settings()


def test_all_words_are_read() -> None:
    script = Script(only=True)
    words = {
        "seed": 7,
        "fail": "429:2s=10%,cut@3=2x",
        "rpm": 60,
        "context": 8000,
        "first": "300ms",
        "pace": "50/s",
        "jitter": "30%",
        "key": "sk-test",
        "lenient": True,
        "models": ["a", "b"],
    }
    found = settings_of(words, str, script)
    assert (found.seed, found.key, found.lenient) == (7, "sk-test", True)
    assert found.limits == Limits(rpm=60, context=8000)
    assert (found.pace.first_ms, found.pace.each_ms, found.pace.jitter) == (300, 20, 0.3)
    assert found.models == ("a", "b")
    assert found.script is script
    assert found.failures == (
        Failure(status=429, retry=2.0, rate=0.1),
        Failure(kind=FaultKind.CUT, events=3, times=2),
    )
    assert read(fail=429).failures == (Failure(status=429),)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"rpm": 0}, "--rpm: 'rpm' is a whole number, not 0"),
        ({"seed": "x"}, "--seed: 'seed' is a whole number, not 'x'"),
        ({"fail": "429=2"}, "--fail: how many answers fail"),
        ({"pace": "quick"}, "--pace: a pace is such as 50/s"),
        ({"jitter": 2}, "--jitter: a share is such as 10% or 0.1"),
        ({"first": "soon"}, "--first: a duration is such as"),
        ({"key": ""}, "--key: an empty key lets nobody in"),
        ({"lenient": 1}, "--lenient: 'lenient' is true or false, not 1"),
        ({"models": "a"}, "--models: 'models' is a list"),
        ({"sead": 1}, r"--sead: unknown key 'sead' in the settings \(did you mean seed\?\)"),
    ],
)
def test_a_mistake_is_named(words: Any, expected: str) -> None:
    with pytest.raises(ScriptError, match=expected):
        read(**words)
