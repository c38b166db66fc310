"""A file that holds no HTTP is named with what it seems to be and with what helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.cassettes import foreign, loading
from mockserver.errors import CassetteError


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        ({"fixtures": [{"match": {}, "response": {}}]}, "fixtures of aimock", "record from it"),
        ([{"match": {}, "response": {}}], "fixtures of aimock", "record from it"),
        ({"imposters": [{"port": 1}]}, "imposters of mountebank", "record from it"),
        (
            {"data": {"pairs": []}, "meta": {"schemaVersion": "v5"}},
            "simulation of Hoverfly",
            "record from it",
        ),
        ({"openapi": "3.1.0"}, "an OpenAPI description", "tapecheck record"),
        ({"info": {"schema": "https://schema.getpostman.com/x"}}, "Postman", "as HAR"),
        ({"scenario": "a/b"}, "a scenario", "tapecheck run"),
        ({"interactions": {"1be2": [{"text": "x"}]}}, "but not of HTTP", "tapecheck record"),
        ({"recordings": [{"prompt": "x"}]}, "but not of HTTP", "tapecheck record"),
    ],
)
def test_what_a_file_seems_to_be(data: Any, message: str, hint: str) -> None:
    text = json.dumps(data).encode()
    for read in (foreign.read, loading.parse):
        with pytest.raises(CassetteError) as raised:
            read(text, Path("x.json"))
        assert message in raised.value.message
        assert hint in (raised.value.hint or "")


@pytest.mark.parametrize("data", [{}, [], 1, {"a": 1}, {"interactions": []}, {"info": {}}])
def test_other_files_are_not_guessed(data: Any) -> None:
    try:
        found = foreign.read(json.dumps(data).encode(), Path("x.json"))
    except CassetteError:
        pytest.fail("a guess")
    assert found is None or found.items == ()
