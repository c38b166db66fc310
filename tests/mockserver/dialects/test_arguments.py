from __future__ import annotations

import pytest

from mockserver.dialects.arguments import is_one_object, readings

OSLO = {"q": "Oslo"}
WHOLE = '{"q":"Oslo"}'


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([WHOLE], (OSLO,)),
        (['{"q":', '"Oslo"}'], (OSLO,)),
        (['{"q":"\ud83d', '\ude00"}'], ({"q": "\U0001f600"},)),
        ([], ({},)),
        ([" "], ({},)),
        (["null"], ({},)),
        # Sent twice, cumulatively, or with something behind: what a careful client may repair.
        ([WHOLE, WHOLE], (OSLO,)),
        (['{"q', '{"q":"Os', WHOLE], (OSLO,)),
        ([WHOLE + "</tool>"], (OSLO,)),
        (['{"a":1}{"a":2}'], ({"a": 1},)),
        (['{"a":1}', '{"a":2}'], ({"a": 1}, {"a": 2})),
        (['"{\\"q\\":\\"Oslo\\"}"'], (OSLO,)),
        # Cut short: nobody knows the rest.
        (['{"path":"a.t'], ()),
        (['{"a":1'], ()),
        (['{"a":tr'], ()),
        (['{"a":"\\u12'], ()),
        # In doubt.
        (["{'q': 'Oslo'}"], None),
        (["[1]"], None),
        (['"text"'], None),
        (['{"a":NaN}'], None),
        (["[" * 100_000], None),
    ],
)
def test_what_argument_text_may_mean(pieces: list[str], expected: object) -> None:
    assert readings(pieces) == expected


def test_without_the_end_no_text_may_be_a_cut_one() -> None:
    assert readings([""], complete=False) is None
    assert readings([WHOLE], complete=False) == (OSLO,)


def test_only_one_object_is_plain() -> None:
    assert is_one_object(WHOLE)
    assert not any(map(is_one_object, ("", "null", "[]", WHOLE * 2)))


def test_a_number_with_too_many_digits_is_not_read() -> None:
    assert readings(['{"a":' + "1" * 5000 + "}"]) is None
