from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.backend.script import in_words, is_script, rule_of, script_of, script_of_yaml
from mockserver.backend.script.steps import Condition, End, Fail, Step, Tape, ToolCall
from mockserver.errors import ScriptError
from mockserver.vocabulary import Usage
from mockserver.wire.faults import FaultKind
from mockserver.wire.variation import Break


def step(**answer: Any) -> Step:
    (found,) = rule_of(answer, in_words).steps
    return found


def test_a_file_says_where_each_answer_is() -> None:
    script = script_of_yaml(
        "answers:\n- on: weather\n  call: get_weather\n\n- then:\n  - say: a\n  - say: b\n",
        "a.yaml",
    )
    first, second = script.rules
    assert [first.where, first.steps[0].where] == ["a.yaml:2", "a.yaml:2"]
    assert [second.where, *(s.where for s in second.steps)] == ["a.yaml:5", "a.yaml:6", "a.yaml:7"]
    assert first.condition == Condition(text="weather")
    assert second.condition is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"say": "Hello"}, {"say": "Hello"}),
        ({"say": 21}, {"say": "21"}),
        ({"think": "Hm.", "say": "Hello"}, {"think": "Hm.", "say": "Hello"}),
        ({"refuse": "No."}, {"refuse": "No."}),
        ({"json": {"number": "A-1", "total": 9.5}}, {"data": '{"number":"A-1","total":9.5}'}),
        ({"json": None}, {"data": "null"}),
        ({"call": "a"}, {"calls": (ToolCall(name="a"),)}),
        (
            {"call": {"a": {"x": 1}, "b": 2, "c": None}},
            {
                "calls": (
                    ToolCall(name="a", arguments={"x": 1}, given=True),
                    ToolCall(name="b", arguments=2, given=True),
                    ToolCall(name="c"),
                )
            },
        ),
        (
            {"call": ["a", {"a": {}}]},
            {"calls": (ToolCall(name="a"), ToolCall(name="a", arguments={}, given=True))},
        ),
        ({"embed": [0.6, 0.8]}, {"embed": ((0.6, 0.8),)}),
        ({"embed": [[1], [0]]}, {"embed": ((1.0,), (0.0,))}),
        ({"fail": 503}, {"fail": Fail(status=503)}),
        ({"fail": "429, retry 2s"}, {"fail": Fail(status=429, retry=2.0)}),
        (
            {"fail": {"status": 400, "retry": "300ms", "message": "No", "code": "c"}},
            {"fail": Fail(status=400, retry=0.3, message="No", code="c")},
        ),
        (
            {"say": "a", "first": "2s", "pace": "20/s", "times": 2},
            {"say": "a", "first_ms": 2000.0, "each_ms": 50.0, "times": 2},
        ),
        (
            {"say": "a", "usage": {"input": 1, "output": 2, "cached": 3, "reasoning": 4}},
            {
                "say": "a",
                "usage": Usage(
                    input_tokens=1,
                    output_tokens=2,
                    cache_read_input_tokens=3,
                    reasoning_tokens=4,
                ),
            },
        ),
        *(
            ({"say": "a", str(kind): 3}, {"say": "a", "broken": Break(kind, 3)})
            for kind in FaultKind
        ),
    ],
)
def test_verbs_and_manners_are_read(answer: Any, expected: dict[str, Any]) -> None:
    assert step(**answer) == Step(where="the script", **expected)


def test_a_whole_turn_may_leave_out_what_is_plain() -> None:
    turn = step(turn={"parts": [{"type": "text", "text": "Hi"}]}).turn
    assert turn is not None
    assert (turn.content, turn.finish_reason) == ("Hi", "stop")


def test_a_cassette_is_opened_by_whoever_may() -> None:
    tape = Tape(name="x", interactions=())
    rule = rule_of({"play": "x.yaml"}, in_words, {"x.yaml": tape}.__getitem__)
    assert rule.steps[0].play is tape
    with pytest.raises(ScriptError, match=r"play: cassettes cannot be opened here"):
        rule_of({"play": "x.yaml"}, in_words)


def test_conditions_are_read() -> None:
    on = {"text": "a", "re": "b+", "model": "o3*", "system": "s", "turn": 2, "image": True}
    rule = rule_of({"on": on | {"header": {"X-User": "a*"}}, "after": "t", "say": "x"}, in_words)
    condition = rule.condition
    assert condition is not None
    assert condition.pattern is not None
    assert condition.pattern.pattern == "b+"
    assert (condition.text, condition.model, condition.system) == ("a", "o3*", "s")
    assert (condition.turn, condition.image, condition.after) == (2, True, "t")
    assert condition.headers == {"x-user": "a*"}


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("stay", End()),
        ("repeat", End(repeat=True)),
        ("stop", End(stop=True)),
        (503, End(fail=Fail(status=503))),
        ("429, retry 1s", End(fail=Fail(status=429, retry=1.0))),
    ],
)
def test_several_answers_have_an_end(word: Any, end: End) -> None:
    assert rule_of({"then": [{"say": "a"}], "end": word}, in_words).end == end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("answers:\n- sai: x\n", "a.yaml:2: unknown key 'sai' in an answer (did you mean say?)"),
        ("answers:\n- say: x\n  fale: 3", "a.yaml:3: unknown key 'fale'"),
        ("answers:\n- on: x\n", "a.yaml:2: an answer says nothing"),
        ("answer: []", "a.yaml:1: unknown key 'answer' in a script (did you mean answers?)"),
        ("- a", "a.yaml:1: a script is a mapping, not ['a']"),
        ("answers: 3", "a.yaml:1: 'answers' is a list, not 3"),
        ("answers:\n- x", "a.yaml:2: an answer is a mapping, not 'x'"),
        ("answers:\n- say: [x]", "a.yaml:2: 'say' is a text"),
        ("answers:\n- say: true", "a.yaml:2: 'say' is a text, not True (put it in quotes)"),
        ("answers:\n- fail: cut=3\n", "write 'say: …', and 'cut: 3' below it"),
        ("answers:\n- fail: 42\n", "a.yaml:2: a failure has a status of 400 to 599"),
        ("answers:\n- fail: 429=10%\n", "a.yaml:2: how many answers fail is not said here"),
        ("answers:\n- fail: {retry: 1s}\n", "a.yaml:2: 'fail' has no status"),
        ("answers:\n- call: []", "a.yaml:2: 'call' names a tool, not []"),
        ("answers:\n- call: {1: {}}", "a.yaml:2: 1 is no name of a tool"),
        ("answers:\n- on: {re: '('}\n  say: a", "a.yaml:2: no regular expression: missing )"),
        ("answers:\n- on: {re: '(a+)+b'}\n  say: a", "a.yaml:2: '(a+)+b' may search a text for"),
        ("answers:\n- on: {}\n  say: a", "a.yaml:2: 'on' has no condition"),
        ("answers:\n- on: {turn: yes}\n  say: a", "a.yaml:2: 'turn' is a whole number"),
        ("answers:\n- on: {header: x}\n  say: a", "a.yaml:2: 'header' is a mapping"),
        ("answers:\n- say: a\n  pace: fast", "a.yaml:3: a pace is such as 50/s"),
        ("answers:\n- say: a\n  cut: -1", "a.yaml:3: 'cut' is a whole number, not -1"),
        ("answers:\n- say: a\n  cut: 1\n  end: 2", "an answer can break once"),
        ("answers:\n- say: a\n  times: 0", "a.yaml:3: 'times' is a whole number, not 0"),
        (
            "answers:\n- say: a\n  usage: {inptu: 1}",
            "unknown key 'inptu' in 'usage' (did you mean input?)",
        ),
        ("answers:\n- say: a\n  then: []", "a.yaml:2: 'say' beside 'then'"),
        ("answers:\n- then: []", "a.yaml:2: 'then' has no answers"),
        ("answers:\n- then:\n  - on: x\n    say: a", "a.yaml:3: unknown key 'on'"),
        ("answers:\n- then:\n  - say: a\n  end: forever", "a.yaml:4: unknown end 'forever'"),
        ("answers:\n- json: 2024-01-01", "a.yaml:2: JSON has no date"),
        ("answers:\n- json: .inf", "a.yaml:2: JSON has no float"),
        ("answers:\n- json: {1: 2}", "a.yaml:2: the key 1 is no text"),
        ("answers:\n- turn: {parts: [{type: txt}]}", "a.yaml:2: parts: unknown part type 'txt'"),
        ("answers:\n- say: a\n  play: x", "'play' and 'say' are two answers"),
        ("answers:\n- embed: [a]", "a.yaml:2: 'a' is no number"),
        ("answers:\n- on: {model: m}\n  embed: [1]", "'model' says nothing of a text to embed"),
        ("answers:\n- after: t\n  embed: [1]", "'after' says nothing of a text to embed"),
        ("answers:\n- then:\n  - say: a\n  - embed: [1]", "embeddings and other answers"),
        ("limits: {rpm: 0}", "a.yaml:1: 'rpm' is a whole number, not 0"),
        ("only: 3", "a.yaml:1: 'only' is true or false, not 3"),
        ("answers:\n- [", "a.yaml:3: not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_to_do(text: str, expected: str) -> None:
    with pytest.raises(ScriptError) as raised:
        script_of_yaml(text, "a.yaml")
    assert expected in str(raised.value)


def test_a_mistake_in_json_is_named_by_the_way_to_it() -> None:
    data = {"answers": [{"say": "a"}, {"call": {"f": {}}, "pace": "x"}]}
    with pytest.raises(ScriptError, match=r"^answers\[1\]\.pace: a pace is"):
        script_of(data, in_words)


def test_words_that_yaml_takes_for_truth_values_are_texts() -> None:
    script = script_of_yaml("only: true\nanswers:\n- on: off\n  say: no", "a.yaml")
    assert script.only
    assert script.rules[0].condition == Condition(text="off")
    assert script.rules[0].steps[0].say == "no"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"answers": []}, True),
        ({"limits": {}}, True),
        ({"answer": []}, True),
        ({"interactions": [], "answers": []}, False),
        ({"version": 1}, False),
        ([], False),
    ],
)
def test_a_script_is_no_cassette(data: Any, expected: bool) -> None:
    assert is_script(data) is expected


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["on", "then", "say", "call", "fail", "turn", "end", "usage", "parts"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
)


@given(_JSON)
def test_whatever_is_sent_is_read_or_named(data: Any) -> None:
    for value in (data, {"answers": data}, {"answers": [data]}, {"answers": [{"turn": data}]}):
        with suppress(ScriptError):
            script_of(value, in_words)
