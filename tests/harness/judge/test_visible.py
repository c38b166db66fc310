from __future__ import annotations

import pytest

from harness.judge.visible import as_json, visible


@pytest.mark.parametrize(
    ("text", "shown"),
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
def test_nothing_of_a_text_is_hidden(text: str, shown: str) -> None:
    assert as_json(text) == shown


def test_values_are_one_line() -> None:
    assert as_json({"a ": [1, None, "x "], "b": True}) == (
        r'{"a\u0020": [1, null, "x\u0020"], "b": true}'
    )


def test_a_message_keeps_its_quotes() -> None:
    assert visible('"a" \u2028 expected') == r'"a" \u2028 expected'
