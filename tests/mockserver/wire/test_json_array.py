"""One array of elements, cut anywhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.wire.json_array import Elements, element_ends

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.lists(_VALUES, max_size=4), st.booleans(), st.data())
def test_the_elements_come_out_wherever_the_bytes_are_cut(
    values: list[object], pretty: bool, data: st.DataObject
) -> None:
    body = json.dumps(values, indent=2 if pretty else None, ensure_ascii=pretty).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    reader = Elements()
    found = [
        element
        for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)
        for element in reader.feed(body[start:end])
    ]
    assert [json.loads(e.data) for e in found] == values
    assert (reader.closed, reader.broken, bytes(reader.pending)) == (True, False, b"")
    for element in found:
        assert body[: element.end].rstrip().endswith(element.data.rstrip())


def test_an_element_is_there_when_its_last_byte_is() -> None:
    reader = Elements()
    assert reader.feed(b'[{\n "a": "}\\"]"\n') == []
    (element,) = reader.feed(b"}")
    assert (json.loads(element.data), element.end) == ({"a": '}"]'}, 17)
    assert not reader.closed
    assert reader.feed(b"\r\n,\r\n{") == []
    assert bytes(reader.pending) == b"{"


def test_what_follows_the_array_is_left_out() -> None:
    reader = Elements()
    assert [e.data for e in reader.feed(b"[1] [2]")] == [b"1"]
    assert reader.feed(b"[3]") == []


@pytest.mark.parametrize("body", [b"{}", b'"text"', b"[}", b"text"])
def test_what_is_no_array_is_broken(body: bytes) -> None:
    reader = Elements()
    assert reader.feed(body) == []
    assert reader.broken


def test_the_end_of_the_array_belongs_to_the_last_element() -> None:
    assert element_ends(b"[{},\r\n{}\n]\n") == [3, 11]
    assert element_ends(b"[{},\r\n{}\n") == [3, 8]
    assert element_ends(b"[{},\r\n{") == [3]
    assert element_ends(b"") == []
