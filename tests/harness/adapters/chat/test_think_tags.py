import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.chat.think_tags import ThinkTags


def split(*pieces: str) -> tuple[str, str]:
    tags = ThinkTags()
    split = [x for piece in pieces for x in tags.feed(piece)]
    split += tags.close()
    assert all(text for _, text in split)
    return (
        "".join(text for kind, text in split if kind == "reasoning"),
        "".join(text for kind, text in split if kind == "text"),
    )


CASES = {
    "<think>why</think>ok": ("why", "ok"),
    "\n <think>why</think>\n\nok": ("why", "\n\nok"),
    "ok <think>no</think>": ("", "ok <think>no</think>"),
    "<thin": ("", "<thin"),
    "<thing>": ("", "<thing>"),
    "<think>cut": ("cut", ""),
    "<think>a</thi b</think>c": ("a</thi b", "c"),
    "<think>a</thi": ("a</thi", ""),
    "<think></think>": ("", ""),
    "<think>a</think><think>b</think>": ("a", "<think>b</think>"),
    "  ": ("", "  "),
    "": ("", ""),
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_whole_and_by_character(text, expected):
    assert split(text) == expected
    assert split(*text) == expected


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "/", "think", ">", " ", "x"])))
def test_splits_do_not_matter(pieces):
    text = "".join(pieces)
    assert split(*pieces) == split(text) == split(*text)
