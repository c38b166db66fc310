from __future__ import annotations

import itertools

from harness.run.requests import by_call
from mockserver.serving import JournalEntry

_NUMBERS = itertools.count(1)


def entry(body: bytes, exchange: int | None) -> JournalEntry:
    return JournalEntry(
        number=next(_NUMBERS),
        session="s",
        method="POST",
        path="/v1/chat/completions",
        query="",
        headers=(),
        body=body,
        exchange=exchange,
    )


def test_each_call_has_the_request_for_its_answer() -> None:
    second, first = entry(b"b", 1), entry(b"a", 0)
    assert by_call([second, first], 2) == [[first], [second]]


def test_the_same_request_again_is_its_call_s() -> None:
    first, second, again = entry(b"a", 0), entry(b"b", 1), entry(b"a", 1)
    assert by_call([first, second, again], 2) == [[first, again], [second]]


def test_a_request_without_an_answer_is_that_of_the_call_without_a_request() -> None:
    missed, second = entry(b"a", None), entry(b"b", 0)
    assert by_call([missed, second], 2) == [[second], [missed]]


def test_no_request_is_lost() -> None:
    first, second, other = entry(b"a", 0), entry(b"b", 1), entry(b"c", None)
    assert by_call([first, second, other], 2) == [[first], [second, other]]
    assert by_call([], 2) == [[], []]
