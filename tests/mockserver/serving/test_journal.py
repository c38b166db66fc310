from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc

from mockserver.library.outcome import Outcome
from mockserver.serving.journal import MOST_SHOWN, Journal, Record, Room


def record(number: int = 0, body: bytes = b"{}") -> Record:
    return Record(
        number=number,
        session="s",
        method="POST",
        path="/x",
        query="key=sk-1&n=1",
        headers={"Authorization": "Bearer sk-2", "Content-Type": "application/json"},
        body=body,
        clock=itertools.count(1.0).__next__,
    )


def test_json_shows_no_credentials() -> None:
    data = record().entry.to_json()
    assert "sk-" not in json.dumps(data)
    assert data["headers"] == [
        ["Authorization", "REDACTED"],
        ["Content-Type", "application/json"],
    ]
    assert data["query"] == "key=REDACTED&n=1"
    assert (data["body"], data["outcome"]) == ("{}", "answering")


def test_the_times_of_an_answer_are_kept() -> None:
    answered = record()
    answered.begin()
    answered.end(Outcome.FINISHED)
    assert (answered.entry.arrived, answered.entry.began, answered.entry.ended) == (1.0, 2.0, 3.0)


def test_a_binary_body_is_shown_as_base64() -> None:
    data = record(body=b"\xff\x00").entry.to_json()
    assert data["body_base64"] == "/wA="
    assert "body" not in data


def test_only_the_first_end_counts() -> None:
    ended = []
    asked = record()
    asked.on_end = ended.append
    assert asked.entry.outcome is Outcome.ANSWERING
    asked.end(Outcome.SERVER_CLOSED, sent=3)
    asked.end(Outcome.CLIENT_CLOSED, sent=9)
    assert (asked.entry.outcome, asked.entry.sent) == (Outcome.SERVER_CLOSED, 3)
    assert ended == [asked]


def test_a_full_journal_forgets_the_oldest() -> None:
    journal = Journal(2, Room(1_000_000))
    for number in range(3):
        journal.add(record(number))
    assert [e.number for e in journal.entries] == [1, 2]
    assert [place for place, _ in journal.numbered] == [1, 2]
    assert journal.dropped == 1
    journal.clear()
    assert journal.entries == ()
    assert journal.dropped == 0


def test_json_shows_no_credentials_of_bodies_paths_and_notes() -> None:
    key = "sk-" + "proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"
    body = b'{"user": "alice", "api_key": "plainvalue", "messages": [{"content": "%s"}]}'
    made = Record(
        0,
        None,
        "POST",
        f"/keys/{key}",
        "",
        {"content-type": "application/json"},
        body % key.encode(),
    )
    made.refuse(Outcome.MISSED, status=404, note=f"nothing recorded for /keys/{key}")
    shown = made.entry.to_json()
    assert shown["path"] == "/keys/REDACTED"
    assert shown["note"] == "nothing recorded for /keys/REDACTED"
    assert shown["body"] == (
        '{"user": "alice", "api_key": "REDACTED", "messages": [{"content": "REDACTED"}]}'
    )


def test_a_compressed_body_is_shown_decoded_and_without_its_credential() -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    for text, seen in {
        b'{"api_key": "plainvalue"}': '{"api_key": "REDACTED"}',
        b'{"a": 1}': '{"a": 1}',
    }.items():
        packed = gzip.compress(text)
        made = Record(0, None, "POST", "/", "", headers, packed)
        assert made.entry.to_json()["body"] == made.to_json()["body"] == seen


def test_a_body_that_is_too_long_to_be_shown_is_not_decoded() -> None:
    packed = gzip.compress(b" " * 50_000_000)
    made = Record(0, None, "POST", "/", "", {"content-encoding": "gzip"}, packed)
    tracemalloc.start()
    shown = made.to_json()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (shown["body"], shown["body_bytes"]) == (None, len(packed))
    assert peak < 8 * MOST_SHOWN


def test_a_damaged_body_is_shown_as_it_was_sent() -> None:
    made = Record(0, None, "POST", "/", "", {"content-encoding": "gzip"}, b"{}")
    assert made.to_json() == made.entry.to_json()
    assert made.to_json()["body"] == "{}"
