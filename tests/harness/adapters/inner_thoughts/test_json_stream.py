from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.inner_thoughts.json_stream import Extracted, MemberExtractor, Remaining

KEY = "thinking"
#: Characters that JSON escapes, that look like JSON, or that UTF-16 writes as two.
TEXT = st.lists(
    st.sampled_from([*'"\\{}[]:,/ \n\t\r\x00\u2028é🎉a', KEY, "u0041", "null", "\ufeff"]),
    max_size=8,
).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.just(KEY), inner, max_size=3)
    ),
    max_leaves=8,
)
MEMBERS = st.dictionaries(TEXT | st.just(KEY), VALUES, max_size=5)
STYLES = st.sampled_from(
    [
        {"separators": (",", ":")},
        {"indent": 1},
        {"ensure_ascii": False},
        {"separators": (" , ", " : "), "ensure_ascii": False},
    ]
)


def read(pieces: list[str], keys: tuple[str, ...] = (KEY,)) -> tuple[str, dict[str, str]]:
    extractor = MemberExtractor(keys)
    rest, taken = "", dict[str, str]()
    for piece in pieces:
        for found in extractor.feed(piece):
            match found:
                case Remaining(text):
                    rest += text
                case Extracted(key, text):
                    taken[key] = taken.get(key, "") + text
    return rest, taken


def without(text: str, key: str) -> str:
    """The object in the way it was written, less one member; only for the plain style."""
    return json.dumps(
        {k: v for k, v in json.loads(text).items() if k != key}, separators=(",", ":")
    )


@given(members=MEMBERS, style=STYLES, data=st.data())
def test_any_object_split_anywhere(members: dict[str, Any], style: Any, data: Any) -> None:
    text = json.dumps(members, **style)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    rest, taken = read(pieces)

    assert json.loads(rest) == {k: v for k, v in members.items() if k != KEY}
    assert (rest, taken) == read([text]) == read(list(text))
    if KEY not in members:
        assert (rest, taken) == (text, {})
    elif isinstance(value := members[KEY], str):
        assert taken.get(KEY, "") == value
    elif value is None:
        assert taken == {}
    else:
        assert json.loads(taken[KEY]) == value


@given(members=MEMBERS)
def test_what_stays_is_byte_for_byte_what_was_written(members: dict[str, Any]) -> None:
    text = json.dumps(members, separators=(",", ":"))
    assert read([text])[0] == without(text, KEY)


@pytest.mark.parametrize(
    ("text", "rest", "taken"),
    [
        ('{"thinking":"t","q":1}', '{"q":1}', "t"),
        ('{"q":1,"thinking":"t"}', '{"q":1}', "t"),
        ('{"q":1,"thinking":"t","r":2}', '{"q":1,"r":2}', "t"),
        ('{ "thinking" : "t" , "q" : 1 }', '{  "q" : 1 }', "t"),
        ('{\n "q": 1,\n "thinking": "t"\n}', '{\n "q": 1\n}', "t"),
        ('{"thinking":"t"}', "{}", "t"),
        ('{"q":"thinking","r":{"thinking":"no"},"s":["thinking"]}', None, None),
        ('{"q":"\\"thinking\\":\\"x\\""}', None, None),
        (r'{"th\u0069nking":"t","q":1}', '{"q":1}', "t"),
        (r'{"thinking":" a\"\\\n\u00e9\ud83c\udf89\/"}', "{}", ' a"\\\né🎉/'),
        (r'{"thinking":"\ud83c"}', "{}", "\ufffd"),
        ('{"thinking":null,"q":1}', '{"q":1}', None),
        ('{"thinking":-1.50e3}', "{}", "-1.50e3"),
        ('{"thinking":{"a":[1,"}"]},"q":1}', '{"q":1}', '{"a":[1,"}"]}'),
        ('{"thinking":"a","thinking":"b","q":1}', '{"q":1}', "ab"),
        ('{"q":1,"thinking":"a","thinking":"b"}', '{"q":1}', "ab"),
        ('{"q":[1.50,true,null,{"b":-0.0}]}', None, None),
        (' {"q":1}\n', None, None),
        ("", None, None),
        ("null", None, None),
        ('["thinking"]', None, None),
        ('"thinking"', None, None),
        ('{,"q":1}', None, None),
        ('{"q" 1,"thinking":"t"}', None, None),
        ('{"q":}', None, None),
        ('{"q":1}{"thinking":"t"}', None, None),
        ('{"thinking":"a\\xb"}', "{}", "a\\xb"),
        ('{"thinking":"a\\u12x"}', "{}", "a\\u12x"),
        ('{"thinking":"a\nb"}', "{}", "a\nb"),
    ],
)
def test_single_objects(text: str, rest: str | None, taken: str | None) -> None:
    expected = (text if rest is None else rest, {} if taken is None else {KEY: taken})
    assert read([text]) == read(list(text)) == expected


@pytest.mark.parametrize(
    ("cut", "rest", "taken"),
    [
        ('{"thinking":"I was', "", "I was"),
        ('{"thinking":"I \\', "", "I "),
        ('{"thinking":"I \\u00', "", "I "),
        ('{"thinking":"I \\ud83c', "", "I "),
        ('{"thinking":"I","q":"a', '{"q":"a', "I"),
        ('{"q":1,"thin', '{"q":1', None),
        ('{"q":1, ', '{"q":1', None),
        ('{"q":tr', '{"q":tr', None),
    ],
)
def test_text_that_stops(cut: str, rest: str, taken: str | None) -> None:
    assert read([cut]) == (rest, {} if taken is None else {KEY: taken})


def test_neighbours_of_one_piece_are_joined_and_order_is_kept() -> None:
    extractor = MemberExtractor(["t", "m"])
    assert extractor.feed('{"q":1,"t":"a\\nb","m":"c","r":2}') == [
        Remaining('{"q":1'),
        Extracted("t", "a\nb"),
        Extracted("m", "c"),
        Remaining(',"r":2}'),
    ]
    assert extractor.any_extracted


def test_values_stream() -> None:
    extractor = MemberExtractor([KEY])
    assert extractor.feed('{"thinking":"a') == [Extracted(KEY, "a")]
    assert extractor.feed("b") == [Extracted(KEY, "b")]
    assert extractor.feed('","q":"c') == [Remaining('{"q":"c')]
    assert extractor.feed("d") == [Remaining("d")]
