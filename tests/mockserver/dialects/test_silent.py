from __future__ import annotations

from typing import Any

import pytest

from mockserver.dialects.silent import Silent

VALUES = Silent({"a": (None, False), "b": ([], {}, ""), "m.*.x": (None,), "m.*.p.y": (True,)})


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"a": None}, {}),
        ({"a": False}, {}),
        ({"a": 0}, {"a": 0}),
        ({"a": True}, {"a": True}),
        ({"b": []}, {}),
        ({"b": {}}, {}),
        ({"b": [[]]}, {"b": [[]]}),
        ({"b": None}, {"b": None}),
        ({"m": [{"x": None}, {"x": 1}, 7, None]}, {"m": [{}, {"x": 1}, 7, None]}),
        ({"m": [{"p": {"y": True}}]}, {"m": [{"p": {}}]}),
        ({"m": {"x": None}}, {"m": {"x": None}}),
        ([{"a": None}], [{"a": None}]),
        ("a", "a"),
    ],
)
def test_only_silent_values_at_their_places_are_left_out(body: Any, left: Any) -> None:
    VALUES.leave_out(body)
    assert body == left
