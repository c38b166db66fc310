from __future__ import annotations

import pytest

from mockserver.backend.backend import Backend
from mockserver.backend.limits import Limits
from mockserver.backend.reply import ANSWER_HEADER
from mockserver.backend.settings import Settings
from mockserver.cassettes.cassette import Request
from mockserver.dialects import dialects, facts_of
from mockserver.library.refusal import RefusalError
from tests.mockserver.backend.asking import asked, user

#: Without the one whose jobs take several requests.
NAMES = sorted(dialects().keys() - {"background"})


@pytest.mark.parametrize("name", NAMES)
def test_every_dialect_answers_and_says_what_the_answer_is(name: str) -> None:
    request = asked(user("say hello"), dialect=name, stream=True).request
    given = Backend(Settings()).answer(request, 0.0)
    schedule = given.exchange.schedule
    assert schedule.header(ANSWER_HEADER) == "synthesised"
    facts = facts_of(name, schedule)
    assert facts is not None
    assert facts.text == "hello"


def test_an_unknown_address_is_refused() -> None:
    with pytest.raises(RefusalError, match="/nowhere"):
        Backend(Settings()).answer(Request(method="POST", uri="http://provider/nowhere"), 0.0)


def test_a_request_that_cannot_be_read_is_refused_as_the_provider_would() -> None:
    uri = "http://provider/v1/chat/completions"
    given = Backend(Settings()).answer(Request(method="POST", uri=uri, body=b"{"), 0.0)
    assert given.exchange.schedule.status == 400
    assert given.label == "refused"


def test_a_model_does_not_use_up_what_another_has() -> None:
    backend = Backend(Settings(limits=Limits(rpm=1)))
    uri = "http://provider/v1/{}".format
    body = b'{"model": "%s", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}'
    found = [
        backend.answer(Request(method="POST", uri=uri(path), body=body % model), 0.0)
        for path, model in (
            ("chat/completions", b"a"),
            ("chat/completions", b"b"),
            ("messages", b"a"),
            ("chat/completions", b"a"),
        )
    ]
    assert [given.exchange.schedule.status for given in found] == [200, 200, 200, 429]
    assert found[1].exchange.schedule.header("x-ratelimit-remaining-requests") == "0"
