"""Odd bodies with a secret somewhere: it is replaced or refused, and the chunks still add up."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import (
    Cassette,
    Chunk,
    Interaction,
    Origin,
    Request,
    Response,
    Wire,
)
from mockserver.secrets import shown
from mockserver.secrets.find import Known
from mockserver.secrets.scan import scan_cassette
from mockserver.secrets.scrub import Scrubber, SplitSecretError
from tests.fuzzing import fuzzed

SECRET = "zq8-Known/Secret+Value=77"
KINDS = [
    None,
    "application/json",
    "text/event-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "application/xml",
    "application/vnd.amazon.eventstream",
    "application/x-ndjson",
    "audio/wav",
]
FORMS = [
    SECRET,
    quote(SECRET, safe=""),
    json.dumps(SECRET).replace("/", "\\/"),
    base64.b64encode(f"key={SECRET}".encode()).decode(),
    SECRET.encode().hex(),
]
PIECES = [
    b"data: ",
    b"\n\n",
    b"\r\n",
    b": ",
    b"event: x\n",
    b'{"a":',
    b'{"refresh_token":"',
    b'{"choices":[{"index":0,"delta":{"content":"',
    b'"}}]}',
    b'"}',
    b'"',
    b"[",
    b"]",
    b"--b",
    b'content-disposition: form-data; name="api_key"\r\n\r\n',
    b"password=",
    b"&token=",
    b"<key>",
    b"</key>",
    b"key_REDACTED_1",
    b"\\u00e9\\",
    b"%4",
    b"&#x",
    b"\x00\x00\x00\x10",
    b"\xff\xfe",
    b"eyJhbGciOiJub25lIn0.e30.x",
    b"A" * 70,
]
BODIES = st.lists(
    st.sampled_from(PIECES) | st.sampled_from(FORMS).map(str.encode) | st.binary(max_size=6),
    max_size=14,
).map(b"".join)
KNOWN = [SECRET]


def exchange(
    asked: bytes, answered: bytes, kinds: tuple[str | None, str | None], cuts: list[int]
) -> Interaction:
    ends = sorted({0, len(answered), *(c % (len(answered) + 1) for c in cuts)})
    chunks = tuple(Chunk(1, b - a) for a, b in pairwise(ends))
    sent, got = (() if kind is None else (("content-type", kind),) for kind in kinds)
    return Interaction(
        Request(method="POST", uri="http://a/b", headers=sent, body=asked),
        Response(
            status=200,
            reason="OK",
            headers=got,
            body=answered,
            wire=Wire(chunks=chunks, origin=Origin.RECORDED, recorded={"at": "now"}),
        ),
    )


@fuzzed
@given(
    BODIES,
    BODIES,
    st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    st.lists(st.integers(0, 200), max_size=6),
)
def test_fuzzed_bodies_are_scrubbed_or_refused(
    asked: bytes, answered: bytes, kinds: tuple[str | None, str | None], cuts: list[int]
) -> None:
    refused: SplitSecretError | None = None
    try:
        safe = Scrubber(KNOWN).interaction(exchange(asked, answered, kinds, cuts))
    except SplitSecretError as exc:
        refused = exc
    if refused is not None:
        assert SECRET not in str(refused)
        return
    chunks = safe.response.wire.chunks
    assert chunks is not None
    assert sum(c.length for c in chunks) == len(safe.response.body)
    if scan_cassette(Cassette(Path("c.yaml"), (safe,)), KNOWN):
        # The last look refuses what scrubbing could not replace.
        return
    for body in (safe.request.body, safe.response.body):
        for form in FORMS:
            assert form.encode() not in body


@fuzzed
@given(BODIES, st.sampled_from(KINDS))
def test_fuzzed_bodies_are_shown_without_credentials(body: bytes, kind: str | None) -> None:
    assert SECRET.encode() not in shown.body(body, kind, Known.of(KNOWN))
