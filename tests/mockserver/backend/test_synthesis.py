from __future__ import annotations

import json
import re

import pytest

from mockserver.backend import tokens
from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.backend.synthesis import synthesise
from mockserver.dialects import dialects
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
        ('Say "Hello, world!" please', "Hello, world!"),
        ("Repeat after me: banana", "banana"),
        ("Say 'yes'.", "yes"),
        ("Say it's fine", "it's fine"),
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


def test_a_schema_that_cannot_be_met_is_named_with_its_place() -> None:
    nothing = {"type": "object", "properties": {"n": False}, "required": ["n"]}
    with pytest.raises(UnmetSchemaError, match="Invalid schema for function 'a': false"):
        synthesise(asked(tools=(tool("a", nothing),)))
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": nothing}}
    with pytest.raises(UnmetSchemaError, match="Invalid schema for response_format: false"):
        synthesise(asked(response_format=form))
    with pytest.raises(UnmetSchemaError, match="arguments of a tool are an object"):
        synthesise(asked(tools=(tool("a", {"type": "string"}),)))


def test_ids_have_the_providers_form() -> None:
    forms = {
        "openai-chat": (r"chatcmpl-\w{29}", r"call_\w{24}"),
        "openai-responses": (r"resp_[0-9a-f]{48}", r"call_\w{24}"),
        "anthropic": (r"msg_01\w{22}", r"toolu_01\w{22}"),
        "gemini": (r"\w{23}", r"\w{8}"),
        "cohere": (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}", r"a_\w{12}"),
        "bedrock": (r"\w+", r"tooluse_\w{22}"),
        "ollama": (r"\w+", r"call_\w{8}"),
    }
    for name, (answer, call) in forms.items():
        turn = synthesise(asked(tools=(tool("a"),), dialect=name))
        assert re.fullmatch(answer, str(turn.response_id)), name
        assert re.fullmatch(call, turn.tool_calls[0].id), name


@pytest.mark.parametrize("name", sorted(dialects().keys() - {"background", "codex"}))
def test_a_stop_sequence_ends_the_answer_in_the_providers_word(name: str) -> None:
    words = {"anthropic": "stop_sequence", "bedrock": "stop_sequence", "cohere": "STOP_SEQUENCE"}
    if name == "openai-responses":
        return  # The API has no stop sequences.
    turn = synthesise(asked(user("say one two three"), dialect=name, stop=["two"]))
    assert turn.content == "one "
    assert turn.raw_finish_reason == words.get(name)


def test_the_request_of_a_schema_is_answered_with_its_json() -> None:
    schema = {"type": "object", "properties": {"n": {"const": 3}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    turn = synthesise(asked(tools=(tool("a"),), response_format=form))
    assert [call.name for call in turn.tool_calls] == ["a"]
    turn = synthesise(asked(user("Hi"), *called("a"), tools=(tool("a"),), response_format=form))
    assert json.loads(turn.content) == {"n": 3}
    turn = synthesise(asked(response_format={"type": "json_object"}))
    assert set(json.loads(turn.content)) == {"answer"}
