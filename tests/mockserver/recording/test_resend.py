from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mockserver.cassettes.cassette import Interaction, Origin, Wire
from mockserver.errors import RecordingError
from mockserver.library import library
from mockserver.recording.providers import Provider
from mockserver.recording.recorder import Recorder
from mockserver.recording.resend import provider_of, providers_of, resend_requests
from tests.mockserver.live import Live
from tests.mockserver.rawhttp import cassette, interaction
from tests.mockserver.taping import DONE, event, hello

ONE = Provider(name="one", base_url="https://one.example/v1")
TWO = Provider(name="two", base_url="https://two.example/v1")


HELP = "add -p NAME --upstream URL"


def asked(uri: str, *, body: bytes = b"{}", origin: Origin = Origin.RECORDED) -> Interaction:
    made = interaction(b"{}", body=body, wire=Wire(origin=origin))
    return replace(made, request=replace(made.request, uri=uri))


def test_all_providers_of_a_cassette_are_named() -> None:
    tape = cassette(*(asked(f"https://{host}.example/v1/x") for host in ("two", "one", "two")))
    assert providers_of(tape, [ONE, TWO]) == (TWO, ONE)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (
            asked("https://three.example/v1/x"),
            f"no known provider has the host three.example; {HELP}",
        ),
        (asked("https://one.example/v1/x", origin=Origin.AUTHORED), "it is authored, not recorded"),
        (asked("https://one.example/v1/x", origin=Origin.IMPORTED), "it is imported, not recorded"),
        (
            asked("https://one.example/v1/account_REDACTED_1/x", body=b'{"a":"key_REDACTED_2"}'),
            "its account, key was redacted; run the client instead",
        ),
    ],
)
def test_what_cannot_be_sent_again_is_named(what: Interaction, why: str) -> None:
    tape = cassette(asked("https://one.example/v1/x"), what)
    with pytest.raises(RecordingError) as caught:
        providers_of(tape, [ONE, TWO])
    assert caught.value.reasons == (f"interaction 1 cannot be sent again: {why}",)


def test_a_placeholder_for_a_user_can_be_sent() -> None:
    body = b'{"user":"user_REDACTED_1","metadata":{"team":"metadata_REDACTED_1"}}'
    tape = cassette(asked("https://one.example/v1/x", body=body))
    assert providers_of(tape, [ONE]) == (ONE,)


def test_the_one_provider_of_a_cassette() -> None:
    one, two = asked("https://one.example/v1/x"), asked("https://two.example/v1/x")
    assert provider_of(cassette(one, one), [ONE, TWO]) is ONE
    with pytest.raises(RecordingError, match=r"host one\.example, two\.example"):
        provider_of(cassette(one, two), [ONE, TWO])
    with pytest.raises(RecordingError, match=r"no single known provider has the host two\.example"):
        provider_of(cassette(two), [ONE])
    with pytest.raises(RecordingError, match="no single known provider"):
        provider_of(cassette(one, two), [ONE])


def test_the_requests_are_sent_again_to_the_last_byte_of_each_answer(
    recorder: Recorder, path: Path
) -> None:
    with Live(hello) as live:
        provider = live.provider()
        old = cassette(
            asked(f"{provider.base_url}/a?b=1", body=b'{"n":1}'),
            asked(f"{provider.base_url}/c", body=b""),
        )
        with recorder.tape(path, [provider]) as tape:
            resend_requests(old, tape, [provider])
            tape.finish()
        sent = [(method, target, body) for method, target, _, body in live.requests]
    assert sent == [("POST", "/v1/a?b=1", b'{"n":1}'), ("POST", "/v1/c", b"")]
    bodies = [i.response.body for i in library.load(path).interactions]
    assert bodies == [event("Hi ") + event("you") + DONE] * 2


def test_an_endpoint_that_does_not_answer_is_reported_by_the_recorder(
    recorder: Recorder, path: Path, unreachable: Provider
) -> None:
    with recorder.tape(path, [unreachable]) as tape:
        resend_requests(cassette(asked(f"{unreachable.base_url}/x")), tape, [unreachable])
        with pytest.raises(RecordingError, match=f"no answer from .* at {unreachable.base_url}"):
            tape.finish()
