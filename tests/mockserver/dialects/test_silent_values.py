"""The fields that may be null are those of the SDKs' own types."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat import ChatCompletionAssistantMessageParam
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

from mockserver.dialects import find_dialect
from mockserver.dialects.registry import silent_values


@pytest.mark.parametrize(
    ("name", "below", "kind"),
    [
        ("openai-chat", "", CompletionCreateParamsNonStreaming),
        ("openai-chat", "messages.*", ChatCompletionAssistantMessageParam),
        ("openai-responses", "", ResponseCreateParamsNonStreaming),
        ("anthropic", "", MessageCreateParamsNonStreaming),
    ],
)
def test_a_null_is_the_absence_of_fields_that_may_be_null(
    name: str, below: str, kind: type[Any]
) -> None:
    values = find_dialect(name).silent_values
    places = [place for place in values if place.rpartition(".")[0] == below]
    nullable = {place.rpartition(".")[2] for place in places if None in values[place]}
    allowed = {n for n, hint in get_type_hints(kind).items() if type(None) in get_args(hint)}
    assert nullable == allowed


def test_special_cases_of_a_dialect_share_its_values() -> None:
    assert find_dialect("codex").silent_values == find_dialect("openai-responses").silent_values
    assert silent_values("POST", "/backend-api/codex/responses")
    assert not silent_values("GET", "/v1/responses")
    assert not silent_values("POST", "/other")
