from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.cassettes.cassette import parse
from mockserver.cassettes.rechunk import rechunk
from mockserver.errors import CassetteError

PATH = Path("x.yaml")
ITEM = """\
- request: {{method: POST, uri: 'http://h/a'}}
  response:
    status: {{code: 200, message: OK}}
    body:
      string: "abc\u2028def"   # nine bytes
    wire:
      v: 1
{chunks}\
      # about the end
      end: [2, eof]  # last
"""
SOUND = "      chunks: [[1, 9]]\n"


def cassette_of(*chunks: str) -> bytes:
    items = "".join(ITEM.format(chunks=c) for c in chunks)
    return f"# by hand\nversion: 1\ninteractions:\n{items}".encode()


@pytest.mark.parametrize(
    "wrong",
    [
        "      chunks: [[1, 2], [2, 3]]\n",
        "      chunks: [[1, 2],\n        [2, 3]]  # two\n",
        "      chunks:\n      - [1, 2]\n      - [2, 3]\n",
        "      chunks:\n        - - 1\n          - 2\n",
        "      chunks:\n      - [1, 9]\n      - [2, 0]\n",
        "      chunks: many\n",
    ],
    ids=["flow", "two lines", "block", "nested block", "empty chunk", "not a list"],
)
def test_wrong_chunks_are_removed_and_the_rest_stays(wrong: str) -> None:
    fixed = rechunk(cassette_of(SOUND, wrong, SOUND, wrong), PATH)
    assert fixed == cassette_of(SOUND, "", SOUND, "")
    chunks = [i.response.wire.chunks for i in parse(fixed, PATH).interactions]
    assert [c is None for c in chunks] == [False, True, False, True]


def test_a_sound_cassette_is_unchanged() -> None:
    assert rechunk(cassette_of(SOUND, ""), PATH) == cassette_of(SOUND, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (cassette_of(SOUND).replace(b"v: 1", b"v: 2"), "wire.v must be 1"),
        (b"{", "not valid YAML"),
        (
            b"interactions:\n- request: {method: GET, uri: 'http://h'}\n  response:\n"
            b"    status: 200\n    wire: {v: 1, chunks: [[1, 2]]}\n",
            "chunks add up to 2 bytes, the body has 0",
        ),
    ],
    ids=["another fault", "no YAML", "within a line"],
)
def test_other_errors_are_raised_not_fixed(text: bytes, message: str) -> None:
    with pytest.raises(CassetteError, match=message):
        rechunk(text, PATH)
