from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.cassettes import cassette, long_lists, yaml_reader
from mockserver.cassettes.cassette import Cassette, Chunk, Interaction, Request, Response, Wire
from mockserver.cassettes.writer import dump
from mockserver.errors import CassetteError

PATH = Path("c.yaml")
NUMBER = 2000
CHUNKS = tuple(Chunk(n + (0.5 if n % 2 else 0), 1) for n in range(NUMBER))
TAPE = Cassette(
    PATH,
    (
        Interaction(
            Request(method="GET", uri="http://a/b", body=b""),
            Response(
                status=200, reason="OK", headers=(), body=b"x" * NUMBER, wire=Wire(chunks=CHUNKS)
            ),
        ),
    )
    * 2,
)


def slow(text: bytes, monkeypatch: pytest.MonkeyPatch) -> Cassette:
    with monkeypatch.context() as patch:
        patch.setattr(long_lists, "read", lambda *_: None)
        return cassette.parse(text, PATH)


def test_a_long_list_is_read_as_yaml_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = dump(TAPE)
    assert long_lists.read(text, yaml_reader.Loader) is not None
    assert cassette.parse(text, PATH) == slow(text, monkeypatch) == TAPE


def test_a_short_list_is_left_to_yaml() -> None:
    assert long_lists.read(b"a: 1\n      chunks: [[1, 2]]\n", yaml_reader.Loader) is None


@pytest.mark.parametrize("spelling", ["012", "1.", "1, 1], [2", "2, "])
def test_what_json_does_not_know_is_left_to_yaml(
    monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    text = dump(TAPE).replace(b"[[0, 1]", b"[[%b, 1]" % spelling.encode(), 1)
    results = []
    for read in (lambda: cassette.parse(text, PATH), lambda: slow(text, monkeypatch)):
        try:
            results.append(read())
        except CassetteError as exc:
            results.append(str(exc))
    assert results[0] == results[1]


def test_an_error_in_a_long_list_names_its_line() -> None:
    text = dump(TAPE).replace(b"[[0, 1]", b"[[0, 2]", 1)
    line = text[: text.index(b"chunks:")].count(b"\n") + 1
    with pytest.raises(CassetteError, match=f"c.yaml:{line}: chunks add up to 2001"):
        cassette.parse(text, PATH)


@pytest.mark.parametrize("place", ["in a text", "behind a tag of that name"])
def test_a_line_that_is_no_list_is_left_as_it_stands(place: str) -> None:
    line = "      chunks: [" + ", ".join(["[1, 2]"] * 1000) + "]"
    start = "text: |\n" if place == "in a text" else "a: !tapecheck/chunks 0\nb:\n"
    text = f"{start}{line}\n".encode()
    assert long_lists.read(text, yaml_reader.Loader) is None
