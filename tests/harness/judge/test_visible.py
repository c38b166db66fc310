from __future__ import annotations

import pytest

from harness.judge.visible import as_json, both, shown, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Grüße 🎉", '"Grüße 🎉"'),
        ("a\u2028b\ufeffc\u00a0d\u200be", r'"a\u2028b\ufeffc\u00a0d\u200be"'),
        ("a\tb\x00c\x1bd", r'"a\tb\u0000c\u001bd"'),
        ("a  ", r'"a\u0020\u0020"'),
        ("a \n b \r\n", r'"a\u0020\n b\u0020\r\n"'),
        ('say "a b" ', r'"say \"a b\"\u0020"'),
        ("\U000e0001", r'"\U000e0001"'),
    ],
)
def test_nothing_of_a_text_is_hidden(text: str, seen: str) -> None:
    assert as_json(text) == seen


def test_values_are_one_line() -> None:
    assert as_json({"a ": [1, None, "x "], "b": True}) == (
        r'{"a\u0020": [1, null, "x\u0020"], "b": true}'
    )


def test_a_message_keeps_its_quotes() -> None:
    assert visible('"a" \u2028 expected') == r'"a" \u2028 expected'


def test_a_long_value_is_cut() -> None:
    assert shown("a\u2028b\ufeff\t ") == '"a\\u2028b\\ufeff\\t\\u0020"'
    assert shown("x" * 99) == f'"{"x" * 58}…'


def test_both_sides_of_long_values_are_shown_where_they_differ() -> None:
    long = {"text": "x" * 100}
    assert (
        both(long, {"text": "x" * 100 + "y"}) == '…xxxxxxxxxxxx"} expected, …xxxxxxxxxxxxy"} given'
    )
    assert both("a", None) == '"a" expected, none given'
