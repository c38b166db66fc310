from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mockserver.backend import ANSWER_HEADER, Backend, Given, Settings
from mockserver.backend.asked import Asked
from mockserver.backend.script import Tape, in_words, script_of
from mockserver.cassettes.cassette import Interaction, Request, Response
from mockserver.dialects import dialects, facts_of
from mockserver.dialects.facts import Facts
from mockserver.library.refusal import RefusalError
from mockserver.wire.schedule import Ending
from tests.mockserver.backend.asking import OBJECT, asked, tool, user

NAMES = sorted(dialects().keys() - {"background"})
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}


def backend(*answers: Any, tape: Tape | None = None, **settings: Any) -> Backend:
    script = script_of({"answers": list(answers)}, in_words, lambda _: tape or pytest.fail("tape"))
    return Backend(Settings(script=script, **settings))


def answered(answer: Any, request: Asked | None = None) -> Given:
    return backend(answer).answer((request or asked(stream=True)).request, 0.0)


def facts(given: Given) -> Facts:
    assert given.asked is not None
    found = facts_of(given.asked.dialect.name, given.exchange.schedule)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_dialect_says_what_the_script_says(name: str) -> None:
    request = asked(dialect=name, stream=True, tools=(tool("weather"),))
    given = answered({"say": "Servus", "call": {"weather": {"city": "Graz"}}}, request)
    assert given.exchange.schedule.header(ANSWER_HEADER) == "rule answers[0]" == given.label
    found = facts(given)
    assert found.text == "Servus"
    (call,) = found.calls or ()
    assert (call.name, call.arguments) == ("weather", ({"city": "Graz"},))


@pytest.mark.parametrize("name", NAMES)
def test_every_dialect_fails_with_the_status_of_the_script(name: str) -> None:
    given = answered({"fail": "429, retry 2s"}, asked(dialect=name, stream=True))
    schedule = given.exchange.schedule
    assert schedule.status == 429
    assert given.label == "rule answers[0]"


def test_a_failure_has_the_words_of_the_provider_or_those_of_the_script() -> None:
    def error(fail: Any) -> Any:
        return json.loads(answered({"fail": fail}, asked()).exchange.schedule.body)["error"]

    assert "Rate limit reached" in error(429)["message"]
    own = error({"status": 429, "message": "No more today", "code": "daily"})
    assert (own["message"], own["code"]) == ("No more today", "daily")


def test_a_failure_may_come_late() -> None:
    given = answered({"fail": 503, "first": "2s"}, asked())
    assert given.has_times
    assert given.exchange.schedule.headers_ms == 2000
    assert {send.at_ms for send in given.exchange.schedule.sends} == {2000}


def test_the_token_counts_of_the_script_are_sent() -> None:
    given = answered({"say": "Hi", "usage": {"input": 11, "cached": 5}}, asked())
    usage = json.loads(given.exchange.schedule.body)["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (11, 1)
    assert usage["total_tokens"] == 12
    assert usage["prompt_tokens_details"]["cached_tokens"] == 5


def test_a_limit_of_the_request_cuts_what_the_script_says() -> None:
    given = answered({"say": "one two three"}, asked(stream=True, max_tokens=2))
    assert facts(given).text == "one two"


def test_json_and_refusals() -> None:
    assert facts(answered({"json": {"a": [1]}})).text == '{"a":[1]}'
    assert facts(answered({"refuse": "No."})).refusal == "No."


@pytest.mark.parametrize(
    ("value", "note"),
    [({"city": "Graz"}, None), ({"town": 1}, "$: 'city' is a required property")],
)
def test_json_that_the_schema_of_the_request_forbids_is_sent_with_a_note(
    value: Any, note: str | None
) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": OBJECT}}
    given = answered({"json": value}, asked(stream=True, response_format=form))
    assert json.loads(facts(given).text or "") == value
    assert (note or "") in (given.note or "")
    assert (given.note is None) is (note is None)


@pytest.mark.parametrize(
    ("tools", "note"),
    [
        ((tool("get_wether"),), "(did you mean get_wether?); it offers get_wether"),
        ((), "; it offers none"),
        ((tool("get_weather"),), None),
    ],
)
def test_a_call_of_a_tool_that_is_not_offered_is_sent_with_a_note(
    tools: Any, note: str | None
) -> None:
    given = answered({"call": {"get_weather": {"city": "Paris"}}}, asked(user("hi"), tools=tools))
    assert [call.name for call in facts(given).calls] == ["get_weather"]
    if note is None:
        assert given.note is None
        return
    assert given.note is not None
    assert "calls the tool get_weather, which the request does not offer" in given.note
    assert note in given.note


def test_a_refusal_is_a_text_where_there_is_no_word_for_it() -> None:
    given = answered({"refuse": "No."}, asked(dialect="ollama", stream=True))
    assert facts(given).text == "No."


def test_reasoning_comes_before_the_text() -> None:
    found = facts(answered({"think": "Hm.", "say": "Hi"}, asked(dialect="anthropic", stream=True)))
    assert (found.reasoning, found.text) == ("Hm.", "Hi")


def test_an_error_behind_a_text_is_sent_in_the_stream() -> None:
    given = answered({"say": "Hi", "fail": 529}, asked(dialect="anthropic", stream=True))
    assert given.exchange.schedule.status == 200
    found = facts(given)
    assert found.text == "Hi"
    assert found.error is not None


def test_an_answer_breaks_and_has_its_times() -> None:
    schedule = answered(
        {"say": "one two three", "first": "2s", "pace": "20/s", "reset": 2}
    ).exchange.schedule
    assert schedule.ending is Ending.RESET
    assert [schedule.headers_ms, *(s.at_ms for s in schedule.sends)] == [2000, 2000, 2050]


def test_the_waits_of_an_answer_differ_as_the_seed_says() -> None:
    def times(seed: int, jitter: float | str) -> list[float]:
        answer = {"say": "a b c d", "first": "100ms", "pace": "10ms", "jitter": jitter}
        given = backend(answer, seed=seed).answer(asked(user("hi"), stream=True).request, 0.0)
        return [send.at_ms for send in given.exchange.schedule.sends]

    assert times(0, "50%") == times(0, 0.5) != times(1, 0.5)
    assert 50 <= times(0, 0.5)[0] <= 150
    assert times(0, 0)[0] == 100


def test_a_whole_turn() -> None:
    given = answered(
        {
            "turn": {
                "parts": [{"type": "text", "text": "Hi"}],
                "finish_reason": "length",
                "status": "incomplete",
            }
        }
    )
    assert facts(given).terminal == "length"


def test_a_whole_turn_without_counts_is_counted() -> None:
    given = answered({"turn": {"parts": [{"type": "text", "text": "Hi there"}]}}, asked())
    usage = json.loads(given.exchange.schedule.body)["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (1, 2)


def test_ids_are_unique_and_the_same_in_another_run() -> None:
    def ids() -> list[str]:
        play = backend({"call": ["a", "b"], "times": 2})
        request = asked().request
        bodies = [json.loads(play.answer(request, 0.0).exchange.schedule.body) for _ in range(2)]
        calls = [body["choices"][0]["message"]["tool_calls"] for body in bodies]
        return [*(b["id"] for b in bodies), *(c["id"] for made in calls for c in made)]

    assert len(set(ids())) == 6
    assert ids() == ids()


def test_a_value_alone_is_for_the_only_parameter() -> None:
    request = asked(stream=True, tools=(tool("weather"),))
    (call,) = facts(answered({"call": {"weather": "Paris"}}, request)).calls or ()
    assert call.arguments == ({"city": "Paris"},)


@pytest.mark.parametrize("tools", [(), (tool("weather", SCHEMA),)])
def test_a_value_alone_for_no_parameter_is_refused(tools: Any) -> None:
    with pytest.raises(RefusalError, match=r"answers\[0\]: weather .* need names"):
        answered({"call": {"weather": "Paris"}}, asked(tools=tools))


def test_arguments_that_are_left_out_are_made_up() -> None:
    request = asked(stream=True, tools=(tool("weather"),))
    (call,) = facts(answered({"call": "weather"}, request)).calls or ()
    assert call.arguments is not None
    assert isinstance(call.arguments[0]["city"], str)


def _recorded(
    body: bytes, path: str = "/v1/chat/completions", *, kind: str = "x/y", sent: bytes = b""
) -> Interaction:
    return Interaction(
        Request(method="POST", uri=f"https://api.example{path}", body=sent),
        Response(status=200, reason="OK", headers=(("content-type", kind),), body=body),
    )


def test_a_cassette_is_played_as_it_is_in_its_order() -> None:
    tape = Tape(
        name="mine",
        interactions=(_recorded(b"1"), _recorded(b"-", "/v1/messages"), _recorded(b"2")),
    )
    play = backend({"play": "mine"}, tape=tape)
    answers = [play.answer(asked().request, 0.0) for _ in range(3)]
    assert [given.exchange.schedule.body for given in answers] == [b"1", b"2", b"1"]
    labels = [given.label for given in answers]
    assert labels == ["cassette mine#0", "cassette mine#2", "cassette mine#0"]


def test_a_cassette_of_another_wire_format_does_not_fit() -> None:
    play = backend({"play": "mine"}, tape=Tape(name="mine", interactions=(_recorded(b"1"),)))
    with pytest.raises(RefusalError, match="mine has no answer to POST"):
        play.answer(asked(dialect="ollama").request, 0.0)


def test_a_recorded_stream_answers_no_call_for_a_whole_answer() -> None:
    sent = b'{"model": "m", "messages": [], "stream": true}'
    stream = _recorded(b"data: [DONE]\n\n", kind="text/event-stream", sent=sent)
    tape = Tape(name="mine", interactions=(stream, _recorded(b"{}", kind="application/json")))
    play = backend({"play": "mine"}, tape=tape)
    assert play.answer(asked().request, 0.0).label == "cassette mine#1"
    assert play.answer(asked(stream=True).request, 0.0).label == "cassette mine#0"
    with pytest.raises(RefusalError, match="mine has a stream of it only"):
        backend({"play": "mine"}, tape=replace(tape, interactions=(stream,))).answer(
            asked().request, 0.0
        )


def test_what_is_left_open_is_made_up() -> None:
    play = backend({"on": "bye", "say": "Bye"})
    assert play.answer(asked(user("hi")).request, 0.0).label == "synthesised"


def test_a_break_behind_the_end_is_refused_as_a_mistake_of_the_script() -> None:
    with pytest.raises(RefusalError, match="behind the end"):
        answered({"say": "a", "cut": 999})


def test_the_path_of_a_model_does_not_matter_for_a_cassette() -> None:
    tape = Tape(name="mine", interactions=(_recorded(b"1"),))
    request = replace(asked().request, uri="http://provider/gateway/v1/chat/completions")
    assert backend({"play": "mine"}, tape=tape).answer(request, 0.0).label == "cassette mine#0"
