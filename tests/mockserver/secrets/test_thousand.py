"""What the rules find and what they leave alone, without recording anything."""

from __future__ import annotations

import json
import random

import pytest

from mockserver.secrets.find import find
from mockserver.secrets.scrub import Scrubber
from tests.mockserver.rawhttp import interaction
from tests.mockserver.secrets.thousand import ENCODINGS, drawn, rows

SHAPES = [tuple(row.split("\t")) for row in rows("vendor_shapes.tsv")]
INNOCENTS = rows("innocents.txt")
#: Shown by nothing that these texts have: a key that its issuer has masked is replaced on purpose.
TOUCHED = 1


@pytest.mark.parametrize(("what", "form"), SHAPES, ids=[what for what, _ in SHAPES])
def test_every_shape_is_found_in_every_encoding(what: str, form: str) -> None:
    chance = random.Random(what)
    for how, encode in ENCODINGS.items():
        secret, _ = drawn(form, chance)
        coded = encode(secret)
        for text in (f"it is {coded} ok", f'"{coded}"', json.dumps({"a": f"Use {coded}."})):
            assert any(True for _ in find(text)), f"{how}: {text}"


def test_innocent_texts_are_left_alone() -> None:
    assert len(INNOCENTS) >= 130
    touched = []
    for text in INNOCENTS:
        body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
        safe = Scrubber().interaction(interaction(body, body=body))
        if body not in (safe.request.body, safe.response.body):
            touched.append(text)
    assert len(touched) <= TOUCHED, touched
