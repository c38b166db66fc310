from __future__ import annotations

import base64
import itertools
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes import Origin
from mockserver.dialects.writing import (
    Pace,
    compact,
    deltas,
    made_id,
    made_seal,
    retry_after,
    sse_event,
    streamed,
    text_of,
    whole,
)
from mockserver.wire import from_response, sse


@given(st.text(), st.integers(0, 9))
def test_deltas_join_to_the_text_and_none_is_empty(text: str, size: int) -> None:
    pieces = deltas(text, Pace(size=size))
    assert "".join(pieces) == text
    assert "" not in pieces
    assert all(len(piece) <= size for piece in pieces) or size == 0


@given(st.text())
def test_words_join_to_the_text_and_keep_the_space_before_them(text: str) -> None:
    pieces = deltas(text, Pace(words=True))
    assert "".join(pieces) == text
    assert all(len(piece.strip()) <= 8 for piece in pieces)
    assert deltas("one two  threeandfour", Pace(words=True)) == [
        "one",
        " two",
        "  threeand",
        "four",
    ]


def test_a_size_of_nothing_does_not_cut() -> None:
    assert deltas("abc", Pace(size=0)) == ["abc"]


def test_json_text_has_no_spaces_and_escapes_lone_surrogates() -> None:
    text = compact({"a": ["é", 1], "b": "x\ud83dy🎉"})
    assert text == '{"a":["é",1],"b":"x\\ud83dy🎉"}'
    assert json.loads(text.encode()) == {"a": ["é", 1], "b": "x\ud83dy🎉"}


def test_an_id_has_its_form_and_depends_on_what_it_is_for() -> None:
    form = "id_**##-4"
    assert re.fullmatch(r"id_[a-zA-Z0-9]{2}[0-9a-f]{2}-4", made_id(form, "a"))
    assert made_id(form, "a") == made_id(form, "a")
    assert len({made_id(form, number) for number in range(50)}) > 40


def test_a_proof_is_base64_that_both_alphabets_have() -> None:
    made = made_seal("gAAAAABp", "text", "key")
    assert made.startswith("gAAAAABp")
    assert made.isalnum()
    assert len(base64.b64decode(made, validate=True)) > 100
    assert made == made_seal("gAAAAABp", "text", "key") != made_seal("gAAAAABp", "other", "key")


def test_an_event() -> None:
    assert sse_event({"a": 1}, "e") == b'event: e\ndata: {"a":1}\n\n'
    assert sse_event("[DONE]") == b"data: [DONE]\n\n"


def test_a_streamed_answer_has_a_chunk_for_each_piece_in_its_time() -> None:
    pieces = [sse_event({"n": n}) for n in range(3)]
    response = streamed([*pieces, b""], Pace(first_ms=5, each_ms=2), headers=(("x", "y"),))
    schedule = from_response(response)
    assert [send.data for send in schedule.sends] == pieces
    assert [send.at_ms for send in schedule.sends] == [5, 7, 9]
    assert response.wire.origin is Origin.AUTHORED
    assert response.wire.end_ms == 9
    assert response.header("x") == "y"
    assert [block.data for block in sse.decode(response.body)] == ['{"n":0}', '{"n":1}', '{"n":2}']


def test_a_stream_without_pieces_ends_when_it_begins() -> None:
    assert streamed([], Pace(first_ms=4)).wire.end_ms == 4


@pytest.mark.parametrize(("status", "reason"), [(200, "OK"), (429, "Too Many Requests"), (529, "")])
def test_a_whole_answer(status: int, reason: str) -> None:
    response = whole({"a": "é"}, status=status, headers=retry_after(1.5), pace=Pace(first_ms=3))
    assert (response.status, response.reason) == (status, reason)
    assert response.body == '{"a":"é"}'.encode()
    assert response.header("retry-after") == "1.5"
    assert response.wire.headers_ms == 3


def test_without_a_wait_there_is_no_header() -> None:
    assert retry_after(None) == ()


def test_the_text_of_a_message() -> None:
    assert text_of("a") == "a"
    assert text_of([{"type": "text", "text": "a"}, {"type": "image_url"}, 3, {"text": "b"}]) == "ab"
    assert text_of(None) == ""


def test_jitter_moves_each_piece_by_a_share_of_its_wait() -> None:
    pace = Pace(first_ms=100, each_ms=10, jitter=0.5, seed=3)
    times = pace.times(50)
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert 50 <= times[0] <= 150
    assert all(5 <= gap <= 15 for gap in gaps)
    assert len({round(gap, 6) for gap in gaps}) > 40
    assert times == pace.times(50)
    assert times != replace(pace, seed=4).times(50)
    assert Pace(first_ms=100, each_ms=10).times(3) == [100, 110, 120]
