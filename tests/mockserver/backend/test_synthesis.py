from __future__ import annotations

import pytest

from mockserver.backend import tokens
from mockserver.backend.synthesis import synthesise
from mockserver.vocabulary import FinishReason, Status
from tests.mockserver.backend.asking import asked, called, tool, user


def test_the_same_call_gets_the_same_text_and_ids_of_its_own() -> None:
    first, second = synthesise(asked(), number=0), synthesise(asked(), number=1)
    assert first.content == second.content
    assert first.response_id != second.response_id
    assert synthesise(asked(), number=0) == first


def test_another_call_or_seed_gets_another_mark() -> None:
    texts = {
        synthesise(asked()).content,
        synthesise(asked(user("Ho"))).content,
        synthesise(asked(), seed=1).content,
    }
    assert len(texts) == 3


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("say hello", "hello"),
        ("Reply with only X", "X"),
        ("Respond with exactly: two words", "two words"),
        ('Say "Hello, world!"', "Hello, world!"),
    ],
)
def test_a_short_instruction_is_done(question: str, answer: str) -> None:
    assert synthesise(asked(user(question))).content == answer


def test_a_limit_cuts_the_answer_and_the_counts_agree() -> None:
    turn = synthesise(asked(max_tokens=3))
    assert (turn.status, turn.finish_reason) == (Status.INCOMPLETE, FinishReason.LENGTH)
    assert turn.usage is not None
    assert turn.usage.output_tokens == 3 == len(tokens.tokens(turn.content))


def test_calls_have_valid_arguments_and_ids_of_their_own() -> None:
    turn = synthesise(asked(tools=(tool("a"), tool("b"))))
    assert [call.name for call in turn.tool_calls] == ["a", "b"]
    assert len({call.id for call in turn.tool_calls}) == 2
    assert all(isinstance((call.arguments or {})["city"], str) for call in turn.tool_calls)
    assert turn.finish_reason is FinishReason.TOOL_CALLS


def test_results_are_answered_with_a_text() -> None:
    turn = synthesise(asked(user("Hi"), *called("a"), tools=(tool("a"),)))
    assert turn.content
    assert not turn.tool_calls
