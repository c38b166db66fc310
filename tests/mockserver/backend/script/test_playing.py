from __future__ import annotations

from typing import Any

import pytest

from mockserver.backend.asked import Asked
from mockserver.backend.script import Playing, in_words, script_of
from mockserver.library.outcome import Outcome
from mockserver.library.refusal import RefusalError
from tests.mockserver.backend.asking import asked, called, tool, user

HELLO = asked(user("Hello"))


def playing(*answers: Any, **more: Any) -> Playing:
    return Playing(script_of({"answers": list(answers), **more}, in_words))


def said(play: Playing, *requests: Asked) -> list[str | None]:
    steps = [play.next(request) for request in requests]
    return [s and (s.say or (str(s.fail.status) if s.fail else s.calls[0].name)) for s in steps]


def test_answers_with_a_condition_come_first_in_their_order() -> None:
    play = playing({"say": "any"}, {"on": "hell", "say": "one"}, {"on": "hello", "say": "two"})
    assert said(play, HELLO, asked(user("Bye")), HELLO) == ["one", "any", "one"]


def test_the_others_are_given_in_turn_and_the_last_stays() -> None:
    play = playing({"fail": 429, "times": 2}, {"say": "a"}, {"say": "b"})
    assert said(play, *[HELLO] * 5) == ["429", "429", "a", "b", "b"]


def test_an_answer_with_a_number_of_times_is_used_up() -> None:
    play = playing({"on": "hello", "say": "a", "times": 1}, {"say": "b", "times": 2})
    assert said(play, *[HELLO] * 5) == ["a", "b", "b", None, None]


def test_an_answer_that_is_added_comes_next() -> None:
    play = playing({"say": "a"})
    assert said(play, HELLO, HELLO) == ["a", "a"]
    play.add(script_of({"answers": [{"say": "b"}]}, in_words).rules)
    assert said(play, HELLO, HELLO) == ["b", "b"]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("stay", ["a", "b", "b", "b"]),
        ("repeat", ["a", "b", "a", "b"]),
        (503, ["a", "b", "503", "503"]),
    ],
)
def test_several_answers_are_given_in_turn(end: Any, expected: list[str]) -> None:
    play = playing({"on": "hello", "then": [{"say": "a"}, {"say": "b"}], "end": end})
    assert said(play, *[HELLO] * 4) == expected


def test_a_script_that_says_so_is_over() -> None:
    play = playing({"on": "hello", "then": [{"say": "a"}], "end": "stop"})
    assert said(play, HELLO, asked(user("Bye"))) == ["a", None]
    with pytest.raises(RefusalError, match=r"answers\[0\]\.then\[0\]: this was the last") as raised:
        play.next(HELLO)
    assert (raised.value.status, raised.value.outcome) == (422, Outcome.MISSED)


def test_a_script_that_is_all_gives_each_answer_once() -> None:
    play = playing({"say": "a"}, {"say": "b"}, {"on": "bye", "say": "c"}, only=True)
    assert said(play, HELLO, asked(user("Bye")), HELLO) == ["a", "c", "b"]
    with pytest.raises(RefusalError, match="last answer of the script"):
        play.next(HELLO)
    with pytest.raises(RefusalError, match="no answer of the script fits 'Hello'"):
        playing({"on": "bye", "say": "c"}, only=True).next(HELLO)


def test_a_call_that_was_made_is_not_made_again() -> None:
    play = playing({"on": "hello", "call": "weather"}, {"after": "weather", "say": "21 °C"})
    done = asked(user("Hello"), *called("weather"), tools=(tool("weather"),))
    assert said(play, HELLO, done, HELLO, done) == ["weather", "21 °C", "weather", "21 °C"]
    alone = playing({"call": "weather"})
    assert said(alone, HELLO, done, HELLO) == ["weather", None, "weather"]


def test_a_call_may_be_made_twice_in_turn() -> None:
    play = playing({"then": [{"call": "weather"}, {"call": "weather"}, {"say": "done"}]})
    done = asked(user("Hello"), *called("weather"))
    assert said(play, HELLO, done, done) == ["weather", "weather", "done"]


@pytest.mark.parametrize(
    ("on", "fits"),
    [
        ({"text": "HELLO"}, True),
        ({"re": "^Hel+o$"}, True),
        ({"re": "^hello$"}, False),
        ({"model": "m*"}, True),
        ({"model": "M"}, False),
        ({"system": "be KIND"}, True),
        ({"system": "rude"}, False),
        ({"turn": 0}, True),
        ({"turn": 1}, False),
        ({"image": False}, True),
        ({"image": True}, False),
        ({"header": {"Content-Type": "application/*"}}, True),
        ({"header": {"x-user": "*"}}, False),
        ({"text": "hello", "turn": 1}, False),
    ],
)
def test_conditions(on: Any, fits: bool) -> None:
    request = asked({"role": "system", "content": "Be kind."}, user("Hello"))
    assert (playing({"on": on, "say": "x"}).next(request) is not None) is fits


def test_turns_count_the_messages_of_the_model() -> None:
    request = asked(user("Hello"), {"role": "assistant", "content": "Hi"}, user("And now?"))
    assert playing({"on": {"turn": 1}, "say": "x"}).next(request) is not None


def test_texts_get_the_vectors_of_the_script_in_their_order() -> None:
    play = playing(
        {"on": "cat", "embed": [1, 0]},
        {"then": [{"embed": [[0, 1], [0, 2]]}, {"embed": [0, 3]}]},
        {"say": "no vector"},
    )
    first, second = play.vectors(), play.vectors()
    texts = ("a", "The cat", "b", "a cat", "c")
    assert [first.next(t) for t in texts] == [(0, 1), (1, 0), (0, 2), (1, 0), (0, 3)]
    assert [second.next(t) for t in ("a", "b")] == [(0, 3), (0, 3)]
    assert first.where[:2] == ["answers[1].then[0]", "answers[0]"]
    assert playing({"say": "x"}).vectors().next("a") is None


def test_what_was_never_given_is_named() -> None:
    play = playing(
        {"say": "a", "on": "never"},
        {"then": [{"say": "b"}, {"say": "c"}], "on": "two"},
        {"say": "d"},
        {"say": "e"},
        {"embed": [1.0]},
    )
    said(play, asked(user("two")), asked(user("hi")))
    assert play.unused == ("answers[0]", "answers[1].then[1]", "answers[4]", "answers[3]")
    said(play, asked(user("two")), asked(user("hi")), asked(user("hi")))
    assert play.unused == ("answers[0]", "answers[4]")
