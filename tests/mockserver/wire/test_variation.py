from __future__ import annotations

import gzip
import re

import pytest

from mockserver.cassettes.cassette import Response, Wire
from mockserver.wire import axes, faults
from mockserver.wire.axes import Point
from mockserver.wire.faults import Fault, FaultKind
from mockserver.wire.schedule import Ending, Schedule, from_response
from mockserver.wire.variation import PLAIN, Break, Variation, apply, parse, within


def answer(body: bytes, kind: str = "text/event-stream", *more: tuple[str, str]) -> Schedule:
    headers = (("content-type", kind), *more)
    return from_response(Response(status=200, reason="OK", headers=headers, body=body, wire=Wire()))


STREAM = answer(b"data: a\n\ndata: b\n\n")
WHOLE = answer(b'{"a": 1}', "application/json")
TEXT = answer(b"no", "text/plain")


@pytest.mark.parametrize(
    "words",
    [
        "eol=crlf",
        "eol=crlf,bom=yes,gzip=yes",
        "cut=0",
        "reset=2",
        "framing=random,seed=7",
        "interactions=0+2,eol=cr,stall=1",
    ],
)
def test_words_are_read_and_written(words: str) -> None:
    assert str(parse(words)) == words


def test_the_recorded_value_is_no_change() -> None:
    assert parse("eol=recorded") == PLAIN
    assert str(PLAIN) == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "not ''"),
        ("crlf", "not 'crlf'; known are eol=lf|crlf|cr, "),
        ("eof=crlf", "unknown word 'eof' (did you mean eol?); known are "),
        ("hold=2", "unknown word 'hold'"),
        ("eol=crlff", "unknown value eol=crlff (did you mean crlf?)"),
        ("cut=x", "cut needs a number, such as cut=3: not 'x'"),
        ("cut=", "not ''"),
        ("cut=-1", "not '-1'"),
        ("cut=٣", "not '٣'"),
        ("cut=9999999999", "not '9999999999'"),
        ("cut=1,cut=2", "'cut' is given twice"),
        ("cut=1,reset=2", "interrupted once: cut or reset"),
        ("interactions=", "numbers from 0, such as 0 or 0+2: not ''"),
        ("interactions=1-2", "not '1-2'"),
        ("seed=x", "seed needs a number"),
    ],
)
def test_a_bad_word_is_refused_with_the_known_ones(words: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(words)


def test_every_answer_is_varied_and_the_last_stream_interrupted() -> None:
    sent = apply((STREAM, STREAM, WHOLE), parse("eol=crlf,reset=1"))
    crlf = axes.apply(STREAM, Point((("eol", "crlf"),)))
    assert sent == (crlf, faults.apply(crlf, Fault(FaultKind.RESET, 11)), WHOLE)


def test_without_words_the_answers_are_the_same_objects() -> None:
    assert apply((STREAM, WHOLE), PLAIN)[0] is STREAM


def test_answers_are_chosen_in_the_order_that_is_given() -> None:
    assert apply((STREAM, WHOLE), parse("interactions=1+0+1")) == (WHOLE, STREAM, WHOLE)


def test_a_compressed_stream_is_interrupted_by_its_events() -> None:
    packed = gzip.compress(b"data: a\n\ndata: b\n\n")
    sent = apply(
        (answer(packed, "text/event-stream", ("content-encoding", "gzip")),), parse("cut=1")
    )
    assert sent[0].body == b"data: a\n\n"


@pytest.mark.parametrize(
    ("answers", "variation", "message"),
    [
        ((STREAM,), Variation(interactions=(1,)), "no interaction 1: there are 1, numbered from 0"),
        ((TEXT,), Variation(broken=Break(FaultKind.GARBLE, 0)), "no JSON to garble behind byte 0"),
        ((STREAM,), Variation(broken=Break(FaultKind.CUT, 3)), "cut=3 is behind the end: the"),
        ((STREAM,), Variation(broken=Break(FaultKind.GARBLE, 2)), "no JSON to garble behind byte"),
    ],
)
def test_what_a_cassette_does_not_have_is_refused(
    answers: tuple[Schedule, ...], variation: Variation, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        apply(answers, variation)


@pytest.mark.parametrize(
    ("words", "body", "ending"),
    [
        ("cut=0", b"", Ending.FINISH),
        ("cut=1", b'{"a"', Ending.FINISH),
        ("end=9", b'{"a"', Ending.TRUNCATE),
        ("reset=1", b'{"a"', Ending.RESET),
        ("stall=1", b'{"a"', Ending.STALL),
        ("garble=1", b'{"a" 1}', Ending.FINISH),
    ],
)
def test_an_answer_that_is_no_stream_breaks_in_its_middle(
    words: str, body: bytes, ending: Ending
) -> None:
    (sent,) = apply((WHOLE,), parse(words))
    assert (sent.body, sent.ending) == (body, ending)


@pytest.mark.parametrize(
    ("kind", "events", "expected"),
    [
        (FaultKind.CUT, 0, 0),
        (FaultKind.CUT, 9, 2),
        (FaultKind.GARBLE, 0, 0),
        # Its last event has no JSON.
        (FaultKind.GARBLE, 9, 1),
    ],
)
def test_an_interruption_behind_the_end_comes_before_the_last_event(
    kind: FaultKind, events: int, expected: int
) -> None:
    stream = answer(b'data: {"a":1}\n\ndata: {"b":1}\n\ndata: [DONE]\n\n')
    assert within(stream, Break(kind, events)) == Break(kind, expected)
    assert within(WHOLE, Break(kind, events)) == Break(kind, events)
