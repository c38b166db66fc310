from __future__ import annotations

import json

from mockserver.journal import Journal, JournalEntry, Outcome, Record


def entry(number: int = 0, body: bytes = b"{}") -> JournalEntry:
    return JournalEntry(
        number=number,
        session="s",
        method="POST",
        path="/x",
        query="key=sk-1&n=1",
        headers=(("Authorization", "Bearer sk-2"), ("Content-Type", "application/json")),
        body=body,
    )


def test_json_shows_no_credentials() -> None:
    data = entry().to_json()
    assert "sk-" not in json.dumps(data)
    assert data["headers"] == [
        ["Authorization", "REDACTED"],
        ["Content-Type", "application/json"],
    ]
    assert data["query"] == "key=REDACTED&n=1"
    assert (data["body"], data["outcome"]) == ("{}", "answering")


def test_a_binary_body_is_shown_as_base64() -> None:
    data = entry(body=b"\xff\x00").to_json()
    assert data["body_base64"] == "/wA="
    assert "body" not in data


def test_only_the_first_end_counts() -> None:
    ended = []
    record = Record(entry())
    record.on_end = ended.append
    record.end(Outcome.SERVER_CLOSED, sent=3)
    record.end(Outcome.CLIENT_CLOSED, sent=9)
    assert (record.entry.outcome, record.entry.sent) == (Outcome.SERVER_CLOSED, 3)
    assert ended == [record]


def test_a_full_journal_forgets_the_oldest() -> None:
    journal = Journal(2)
    for number in range(3):
        journal.add(Record(entry(number)))
    assert [e.number for e in journal.entries] == [1, 2]
    journal.clear()
    assert journal.entries == ()
