import asyncio
import gzip
import json
from contextlib import aclosing

import httpx
import pytest

from harness.adapters.response_strategies.background import ResponsesClient
from harness.adapters.response_strategies.background_store import FileStore, MemoryStore
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import ErrorClass, ErrorEvent, MessageStart, MessageStop, Status
from tests.harness.adapters.jobs import (
    ASK,
    DONE,
    EVENTS,
    KEY,
    MESSAGE,
    QUEUED,
    Broken,
    Server,
    refused,
    response,
    stream,
    whole,
)


def test_a_job_is_polled_until_it_is_done():
    working = whole(response("in_progress"), openai_poll_after_ms="500")
    server = Server(whole(QUEUED), whole(QUEUED), working, whole(DONE))
    turn = server.complete()
    assert (turn.content, turn.response_id, turn.status) == ("abc", "resp_1", Status.COMPLETED)
    assert server.asked == [
        (0, "POST "),
        (20, "GET /resp_1"),
        (40, "GET /resp_1"),
        (40.5, "GET /resp_1"),
    ]
    assert {r.headers["authorization"] for r in server.requests} == {f"Bearer {KEY}"}
    body = json.loads(server.requests[0].content)
    assert (body["background"], body["store"], body["stream"]) == (True, True, False)


def test_an_hour_of_polls():
    server = Server(
        whole(QUEUED), *(whole(QUEUED) for _ in range(180)), whole(response("cancelled"))
    )
    error = server.fails()
    assert error.error.error_class is ErrorClass.TIMEOUT
    assert "3600 s" in error.error.message
    assert error.turn.response_id == "resp_1"
    assert server.asked[180:] == [(3600, "GET /resp_1"), (3600, "POST /resp_1/cancel")]


def test_the_last_poll_is_at_the_deadline():
    server = Server(whole(QUEUED), whole(QUEUED), whole(QUEUED), whole(DONE))
    assert server.complete(interval=20, timeout=50).content == "abc"
    assert [when for when, _ in server.asked] == [0, 20, 40, 50]


@pytest.mark.parametrize(
    ("answer", "is_stored"),
    [
        (whole(response("cancelled")), False),
        (whole(response("in_progress")), True),
        (whole([]), True),
        (refused(400), True),
        (httpx.ReadError("reset"), True),
        (httpx.Response(200, text="no JSON"), True),
        (httpx.Response(200, stream=Broken(b"{")), True),
    ],
)
def test_a_job_that_may_still_run_is_remembered(answer, is_stored, tmp_path):
    server = Server(whole(QUEUED), answer)
    error = server.fails(timeout=0, retries=2, store=FileStore(tmp_path))
    assert error.error.error_class is ErrorClass.TIMEOUT
    assert len(server.asked) == 2
    assert bool(list(tmp_path.iterdir())) is is_stored


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_a_job_that_ends_while_it_is_cancelled_has_its_turn(status, tmp_path):
    ended = response(status, output=[MESSAGE], incomplete_details={"reason": "max_output_tokens"})
    server = Server(whole(QUEUED), whole(ended))
    assert server.complete(timeout=0, store=FileStore(tmp_path)).content == "abc"
    assert list(tmp_path.iterdir()) == []


def test_the_answer_to_a_cancellation_may_have_several_gzip_members():
    async def pieces():
        data = json.dumps(DONE).encode()
        yield gzip.compress(data[:20]) + gzip.compress(data[20:])

    answer = httpx.Response(200, headers={"content-encoding": "gzip"}, content=pieces())
    assert Server(whole(QUEUED), answer).complete(timeout=0).content == "abc"


def test_failed_polls_wait_as_any_failed_request():
    server = Server(
        whole(QUEUED),
        refused(502),
        httpx.ConnectTimeout("slow"),
        refused(429, retry_after="7"),
        whole(QUEUED),
        refused(503, retry_after_ms="250"),
        whole(DONE),
    )
    assert server.complete(retries=3).content == "abc"
    assert [when for when, _ in server.asked] == [0, 20, 20.5, 21.5, 28.5, 48.5, 48.75]


def test_the_retries_count_failures_in_a_row():
    server = Server(whole(QUEUED), refused(502), whole(QUEUED), refused(502), refused(503))
    assert server.fails(retries=1).error.error_class is ErrorClass.OVERLOADED
    assert server.answers == []


def test_a_wait_beyond_the_deadline_is_not_slept():
    server = Server(whole(QUEUED), refused(429, retry_after="31"), whole(response("cancelled")))
    error = server.fails(retries=9, timeout=50)
    assert error.error.error_class is ErrorClass.TIMEOUT
    assert server.asked[2:] == [(20, "POST /resp_1/cancel")]


@pytest.mark.parametrize(
    ("ended", "error_class"),
    [
        (
            response(
                "failed", error={"code": "server_error", "message": "network connection timeout"}
            ),
            ErrorClass.SERVER_ERROR,
        ),
        (response("failed", error=None), ErrorClass.STREAM_ERROR),
        (response("cancelled"), ErrorClass.CANCELLED),
        (response("unheard_of"), ErrorClass.PROTOCOL),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_failed_job_is_not_polled_again(ended, error_class, at_once, tmp_path):
    server = Server(*([] if at_once else [whole(QUEUED)]), whole(ended))
    error = server.fails(retries=3, store=FileStore(tmp_path))
    assert error.error.error_class is error_class
    assert server.answers == []
    assert list(tmp_path.iterdir()) == []


# --- the store --------------------------------------------------------------------------


def test_the_id_is_stored_while_the_job_runs_and_removed_after(tmp_path):
    store = FileStore(tmp_path)
    found = []

    async def run():
        server = Server(stream(*EVENTS[:2]), whole(DONE))
        client = server.client(store=store)
        async with client, aclosing(client.stream(**ASK)) as events:
            async for event in events:
                found.append([p.read_text() for p in tmp_path.iterdir()])
                if isinstance(event, MessageStart):
                    return

    asyncio.run(run())
    assert found == [["resp_1\n"]]
    again = Server(stream(*EVENTS))
    assert fold(again.stream(store=store)).content == "abc"
    assert again.asked == [(0, "GET /resp_1?stream=true")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answers", [[stream(*EVENTS)], [whole(QUEUED), whole(DONE)]])
def test_a_caller_that_stops_at_the_last_event_leaves_no_id(answers, tmp_path):
    async def run():
        server = Server(*answers)
        client = server.client(store=FileStore(tmp_path))
        async with client, aclosing(client.stream(**ASK)) as events:
            async for event in events:
                if isinstance(event, MessageStop):
                    return

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_another_prompt_is_another_job(tmp_path):
    store = FileStore(tmp_path)
    assert Server(whole(QUEUED), refused(401)).fails(store=store).error.status == 401
    assert len(list(tmp_path.iterdir())) == 1

    async def other():
        server = Server(whole(DONE))
        async with server.client(store=store) as client:
            await client.complete(model="gpt-5.2", messages=[{"role": "user", "content": "ho"}])
        return server.asked

    assert asyncio.run(other()) == [(0, "POST ")]
    assert len(list(tmp_path.iterdir())) == 1
    # The first one is resumed where it stopped, by polls as well as by a stream.
    again = Server(whole(DONE))
    assert again.complete(store=store).content == "abc"
    assert again.asked == [(0, "GET /resp_1")]


def test_an_id_that_the_server_forgot_is_removed():
    store = MemoryStore()
    Server(whole(QUEUED), refused(503)).fails(store=store)
    assert Server(refused(404)).fails(store=store).error.status == 404
    server = Server(whole(DONE))
    assert server.complete(store=store).content == "abc"
    assert server.asked == [(0, "POST ")]


def test_a_plain_request_is_never_stored(tmp_path):
    server = Server(whole(response("in_progress")), refused(503))
    server.fails(background=False, store=FileStore(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert "background" not in json.loads(server.requests[0].content)


# --- before there is an id --------------------------------------------------------------


@pytest.mark.parametrize(
    "lose", [stream, lambda: stream(broken=True), lambda: httpx.ReadTimeout("slow")]
)
def test_a_request_whose_answer_is_lost_is_repeated_once(lose):
    server = Server(lose(), stream(*EVENTS))
    assert fold(server.stream(retries=5)).content == "abc"
    server = Server(stream(), lose(), stream(*EVENTS))
    assert isinstance(server.stream(retries=5)[-1], ErrorEvent)
    assert len(server.answers) == 1
    # A plain request starts nothing that could run twice.
    server = Server(stream(), lose(), stream(*EVENTS))
    assert fold(server.stream(retries=5, background=False)).content == "abc"


def test_rejected_requests_are_repeated_as_often_as_allowed():
    server = Server(refused(500), refused(429, retry_after="3"), refused(503), whole(DONE))
    assert server.complete(retries=3).content == "abc"
    assert [when for when, _ in server.asked] == [0, 0.5, 3.5, 5.5]
    assert len({r.content for r in server.requests}) == 1
    assert Server(refused(500), refused(500)).fails(retries=1).error.status == 500


def test_an_answer_in_progress_is_polled_without_background():
    server = Server(whole(response("in_progress")), httpx.ReadError("reset"), stream(), whole(DONE))
    assert server.complete(background=False, retries=2).content == "abc"
    assert server.asked == [
        (0, "POST "),
        (20, "GET /resp_1"),
        (20.5, "GET /resp_1"),
        (21.5, "GET /resp_1"),
    ]


def test_a_generated_id_is_new_in_the_conversation():
    call = {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    answer = {"type": "function_call", "name": "f", "arguments": "{}"}

    async def run():
        server = Server(whole(QUEUED), whole(response("completed", output=[answer])))
        async with server.client() as client:
            return await client.complete(model="m", messages=messages)

    (made,) = asyncio.run(run()).tool_calls
    assert (made.id, made.id_synthesized) == ("call_1", True)


def test_an_answer_in_progress_without_an_id_is_an_error():
    nameless = {"object": "response", "status": "in_progress"}
    assert Server(whole(nameless)).fails().error.error_class is ErrorClass.PROTOCOL


# --- taking up a job by its id ----------------------------------------------------------


def test_resume_and_result():
    server = Server(stream(*EVENTS))
    assert fold(server.stream(resume="resp_1")).content == "abc"
    assert server.asked == [(0, "GET /resp_1?stream=true")]
    server = Server(whole(QUEUED), whole(DONE))
    assert server.complete(resume="resp_1").content == "abc"
    assert server.asked == [(0, "GET /resp_1"), (20, "GET /resp_1")]


def test_an_empty_answer_is_polled_once_the_id_is_known():
    assert (
        fold(Server(stream(), stream(*EVENTS)).stream(resume="resp_1", retries=1)).content == "abc"
    )
    events = Server(httpx.Response(200, content=b"")).stream(resume="resp_1")
    assert events[-1].error.error_class is ErrorClass.TRUNCATED_STREAM


def test_an_id_cannot_lead_to_another_path():
    server = Server(whole(DONE))
    server.complete(resume="../files?x=1#y")
    assert server.asked == [(0, "GET /..%2Ffiles%3Fx%3D1%23y")]


@pytest.mark.parametrize(
    ("url", "key"), [("models.test", ""), ("ftp://models.test", ""), ("http://a", "key\n")]
)
def test_what_cannot_be_connected_to(url, key):
    with pytest.raises(ValueError, match=r"base_url|API key"):
        ResponsesClient(url, key)


def test_errors_have_the_request_id_but_no_key():
    job_ended = {"error": {"message": f"wrong key {KEY}"}}
    answer = httpx.Response(401, json=job_ended, headers={"x-request-id": "req_1"})
    error = Server(answer).fails().error
    assert (error.request_id, KEY in str(error)) == ("req_1", False)
    failed = response("failed", error={"code": "server_error", "message": f"key {KEY}"})
    error = Server(whole(QUEUED), whole(failed, x_request_id="req_2")).fails().error
    assert (error.request_id, KEY in str(error)) == ("req_2", False)
