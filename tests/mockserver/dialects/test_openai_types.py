"""What the OpenAI dialects write has every field that the SDK's own types require.

The SDK itself builds its objects without checking them, so it would not notice.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response as WholeResponse
from openai.types.responses import ResponseStreamEvent

from mockserver.dialects import find_dialect, fitted, written_answer
from mockserver.dialects.openai_responses.native import wire_events
from mockserver.vocabulary import AssistantTurn, NeutralCall, Usage
from mockserver.wire.schedule import from_response
from tests.mockserver.dialects.turns import calls, paces, turns

COUNTS = Usage(
    input_tokens=9,
    output_tokens=8,
    total_tokens=17,
    cache_read_input_tokens=1,
    cache_creation_input_tokens=0,
    reasoning_tokens=2,
)
EVENTS = {
    get_args(kind.model_fields["type"].annotation)[0]: kind
    for kind in get_args(get_args(ResponseStreamEvent)[0])
}
some = settings(max_examples=25)


@some
@given(turn=turns(), call=calls(), pace=paces)
def test_chat_completions(turn: AssistantTurn, call: NeutralCall, pace: object) -> None:
    answer = written_answer(find_dialect("openai-chat"), turn, call, pace)  # type: ignore[arg-type]
    if not call.stream:
        ChatCompletion.model_validate_json(answer.body)
        return
    for chunk in wire_events(from_response(answer)):
        ChatCompletionChunk.model_validate(chunk)


@pytest.mark.parametrize("name", ["openai-responses", "codex", "background"])
@some
@given(turn=turns(), call=calls(), pace=paces)
def test_responses(name: str, turn: AssistantTurn, call: NeutralCall, pace: object) -> None:
    dialect = find_dialect(name)
    call = replace(call, stream=call.stream or name != "openai-responses")
    # All counts, as the API sends them: without them a field that is required is left out.
    turn = replace(fitted(dialect, turn).turn, usage=COUNTS)
    answer = written_answer(dialect, turn, call, pace)  # type: ignore[arg-type]
    if not call.stream:
        WholeResponse.model_validate(json.loads(answer.body))
        return
    for event in wire_events(from_response(answer)):
        EVENTS[event["type"]].model_validate(event)
