from collections.abc import Mapping

import pytest

from harness.adapters.responses.texts import Channel, Text, renumber_all, renumber_one
from mockserver.vocabulary import ContentDelta
from tests.harness.adapters.responses_events import (
    added,
    completed,
    event,
    finished,
    message,
    read,
)

CHANNEL = Channel.TEXT


def streamed(sent: Mapping[int, str]) -> dict[tuple[Channel, int], Text]:
    return {(CHANNEL, n): Text(at, sent=text) for at, (n, text) in enumerate(sent.items())}


@pytest.mark.parametrize(
    ("sent", "wholes", "expected"),
    [
        ({0: "a", 1: "b"}, {0: "ab", 1: "bc"}, {0: "a", 1: "b"}),
        ({1: "b"}, {0: "a", 1: "b"}, {1: "b"}),
        ({1: "a"}, {0: "ab"}, {0: "a"}),
        ({1: "a", 2: "b"}, {0: "a", 1: "bc", 2: "d"}, {0: "a", 1: "b"}),
        ({1: "a"}, {0: "a", 1: "x"}, {0: "a"}),
        ({0: "a", 1: "b"}, {0: "abc"}, {0: "ab"}),
        ({1: "a"}, {0: "x"}, {0: "a"}),
        ({0: "a"}, {0: "x"}, {0: "a"}),
    ],
    ids=["same", "first-unseen", "shifted", "two", "other-text", "each", "contradicts", "kept"],
)
def test_streamed_texts_get_the_numbers_of_the_complete_ones(
    sent: dict[int, str], wholes: dict[int, str], expected: dict[int, str]
) -> None:
    texts = streamed(sent)
    renumber_all(texts, CHANNEL, wholes)
    assert {n: text.sent for (_, n), text in texts.items()} == expected


def test_a_renumbered_text_keeps_its_place_and_phase() -> None:
    texts = {
        (CHANNEL, 1): Text(4, "commentary", "a"),
        (CHANNEL, 2): Text(5, "final", "b"),
        (Channel.REFUSAL, 1): Text(0, sent="no"),
    }
    renumber_all(texts, CHANNEL, {0: "a", 1: "b"})
    assert [(*key, text.number, text.phase) for key, text in sorted(texts.items())] == [
        (CHANNEL, 0, 4, "commentary"),
        (CHANNEL, 1, 5, "final"),
        (Channel.REFUSAL, 1, 0, None),
    ]


def test_a_complete_text_under_a_new_number_is_the_open_one_that_it_begins_with() -> None:
    texts = streamed({1: "a", 2: "b"})
    texts[CHANNEL, 1].whole = True
    renumber_one(texts, CHANNEL, 0, "ab")
    renumber_one(texts, CHANNEL, 2, "x")
    assert {n for _, n in texts} == {1, 2}
    renumber_one(texts, CHANNEL, 5, "bc")
    assert {n: text.sent for (_, n), text in texts.items()} == {1: "a", 5: "b"}


def test_a_complete_text_is_not_begun_again_by_a_longer_one() -> None:
    events = read(
        added(0, type="message", id="m", content=[]),
        event("output_text.done", output_index=0, content_index=0, text="a"),
        event("output_text.done", output_index=0, content_index=1, text="ab"),
        completed(),
    )
    assert [e.delta for e in events if isinstance(e, ContentDelta)] == ["a", "ab"]


def test_a_part_that_ends_under_another_number_is_emitted_once() -> None:
    delta = event("output_text.delta", output_index=0, content_index=1, delta="Hello")
    end = {"type": "output_text", "text": "Hello!"}
    events = read(
        delta,
        event("content_part.done", output_index=0, content_index=0, part=end),
        finished(0, **message("Hello!")),
        completed([message("Hello!")]),
    )
    assert [e.delta for e in events if isinstance(e, ContentDelta)] == ["Hello", "!"]
