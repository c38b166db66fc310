from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.plan.lint import lint
from harness.suite import bundled

SCENARIO = """\
scenario: a/{name}
title: T
dialect: openai-chat
requires: [streaming]
source: a document
priority: P0
call: {{model: m, messages: [{{role: user, content: hi}}]}}
cassette: a/c.yaml
expect:
  events:
  - {{type: message_start, response_id: i, model: m}}
  - {{type: content_delta, delta: Hel}}
  - {{type: content_delta, delta: lo}}
  - {{type: message_stop, finish_reason: stop, raw_finish_reason: stop}}
"""
INTERACTION = """\
- request: {method: POST, uri: https://api.openai.com/v1/chat/completions, body: '{}'}
  response:
    status: {code: 200, message: OK}
    headers: {content-type: [text/event-stream]}
    body: {string: "data: [DONE]\\n\\n"}
    wire: {v: 1, origin: authored}
"""
CASSETTE = "# Authored from a document.\nversion: 1\ninteractions:\n" + INTERACTION


class Suite:
    def __init__(self, root: Path) -> None:
        self.scenarios, self.cassettes = root / "scenarios", root / "cassettes"
        self.scenario("one")
        self.cassette("a/c", CASSETTE)

    def scenario(self, name: str, more: str = "", text: str = SCENARIO) -> None:
        self.scenarios.mkdir(exist_ok=True)
        (self.scenarios / f"{name}.yaml").write_text(text.format(name=name) + more)

    def cassette(self, name: str, text: str) -> None:
        path = self.cassettes / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def problems(self) -> list[str]:
        return [
            f"{p.path.name}:{p.line}: {p.message}"
            for p in lint([self.scenarios], [self.cassettes], ()).problems
        ]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def test_nothing_wrong(suite: Suite) -> None:
    assert suite.problems() == []


def test_the_bundled_specs_are_sound() -> None:
    assert lint([bundled.scenarios()], [bundled.cassettes()], ()).problems == []


def test_events_that_contradict_their_turn(suite: Suite) -> None:
    suite.scenario("one", "  turn: {status: completed, content: Hallo}\n")
    assert suite.problems() == [
        "one.yaml:15: a/one: the expected events give another content than the expected turn"
    ]


def test_twins_that_disagree(suite: Suite) -> None:
    suite.scenario("one", "twin: a/two\n")
    suite.scenario("two", text=SCENARIO.replace("delta: lo", "delta: p"))
    suite.scenario("three", "twin: a/nobody\n")
    assert sorted(suite.problems()) == [
        "one.yaml:15: a/one and its twin a/two expect a different content",
        "three.yaml:15: twin 'a/nobody' is not a known scenario",
    ]


def test_a_cassette_that_no_scenario_plays(suite: Suite) -> None:
    suite.cassette("orphan", CASSETTE)
    assert suite.problems() == ["orphan.yaml:None: no scenario plays this cassette"]


def test_interactions_that_no_scenario_plays(suite: Suite) -> None:
    suite.cassette("a/c", CASSETTE + INTERACTION)
    suite.scenario("one", "interactions: [0]\n")
    assert suite.problems() == ["c.yaml:10: no scenario plays interaction 1"]


def test_interactions_that_are_not_there(suite: Suite) -> None:
    suite.scenario("one", "interactions: [0, 3]\n")
    assert suite.problems() == ["one.yaml:15: a/one plays interaction 3, c.yaml has 1"]


def test_cassettes_that_do_not_say_where_they_come_from(suite: Suite) -> None:
    suite.cassette("a/c", CASSETTE.removeprefix("# Authored from a document.\n"))
    assert suite.problems() == [
        "c.yaml:1: an authored cassette must name its source in a comment on its first line"
    ]
    suite.cassette("a/c", CASSETTE.replace("origin: authored", "origin: recorded"))
    assert suite.problems() == [
        "c.yaml:9: interaction 0 is 'origin: recorded' without 'recorded' (when, by what)"
    ]


def test_cassettes_that_hold_a_secret(suite: Suite) -> None:
    key = "sk-proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"
    suite.cassette("a/c", CASSETTE.replace("[DONE]", key))
    (problem,) = suite.problems()
    assert problem == (
        "c.yaml:4: response.body contains a key (sk-…) "
        f"(if that is none, put {sha256(key.encode()).hexdigest()[:12]} into .tapecheck-allow)"
    )


def test_files_that_cannot_be_read(suite: Suite) -> None:
    suite.scenario("two", "surprise: true\n")
    suite.cassette("a/c", CASSETTE.replace("origin: authored", "origin: dreamt"))
    problems = suite.problems()
    assert len(problems) == 2
    assert "two.yaml:15: Additional properties" in problems[0]
    assert "c.yaml:9: unknown origin 'dreamt'" in problems[1]


def test_an_id_that_is_taken(suite: Suite) -> None:
    suite.scenario("copy", text=SCENARIO.replace("{name}", "one"))
    assert [p.partition(",")[0] for p in suite.problems()] == [
        "one.yaml:1: duplicate scenario id 'a/one'"
    ]


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such directory"):
        lint([tmp_path / "nowhere"], [], ())


TURNS = """\
scenario: a/{name}
title: T
dialect: openai-chat
requires: [streaming]
source: a document
priority: P0
cassette: a/c.yaml
turns:
- call: {{model: m, messages: [{{role: user, content: hi}}]}}
  expect: {{turn: {{content: Hi}}}}
- call: {{model: m, messages: [{{role: user, content: hi}}]}}
  expect: {{turn: {{content: Hi}}}}
"""


def test_a_gate_behind_the_end(suite: Suite) -> None:
    suite.scenario("one", "incremental:\n- {after: 1, seen: 1}\n- {after: 2, seen: 2}\n")
    assert suite.problems() == ["one.yaml:17: a/one waits behind wire event 2, the answer has 1"]


def test_a_caller_that_stops_behind_the_end(suite: Suite) -> None:
    suite.cassette("a/c", CASSETTE + INTERACTION)
    cancel = "  cancel_after: {{after: 3, seen: 1}}\n"
    suite.scenario("one", text=TURNS + cancel)
    assert suite.problems() == ["one.yaml:13: a/one waits behind wire event 3, the answer has 1"]


def test_calls_at_once_that_have_no_answer(suite: Suite) -> None:
    suite.scenario("one", text=TURNS + "together: true\n")
    (problem,) = suite.problems()
    assert "a/one plays 1 interaction(s) for 2 turns" in problem
