from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from mockserver.backend.seals import is_for, is_own, seal


@given(st.text(), st.text())
def test_a_proof_is_for_its_text(text: str, key: str) -> None:
    made = seal("EqQBCkYI", text, key)
    assert is_for(made, text)
    assert is_own(made)
    assert not is_for(made, text + "!")
    assert seal("EqQBCkYI", text, key) == made
    assert seal("EqQBCkYI", text, key + "1") != made


def test_a_proof_has_the_form_of_the_providers() -> None:
    made = seal("gAAAAABp", "", "k")
    assert made.startswith("gAAAAABp")
    assert made.isalnum()
    assert len(base64.b64decode(made)) > 150


@given(st.text())
def test_what_others_made_is_not_own(sent: str) -> None:
    assert not is_own(sent)
    assert not is_for(sent, "")


def test_a_changed_proof_is_not_own() -> None:
    made = seal("", "text", "k")
    assert not is_own(made[:-1])
    assert not is_own("A" + made[1:])
