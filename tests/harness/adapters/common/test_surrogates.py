import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates

PIECES = st.lists(st.text(alphabet=st.sampled_from("a\ud83d\ude00é😀"), max_size=4))


@pytest.mark.parametrize(
    ("pieces", "joined"),
    [
        (["\ud83d", "\ude00"], ["", "😀", ""]),
        (["a\ud83d", "b"], ["a", "\ufffdb", ""]),
        (["\ude00"], ["\ufffd", ""]),
        (["\ud83d"], ["", "\ufffd"]),
        (["\ud83d", "\ud83d", "\ude00"], ["", "\ufffd", "😀", ""]),
        (["plain", ""], ["plain", "", ""]),
    ],
)
def test_surrogates(pieces, joined):
    joiner = SurrogateJoiner()
    assert [*map(joiner.feed, pieces), joiner.close()] == joined


@given(PIECES)
def test_pieces_join_to_the_whole_text(pieces):
    joiner = SurrogateJoiner()
    joined = "".join([*map(joiner.feed, pieces), joiner.close()])
    assert joined == fix_surrogates("".join(pieces))
    joined.encode()
