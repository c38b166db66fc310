from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.wire.documents import NOT_JSON, documents, leaves

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(JSON, st.booleans(), st.sampled_from([None, 1]))
def test_strings_are_at_the_given_offsets(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(
        "utf-8", "surrogatepass"
    )
    (document,) = documents(body, "application/json")
    if document.data is NOT_JSON:
        return
    found = {
        path: json.loads(b'"' + body[start:stop] + b'"') for path, start, stop in document.strings()
    }
    assert found == {path: leaf for path, leaf in leaves(value) if isinstance(leaf, str)}


def test_events_are_documents() -> None:
    body = (
        b'\xef\xbb\xbfdata: {"a": "x"}\r\n\r\n: note\nevent: e\ndata: {"a":\ndata:"y"}\nid: 1\n\n'
    )
    body += b"data: [DONE]"
    found = documents(body, "text/event-stream")
    assert [d.event for d in found] == ["message", "e", "message"]
    assert [d.data for d in found[:2]] == [{"a": "x"}, {"a": "y"}]
    assert found[2].data is NOT_JSON
    assert list(found[2].strings()) == []
    places = [body[start:stop] for d in found for _, start, stop in d.strings()]
    assert places == [b"x", b"y"]


@pytest.mark.parametrize(
    ("body", "kind", "count"),
    [
        (b"", "application/json", 0),
        (b'{"a":1}\n\n{"a":2}\n{"a":3}', "application/x-ndjson", 3),
        (b'{"error":{}}', "text/event-stream", 1),
        (b": only a comment\n\n", "text/event-stream", 0),
    ],
)
def test_how_many_documents_a_body_has(body: bytes, kind: str, count: int) -> None:
    assert len(documents(body, kind)) == count
