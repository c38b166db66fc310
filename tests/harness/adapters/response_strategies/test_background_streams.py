import httpx

from harness.adapters.response_strategies.background_store import MemoryStore
from mockserver.vocabulary.fold import fold
from mockserver.vocabulary.model import ErrorClass, MessageStart, MessageStop
from tests.harness.adapters.jobs import (
    DONE,
    EVENTS,
    QUEUED,
    Server,
    refused,
    response,
    stream,
    whole,
)


def test_a_stream_resumes_after_its_last_event():
    whole_stream = Server(stream(*EVENTS)).stream()
    assert fold(whole_stream).content == "abc"
    for cut in range(1, len(EVENTS)):
        for start in range(cut + 1):
            server = Server(stream(*EVENTS[:cut], broken=cut % 2), stream(*EVENTS[start:]))
            assert server.stream(retries=1) == whole_stream
            assert server.asked[1] == (0.5, f"GET /resp_1?stream=true&starting_after={cut - 1}")


def test_progress_restores_the_retries():
    def cut(n):
        return stream(*EVENTS[:n], broken=True)

    server = Server(cut(1), cut(2), cut(3), cut(4), stream(*EVENTS))
    assert fold(server.stream(retries=1)).content == "abc"
    server = Server(cut(1), cut(1), stream(*EVENTS))
    assert server.stream(retries=1)[-1].error.error_class is ErrorClass.CONNECTION_LOST
    assert len(server.answers) == 1


def test_without_retries_a_broken_stream_is_an_error_and_the_job_stays_stored():
    store = MemoryStore()
    events = Server(stream(*EVENTS[:3])).stream(store=store)
    assert events[-1].error.error_class is ErrorClass.TRUNCATED_STREAM
    assert fold(events).content == "ab"
    assert fold(Server(stream(*EVENTS)).stream(store=store)).content == "abc"


def test_a_refused_resumption_falls_back_to_polls():
    server = Server(stream(*EVENTS[:3]), refused(400), whole(response("in_progress")), whole(DONE))
    events = server.stream(retries=1)
    assert [e.delta for e in events[1:-2]] == ["a", "b", "c"]
    assert isinstance(events[-1], MessageStop)
    assert server.asked[2:] == [(0.5, "GET /resp_1"), (20.5, "GET /resp_1")]


def test_a_refused_poll_is_not_repeated():
    server = Server(whole(QUEUED), refused(400))
    assert server.fails(retries=3).error.status == 400
    assert server.answers == []


def test_a_server_that_resumes_with_the_whole_response():
    server = Server(stream(*EVENTS[:2], broken=True), whole(DONE))
    assert [e.delta for e in server.stream(retries=1)[1:-2]] == ["a", "bc"]


def test_done_without_an_end_is_not_the_end_of_a_job():
    def cut():
        data = stream(*EVENTS[:2]).content + b"data: [DONE]\n\n"
        return httpx.Response(200, content=data)

    assert fold(Server(cut(), stream(*EVENTS[2:])).stream(retries=1)).content == "abc"
    plain = Server(cut()).stream(background=False, retries=1)
    assert fold(plain).content == "a"
    assert isinstance(plain[-1], MessageStop)


def test_a_plain_stream_is_not_resumed():
    server = Server(stream(*EVENTS[:3], broken=True))
    events = server.stream(background=False, retries=3)
    assert events[-1].error.error_class is ErrorClass.CONNECTION_LOST
    assert fold(events).content == "ab"


def test_an_error_in_the_stream_ends_it_and_keeps_the_job():
    store = MemoryStore()
    error = {"type": "error", "code": "server_error", "message": "no", "sequence_number": 2}
    server = Server(stream(*EVENTS[:2], error))
    events = server.stream(retries=3, store=store)
    assert events[-1].error.error_class is ErrorClass.SERVER_ERROR
    assert Server(whole(DONE)).complete(store=store).content == "abc"


def test_the_start_is_emitted_as_soon_as_the_id_is_known():
    server = Server(whole(QUEUED), whole(response("in_progress")), whole(DONE))
    start, *rest = server.stream()
    assert start == MessageStart(response_id="resp_1", model="m")
    assert not any(isinstance(e, MessageStart) for e in rest)
