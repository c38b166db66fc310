"""Frames are good again after what may not be stored was replaced in them."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Chunk, Interaction, Request, Response, Wire
from mockserver.library.similarity import Renaming
from mockserver.secrets.scrub import Edit, Scrubber, SplitSecretError, splice
from mockserver.secrets.sealing import UnsealableError, sealed
from mockserver.wire.eventstream import CONTENT_TYPE, Header, encode, frames

KEY = "sk-live-4f9a8b7c6d5e4f3a2b1c0d9e"


def frame(name: str, payload: object) -> bytes:
    headers = (Header(":event-type", name), Header(":message-type", "event"))
    return encode(headers, json.dumps(payload).encode())


def recorded(body: bytes, chunks: tuple[Chunk, ...] | None = None) -> Interaction:
    uri = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream"
    return Interaction(
        Request(method="POST", uri=uri, body=b"{}"),
        Response(
            status=200,
            reason="OK",
            headers=(("content-type", CONTENT_TYPE),),
            body=body,
            wire=Wire(chunks=chunks),
        ),
    )


def test_a_secret_in_a_payload_is_replaced_and_the_frame_sealed() -> None:
    before, behind = frame("a", {"text": "Hello"}), frame("c", {"text": "Bye"})
    body = before + frame("b", {"text": f"The key is {KEY}."}) + behind
    done = Scrubber([KEY]).interaction(recorded(body)).response
    assert KEY.encode() not in done.body
    assert done.wire.redacted == ("response.body",)
    first, middle, last = frames(done.body)
    assert [f.problem for f in (first, middle, last)] == [None] * 3
    assert json.loads(middle.payload) == {"text": "The key is key_REDACTED_1."}
    assert done.body.startswith(before)
    assert done.body.endswith(behind)


def test_opaque_data_is_replaced_unless_it_is_kept() -> None:
    thought = {"delta": {"reasoningContent": {"signature": "c2lnbmVk"}}}
    body = frame("contentBlockDelta", thought)
    done = Scrubber().interaction(recorded(body)).response
    (sent,) = frames(done.body)
    assert sent.problem is None
    assert b"signatureREDACTED001" in sent.payload
    assert Scrubber(keep_opaque=True).interaction(recorded(body)).response.body == body


def test_chunk_boundaries_move_with_the_frames() -> None:
    one, two = frame("a", {"text": KEY}), frame("b", {"other": "Hello"})
    chunks = (Chunk(1, 5), Chunk(2, len(one) - 5), Chunk(3, len(two)))
    done = Scrubber([KEY]).interaction(recorded(one + two, chunks)).response
    assert done.wire.chunks is not None
    ends = [0]
    for chunk in done.wire.chunks:
        ends.append(ends[-1] + chunk.length)
    assert ends[-1] == len(done.body)
    assert done.body[ends[-2] :] == two


def broken(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (encode((Header(":error-message", KEY),), b""), "in the headers of a frame"),
        (broken(frame("a", {"text": KEY})), "in a frame that is broken"),
        (frame("a", {}) + frame("a", {"text": KEY})[:-2], "behind the last complete frame"),
    ],
)
def test_a_secret_where_none_can_be_replaced_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(SplitSecretError) as refused:
        Scrubber([KEY]).interaction(recorded(body))
    assert why in str(refused.value)
    assert KEY not in str(refused.value)


def test_other_bodies_get_no_further_edits() -> None:
    edits = [Edit(1, 2, b"x")]
    assert sealed(b'{"a":1}', edits, CONTENT_TYPE) == edits
    assert sealed(b"data: a\n\n", edits, "text/event-stream") == edits
    assert sealed(frame("a", {}), [], CONTENT_TYPE) == []


def test_an_edit_over_two_frames_is_refused() -> None:
    body = frame("a", {}) * 2
    with pytest.raises(UnsealableError):
        sealed(body, [Edit(len(body) // 2 - 8, len(body) // 2 + 8, b"")], CONTENT_TYPE)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.data())
def test_frames_with_edited_payloads_are_good(payloads: list[bytes], data: st.DataObject) -> None:
    body = b"".join(encode((Header("n", str(i)),), p) for i, p in enumerate(payloads))
    edits: list[Edit] = []
    wanted = []
    for one, payload in zip(frames(body), payloads, strict=True):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(payload)), max_size=4, unique=True)))
        new, at = b"", 0
        for start, stop in list(pairwise(cuts))[::2]:
            text = data.draw(st.binary(max_size=50))
            edits.append(Edit(one.payload_start + start, one.payload_start + stop, text))
            new += payload[at:start] + text
            at = stop
        wanted.append(new + payload[at:])
    done, _ = splice(body, None, sealed(body, edits, CONTENT_TYPE))
    assert [(f.problem, f.payload) for f in frames(done)] == [(None, w) for w in wanted]


def test_old_ids_are_restored_in_frames() -> None:
    ids = Renaming()
    assert ids.allows("tooluse_old", "tooluse_renewed")
    new = recorded(frame("contentBlockStart", {"toolUseId": "tooluse_renewed"}))
    (restored,) = frames(ids.restore(new).response.body)
    assert restored.problem is None
    assert json.loads(restored.payload) == {"toolUseId": "tooluse_old"}
    bad = recorded(broken(new.response.body))
    assert ids.restore(bad).response.body == bad.response.body
