"""What the official SDK reads of stored responses, jobs and conversations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from mockserver import MockServer
from mockserver.backend import Backend, Settings
from mockserver.cassettes.cassette import Request

MODEL = "gpt-4o-mini"
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


@pytest.fixture
def client(backend: MockServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{backend.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def test_a_response_is_found_by_its_id_until_it_is_deleted(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="say hello")
    found = client.responses.retrieve(made.id)
    assert found == made
    assert found.output_text == "hello"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found"):
        client.responses.retrieve(made.id)


def test_a_response_that_is_not_stored_is_not_found(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Hi", store=False)
    assert made.store is False
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_a_response_goes_on_from_the_one_before(client: OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="Weather in Paris?", tools=[WEATHER])
    (call,) = [item for item in first.output if item.type == "function_call"]
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "21"}
    second = client.responses.create(
        model=MODEL, previous_response_id=first.id, input=[result], tools=[WEATHER]
    )
    assert second.previous_response_id == first.id
    assert second.output_text
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens
    items = client.responses.input_items.list(second.id, order="asc")
    assert [item.type for item in items] == ["message", "function_call", "function_call_output"]


def test_a_stream_is_stored_too(client: OpenAI) -> None:
    with client.responses.stream(model=MODEL, input="say hello") as stream:
        made = stream.get_final_response()
    assert client.responses.retrieve(made.id).output_text == "hello"
    asked = client.responses.create(model=MODEL, input="Go on", previous_response_id=made.id)
    assert asked.output_text


def test_an_unknown_response_cannot_be_gone_on_from(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=MODEL, input="Hi", previous_response_id="resp_unknown")
    assert caught.value.code == "previous_response_not_found"
    assert caught.value.param == "previous_response_id"
    assert "Previous response with id 'resp_unknown' not found." in caught.value.message


def test_an_item_may_be_referred_to(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="say hello")
    reference: Any = {"type": "item_reference", "id": made.output[0].id}
    given: Any = [{"role": "user", "content": "Hi"}, reference, {"role": "user", "content": "So?"}]
    assert client.responses.create(model=MODEL, input=given).output_text
    reference["id"] = "msg_unknown"
    with pytest.raises(openai.NotFoundError, match="Item with id 'msg_unknown' not found"):
        client.responses.create(model=MODEL, input=given)


def test_a_stored_response_is_streamed_from_any_event_on(client: OpenAI) -> None:
    with client.responses.create(model=MODEL, input="Hi", stream=True) as stream:
        events = list(stream)
    id_ = next(event.response.id for event in events if event.type == "response.created")
    with client.responses.retrieve(id_, stream=True, starting_after=3) as again:
        assert list(again) == events[4:]


def test_a_job_is_queued_then_in_progress_then_completed(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="say hello", background=True)
    assert (made.status, made.background, made.output) == ("queued", True, [])
    seen = [client.responses.retrieve(made.id) for _ in range(3)]
    assert [response.status for response in seen] == ["in_progress", "completed", "completed"]
    assert seen[-1].output_text == "hello"
    assert seen[-1].id == made.id


def test_a_job_may_be_cancelled(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Hi", background=True)
    assert client.responses.cancel(made.id).status == "cancelled"
    assert client.responses.cancel(made.id).status == "cancelled"
    assert client.responses.retrieve(made.id).status == "cancelled"


def test_what_has_ended_is_not_cancelled(client: OpenAI) -> None:
    job = client.responses.create(model=MODEL, input="Hi", background=True)
    for _ in range(2):
        client.responses.retrieve(job.id)
    assert client.responses.cancel(job.id).status == "completed"
    made = client.responses.create(model=MODEL, input="Hi")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(made.id)


def test_a_streamed_job_may_be_resumed(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="say hello", background=True, stream=True)
    with made as stream:
        first = next(iter(stream))
    assert first.type == "response.created"
    assert first.response.status == "queued"
    id_, number = first.response.id, first.sequence_number
    with client.responses.retrieve(id_, stream=True, starting_after=number) as again:
        events = list(again)
    assert events[0].type == "response.queued"
    assert events[-1].type == "response.completed"
    assert client.responses.retrieve(id_).output_text == "hello"


def test_counted_tokens_are_those_of_the_answer(client: OpenAI) -> None:
    asked: Any = {"model": MODEL, "input": "What is the weather?", "tools": [WEATHER]}
    answer = client.responses.create(**asked)
    assert answer.usage is not None
    counted = client.responses.input_tokens.count(**asked)
    assert counted.input_tokens == answer.usage.input_tokens > 5
    more = client.responses.input_tokens.count(**asked, previous_response_id=answer.id)
    assert more.input_tokens > counted.input_tokens


def test_a_conversation_is_compacted_and_gone_on_with(client: OpenAI) -> None:
    given: Any = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "A long answer to it"},
        {"role": "user", "content": "Two"},
    ]
    compacted = client.responses.compact(model=MODEL, input=given)
    assert compacted.object == "response.compaction"
    assert [item.type for item in compacted.output] == ["message", "message", "compaction"]
    after: Any = [item.model_dump(exclude_none=True, warnings=False) for item in compacted.output]
    answer = client.responses.create(
        model=MODEL, input=[*after, {"role": "user", "content": "Three"}]
    )
    assert answer.output_text
    assert answer.usage is not None
    assert answer.usage.input_tokens == 8


def test_a_conversation_is_compacted_by_a_model(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="model"):
        client.responses.compact(model=None, input="One")


def test_a_conversation_keeps_what_is_said(client: OpenAI) -> None:
    made = client.conversations.create(
        metadata={"topic": "demo"}, items=[{"role": "user", "content": "Hi", "type": "message"}]
    )
    assert client.conversations.create().id != client.conversations.create().id
    answer = client.responses.create(model=MODEL, input="say hello", conversation=made.id)
    items = list(client.conversations.items.list(made.id, order="asc", limit=2))
    assert [item.type for item in items] == ["message"] * 3
    assert items[-1].id == answer.output[0].id
    assert client.conversations.items.retrieve(items[0].id, conversation_id=made.id) == items[0]
    client.conversations.items.delete(items[0].id, conversation_id=made.id)
    assert len(list(client.conversations.items.list(made.id))) == 2
    client.conversations.update(made.id, metadata={"topic": "other"})
    assert client.conversations.retrieve(made.id).metadata == {"topic": "other"}
    assert client.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match="Conversation with id"):
        client.responses.create(model=MODEL, input="Hi", conversation=made.id)


def test_a_request_has_one_history(client: OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Hi")
    conversation = client.conversations.create()
    with pytest.raises(openai.BadRequestError, match="Mutually exclusive"):
        client.responses.create(
            model=MODEL, input="Hi", conversation=conversation.id, previous_response_id=made.id
        )


def test_a_prompt_of_the_dashboard_is_answered(client: OpenAI) -> None:
    answer = client.responses.create(prompt={"id": "pmpt_1", "variables": {"city": "Paris"}})
    assert answer.output_text


def test_sessions_know_nothing_of_each_other() -> None:
    uri = "http://provider/v1/responses"
    body = b'{"model":"m","input":"Hi"}'
    one, other = Backend(Settings()), Backend(Settings())
    given = one.answer(Request(method="POST", uri=uri, body=body), 0.0)
    turn = given.reply.turn
    assert turn is not None
    polled = Request(method="GET", uri=f"{uri}/{turn.response_id}")
    assert one.answer(polled, 0.0).exchange.schedule.status == 200
    assert other.answer(polled, 0.0).exchange.schedule.status == 404
