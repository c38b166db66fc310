from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mockserver.cassettes.cassette import Chunk, End, Interaction, Wire
from mockserver.library.similarity import Renaming, pairs, same
from tests.mockserver.rawhttp import interaction


def chat(
    *deltas: str, run: str = "1", asked: str = "hi", call: str = "", end: End = End.EOF
) -> Interaction:
    events = [
        {
            "id": f"chatcmpl-{run}",
            "created": hash(run) % 99,
            "system_fingerprint": run,
            "choices": [{"delta": {"content": d, "tool_call_id": call}}],
        }
        for d in deltas
    ]
    body = "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode()
    request = json.dumps({"messages": [{"content": asked, "tool_call_id": call}]}).encode()
    wire = Wire(chunks=(Chunk(float(hash(run) % 99), len(body)),), end=end)
    return interaction(body, body=request, content_type="text/event-stream", wire=wire)


def test_ids_times_and_chunks_may_differ() -> None:
    assert same(chat("a", "b", run="x"), chat("a", "b", run="y"), Renaming())


@pytest.mark.parametrize(
    "name",
    [
        "cached_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "completed_at",
        "created",
        "created_at",
        "eval_duration",
        "load_duration",
        "obfuscation",
        "prompt_eval_duration",
        "system_fingerprint",
        "timings",
        "total_duration",
        "id",
        "item_id",
        "request-id",
        "responseId",
    ],
)
def test_a_field_that_differs_in_every_answer_is_not_compared(name: str) -> None:
    one, other = (interaction(b'{"%s":"%s","x":1}' % (name.encode(), v)) for v in (b"a", b"b"))
    assert same(one, other, Renaming())
    assert not same(one, interaction(b'{"x":1}'), Renaming())


def test_a_field_is_volatile_by_its_whole_name() -> None:
    one, other = (interaction(b'{"created_by":"%s"}' % value) for value in (b"a", b"b"))
    assert not same(one, other, Renaming())


@pytest.mark.parametrize(
    "other",
    [
        chat("a", "c"),
        chat("ab"),
        chat("a", "b", asked="ho"),
        chat("a", "b", end=End.TRUNCATED),
        Interaction(
            chat().request, replace(chat("a", "b").response, headers=(("content-type", "x"),))
        ),
        Interaction(chat().request, replace(chat("a", "b").response, status=500)),
    ],
)
def test_texts_may_not_differ(other: Interaction) -> None:
    assert not same(chat("a", "b"), other, Renaming())


def test_an_id_replaces_one_other_everywhere() -> None:
    ids = Renaming()
    assert same(chat("a", call="call_1"), chat("a", call="call_x"), ids)
    assert same(chat("b", call="call_1"), chat("b", call="call_x"), ids)
    assert not same(chat("c", call="call_2"), chat("c", call="call_x"), ids.copy())
    assert not same(chat("c", call="call_1"), chat("c", call="call_y"), ids.copy())


def test_new_ids_that_replace_old_ones_are_restored() -> None:
    ids = Renaming()
    assert same(chat("a", run="old", call="call_1"), chat("a", run="new", call="call_longer"), ids)
    later = ids.restore(chat("new words", run="third", call="call_longer"))
    assert json.loads(later.request.body)["messages"][0]["tool_call_id"] == "call_1"
    assert b'"call_1"' in later.response.body
    assert b"new words" in later.response.body
    assert later.response.wire.chunks is not None
    assert later.response.wire.chunks[0].length == len(later.response.body)


def test_equal_requests_are_paired_first_and_the_rest_in_order() -> None:
    a, b, c = chat("1", asked="a"), chat("2", asked="b"), chat("3", asked="c")
    assert pairs([a, b, c], [c, a, b]) == [(2, 0), (0, 1), (1, 2)]
    assert pairs([a, a], [a, a]) == [(0, 0), (1, 1)]
    assert pairs([a, b], [b, chat("4", asked="new")]) == [(1, 0), (0, 1)]
    assert pairs([a, b], [b]) == [(1, 0), (0, None)]
    elsewhere = interaction(b"{}", path="/v1/models", method="GET")
    assert pairs([elsewhere], [a]) == [(None, 0), (0, None)]
