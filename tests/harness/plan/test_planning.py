from __future__ import annotations

from dataclasses import replace

import pytest

from harness.clients.interface import Adapter, adapter
from harness.judge.kinds import Level
from harness.plan import matrix, planning
from harness.plan.planning import Settings, load_adapters
from harness.suite.scenario import Case
from mockserver.wire import FaultKind
from tests.harness.plan.test_expand import SCENARIO

STREAMED = replace(SCENARIO, id="a/streamed", requires=frozenset({"streaming"}))
SHAPED = replace(
    SCENARIO, id="a/shaped", requires=frozenset({"streaming", "structured_output", "tools"})
)


def unexercised(*features: str, dialect: str = SCENARIO.dialect) -> list[str]:
    adapter = Adapter(
        name="mine", run=print, dialects=frozenset({dialect}), features=frozenset(features)
    )
    played = [s for s in (STREAMED, SHAPED) if s.requires <= adapter.features]
    cases = [Case(scenario=s, adapter="mine") for s in played]
    return list(planning._unexercised([adapter], cases, [STREAMED, SHAPED]))


def test_a_declared_feature_is_exercised() -> None:
    assert unexercised("streaming", "structured_output", "tools") == []
    assert unexercised("streaming", "audio") == [
        "mine declares 'audio', which no scenario exercises"
    ]


def test_a_feature_that_comes_only_with_others_is_no_mistake() -> None:
    assert unexercised("streaming", "structured_output") == []
    # In a dialect that does not have it, it is one.
    assert unexercised("structured_output", dialect="cohere") == [
        "mine declares 'structured_output', which no scenario exercises"
    ]


@pytest.mark.parametrize(("level", "becomes"), [(None, Level.MAY), (Level.MUST, Level.MUST)])
def test_the_level_of_a_run_takes_the_place_of_the_declared_one(
    level: Level | None, becomes: Level
) -> None:
    ((adapter, _),) = load_adapters(Settings(adapters=("openai-compat",), level=level))
    assert adapter.level is becomes


def test_a_client_that_never_gives_up_gets_one_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(adapters=("openai-compat",), patterns=("openai-chat/text-basic",))
    ((adapter, baseline),) = load_adapters(settings)

    def stalls(*, gives_up: bool) -> tuple[list[str], list[str]]:
        loaded = [(replace(adapter, gives_up=gives_up), baseline)]
        monkeypatch.setattr(planning, "load_adapters", lambda _: loaded)
        plan = planning.make_plan(settings)
        played = [c.variation for c in plan.cases if c.fault is FaultKind.STALL]
        return played, [s.reason for s in plan.skips if s.scenario == "*"]

    every, nothing = stalls(gives_up=True)
    assert (len(every) > 1, nothing) == (True, [])
    played, (reason,) = stalls(gives_up=False)
    assert played == ["stall=0"]
    assert f"one stall shows it, {len(every) - 1} are left out" in reason


@pytest.mark.parametrize(("word", "gives_up"), [(True, True), (False, False), ("none", False)])
def test_the_words_for_a_client_that_never_gives_up(word: bool | str, gives_up: bool) -> None:
    declare = adapter(dialects=["openai-chat"], features=["streaming"], idle_timeout=word)
    assert declare(print).gives_up is gives_up


def test_a_time_is_no_word_for_a_client_that_never_gives_up() -> None:
    with pytest.raises(ValueError, match="idle_timeout: unknown word '30s'"):
        adapter(dialects=["openai-chat"], features=["streaming"], idle_timeout="30s")


def test_the_matrix_plays_first_rows_and_sweeps_chosen_streams() -> None:
    settings = matrix.settings(("sdk:mine",))
    assert settings.priorities == {"P0", "P1"}
    played = {
        (priority, row): planning._may_be_played(
            replace(SCENARIO, priority=priority, row=row), settings
        )
        for priority in ("P0", "P1", "P2")
        for row in (0, 1)
    }
    assert [key for key, is_played in played.items() if is_played] == [
        *(("P0", 0), ("P0", 1), ("P1", 0))
    ]
    ids = ("anthropic/twins/text", "gemini/twins/tool-call", "ollama/twins/text-whole", "a/b")
    swept = [i for i in ids if planning._is_swept(replace(SCENARIO, id=i), settings)]
    assert swept == ["anthropic/twins/text", "gemini/twins/tool-call"]
    assert planning._is_swept(SCENARIO, Settings())
    assert not planning._is_swept(SCENARIO, replace(settings, faults=False))
