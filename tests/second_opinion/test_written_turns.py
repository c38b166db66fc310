"""What a dialect writes, its official SDK reads: the texts, the calls, the finish word, the counts.

For the dialects whose SDK reads all that a turn can have, without a fault of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from mockserver import MockServer
from mockserver.dialects import (
    Pace,
    dialects,
    fitted,
    written_answer,
    written_request,
)
from mockserver.library.session import Exchange
from mockserver.vocabulary import AssistantTurn, NeutralCall, Usage
from mockserver.wire.schedule import from_response
from tests.mockserver.dialects.turns import calls, paces, turns
from tests.second_opinion.playing import played
from tests.second_opinion.turn import Turn

#: Fields that an API has in every answer, also where a turn has none.
ALWAYS_SENT = {"anthropic": {"usage"}}
WRITERS = ("openai-chat", "openai-responses")


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as running:
        yield running


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=15)
@given(turn=turns(), call=calls(options=()), pace=paces)
def test_the_sdk_reads_the_turn(
    server: MockServer, name: str, turn: AssistantTurn, call: NeutralCall, pace: Pace
) -> None:
    dialect = dialects()[name]
    capacity = dialect.capacity
    assert capacity is not None
    wanted = fitted(dialect, turn).turn
    answer = from_response(written_answer(dialect, turn, call, pace))
    seen = played(server, name, call, [Exchange(written_request(dialect, call), answer)])
    assert (seen.error, seen.text, seen.refusal) == (None, wanted.content, wanted.refusal)
    assert [(name, arguments) for _, name, arguments in seen.calls] == [
        (one.name, one.arguments) for one in wanted.tool_calls
    ]
    if capacity.call_ids:
        assert [call_id for call_id, _, _ in seen.calls] == [c.id for c in wanted.tool_calls]
    assert seen.finish == wanted.raw_finish_reason
    if wanted.usage is not None or "usage" not in ALWAYS_SENT.get(name, ()):
        usage = wanted.usage or Usage()
        assert counts(seen) == {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
        }


def counts(seen: Turn) -> dict[str, int | None]:
    given_tokens, made, _ = seen.usage or (None, None, None)
    return {"input_tokens": given_tokens, "output_tokens": made}
