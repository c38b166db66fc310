from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import (
    Cassette,
    Chunk,
    End,
    Interaction,
    Origin,
    Request,
    Response,
    Wire,
    load,
    parse,
)
from mockserver.cassettes.writer import dump
from mockserver.errors import CassetteError

HERE = Path("some/where.yaml")

PLAIN = """\
version: 1
interactions:
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers: {content-type: [application/json]}
    body: '{"model":"gpt-x"}'
  response:
    status: {code: 200, message: OK}
    headers: {content-type: [text/event-stream]}
    body:
      string: |+
        data: {"a":"Hi 🎉"}

        data: [DONE]

    wire:
      v: 1
      headers_ms: 181
      chunks: [[182, 13], [353, 10], [690.5, 14]]
      end: [702, eof]
      origin: recorded
"""


def test_a_cassette_with_wire_data() -> None:
    (interaction,) = parse(PLAIN.encode(), HERE).interactions
    response = interaction.response
    assert response.body == 'data: {"a":"Hi 🎉"}\n\ndata: [DONE]\n\n'.encode()
    assert response.wire.chunks == (Chunk(182, 13), Chunk(353, 10), Chunk(690.5, 14))
    assert (response.wire.end, response.wire.end_ms) == (End.EOF, 702)
    assert response.wire.origin is Origin.RECORDED
    assert response.header("Content-Type") == "text/event-stream"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("[353, 10]", "[353, 9]", 20, "chunks add up to 36 bytes, the body has 37"),
        ("[353, 10]", "[100, 10]", 20, "chunk 1 is earlier than chunk 0"),
        ("[353, 10]", "[353, 0]", 20, "chunk 1 is not [ms, bytes]"),
        ("v: 1\n      h", "v: 2\n      h", 18, "wire.v must be 1"),
        ("origin: recorded", "origin: dreamt", 22, "unknown origin 'dreamt'"),
        ("origin: recorded", "origin: [a]", 22, "unknown origin ['a']"),
        ("headers_ms: 181", "headers_ms: .inf", 19, "headers_ms must be a number"),
        ("headers_ms: 181", "headers_ms: 1" + "0" * 400, 19, "headers_ms must be a number"),
        ("headers_ms: 181", "headers_ms: true", 19, "headers_ms must be a number"),
        ("headers_ms: 181", "redacted: 5", 19, "redacted must list texts"),
        ("headers_ms: 181", "http: [a]", 19, "http must be text"),
        ("[353, 10]", "[.nan, 10]", 20, "chunk 1 is not [ms, bytes]"),
        ("end: [702, eof]", "end: [-5, eof]", 21, "wire.end must be [milliseconds, how]"),
        ("code: 200", "code: true", 8, "a response needs 'status.code'"),
        ("code: 200", "code: 99999", 8, "a response needs 'status.code'"),
        ("method: POST", "method: PO ST", 4, "not an HTTP method"),
        ("end: [702, eof]", "end: eof", 21, "wire.end must be [milliseconds, how]"),
        ("headers_ms", "header_ms", 19, "unknown key 'header_ms'"),
        ("    method: POST\n", "", 3, "a request needs 'method'"),
        ("status: {code: 200, message: OK}", "status: {}", 8, "a response needs 'status.code'"),
        ("method: POST", "method: [POST", 4, "not valid YAML"),
        ("interactions:", "actions:", 1, "no list under 'interactions'"),
    ],
)
def test_errors_name_the_line(old: str, new: str, line: int, says: str) -> None:
    assert old in PLAIN
    with pytest.raises(CassetteError) as caught:
        parse(PLAIN.replace(old, new).encode(), HERE)
    assert says in str(caught.value)
    # YAML's own errors may point at the line where the mistake is noticed.
    assert caught.value.line in {line, line + 1}
    assert str(caught.value).startswith(f"{HERE}:")


def test_a_missing_file_and_one_that_is_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="no such cassette"):
        load(tmp_path / "none.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"version: 1\n\xff")
    with pytest.raises(CassetteError, match=r"bad\.yaml:2: not UTF-8"):
        load(bad)


@pytest.mark.parametrize(
    ("response", "body"),
    [
        ("body: {string: abc}", b"abc"),
        ("body: {string: !!binary /w==}", b"\xff"),
        ("body: {base64_string: /w==}", b"\xff"),
        ("body: {}", b""),
        ("body: null", b""),
        ("parsed_body: {a: [1, é]}", '{"a": [1, "é"]}'.encode()),
    ],
)
def test_bodies_of_other_tools(response: str, body: bytes) -> None:
    text = (
        "interactions: [{request: {method: GET, uri: 'http://x/'}, "
        f"response: {{status: {{code: 200}}, {response}}}}}]"
    )
    assert parse(text.encode(), HERE).interactions[0].response.body == body


headers = st.lists(
    st.tuples(
        st.sampled_from(["x-a", "x-b", "set-cookie"]),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")),
    ),
    max_size=3,
).map(lambda pairs: tuple(sorted(pairs, key=lambda p: p[0])))


@st.composite
def cassettes(draw: st.DrawFn) -> Cassette:
    text = st.text(st.characters(exclude_categories=["Cs"]))
    lines = st.lists(text, min_size=1).map(lambda parts: "\n\n".join(parts).encode())
    body = draw(st.one_of(lines, st.binary()))
    chunks = None
    if body and draw(st.booleans()):
        cuts = sorted({*draw(st.lists(st.integers(1, len(body)))), len(body)})
        chunks = tuple(
            Chunk(float(i), end - begin)
            for i, (begin, end) in enumerate(zip([0, *cuts[:-1]], cuts, strict=True))
        )
    wire = Wire(
        chunks=chunks,
        headers_ms=draw(st.integers(0, 5000)),
        end_ms=9000.5,
        end=draw(st.sampled_from(End)),
        origin=draw(st.sampled_from(Origin)),
    )
    return Cassette(
        HERE,
        (
            Interaction(
                Request(method="POST", uri="http://x/v1", headers=draw(headers), body=draw(lines)),
                Response(status=200, reason="OK", headers=draw(headers), body=body, wire=wire),
            ),
        ),
    )


@given(cassettes())
def test_what_is_dumped_comes_back(cassette: Cassette) -> None:
    assert parse(dump(cassette), HERE) == cassette


@pytest.mark.parametrize("text", ["\x85", "a\u2028b", "\u2029 ", "- x", "'", '"', "#", "é: {"])
def test_odd_header_values_come_back(text: str) -> None:
    plain = parse(PLAIN.encode(), HERE)
    response = replace(plain.interactions[0].response, headers=(("x-odd", text),))
    odd = replace(plain, interactions=(replace(plain.interactions[0], response=response),))
    assert parse(dump(odd), HERE) == odd


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\ufeff", "\x00", "\r"])
def test_chunks_fit_a_body_with_characters_that_yaml_takes_for_line_ends(odd: str) -> None:
    body = f"data: x{odd}x\n\n".encode()
    whole = parse(PLAIN.encode(), HERE).interactions[0]
    wire = Wire(chunks=(Chunk(1.0, 6), Chunk(2.0, len(body) - 6)))
    response = replace(whole.response, body=body, wire=wire)
    cassette = Cassette(HERE, (replace(whole, response=response),))
    assert parse(dump(cassette), HERE) == cassette


def test_a_dump_has_one_event_per_line() -> None:
    text = dump(parse(PLAIN.encode(), HERE)).decode()
    assert '        data: {"a":"Hi 🎉"}\n\n        data: [DONE]\n' in text
    assert "chunks: [[182, 13], [353, 10], [690.5, 14]]\n" in text


def test_real_files_of_other_projects_load_and_come_back(recordings: Path) -> None:
    files = sorted(recordings.rglob("*.yaml"))
    assert files
    for path in files:
        cassette = load(path)
        assert cassette.interactions
        assert parse(dump(cassette), path) == cassette
