from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.library.bodies import ABSENT, BOUNDARY, value_of, with_fixed_boundary
from mockserver.library.matcher import accepts, differences
from mockserver.library.rule import Rule
from tests.mockserver.rawhttp import request


def multipart(boundary: str, *parts: tuple[str, bytes]) -> bytes:
    """Return a body; each part is its headers and its content."""
    joined = b"".join(
        b"--" + boundary.encode() + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return joined + b"--" + boundary.encode() + b"--\r\n"


PURPOSE = 'Content-Disposition: form-data; name="purpose"'
FILE = 'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav'


def test_a_multipart_body_has_a_value_by_name() -> None:
    body = multipart("x1", (PURPOSE, b"batch"), (FILE, b"RIFF\xff"), (PURPOSE, b"other"))
    found = value_of(body)
    assert found["purpose"] == ["batch", "other"]
    assert found["file"]["filename"] == "a.wav"
    assert found["file"]["type"] == "audio/wav"
    assert found["file"]["content"].startswith("5 bytes with the digest ")


@pytest.mark.parametrize(
    ("parts", "at"),
    [
        (((PURPOSE, b"batch"), (FILE, b"RIFF\xff")), []),
        (((FILE, b"RIFF\xff"), (PURPOSE, b"batch")), []),
        (((PURPOSE, b"other"), (FILE, b"RIFF\xff")), ["body/purpose"]),
        (((PURPOSE, b"batch"), (FILE, b"RIFF\xfe")), ["body/file/content"]),
        (((PURPOSE, b"batch"), (FILE.replace("a.wav", "b"), b"RIFF\xff")), ["body/file/filename"]),
        (((PURPOSE, b"batch"),), ["body/file"]),
    ],
)
def test_multipart_bodies_are_compared_by_part(
    parts: tuple[tuple[str, bytes], ...], at: list[str]
) -> None:
    recorded = request(body=multipart("x1", (PURPOSE, b"batch"), (FILE, b"RIFF\xff")))
    got = request(body=multipart("another-boundary", *parts))
    assert [d.at for d in differences(recorded, got)] == at
    assert accepts(recorded, got, Rule.of([], ["body.purpose", "body.file"]))


def test_a_form_is_compared_by_name() -> None:
    recorded = request(body=b"a=1&b=x%20y&b=z")
    assert accepts(recorded, request(body=b"b=x+y&a=1&b=z"))
    assert [d.at for d in differences(recorded, request(body=b"a=1&b=z&b=x+y"))] == [
        "body/b/0",
        "body/b/1",
    ]
    assert accepts(recorded, request(body=b"a=2&b=x+y&b=z"), Rule.of([], ["body.a"]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain words = no form",
        b"--x\r\nno end",
        b"--\r\n----",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_other_bodies_have_no_value(body: bytes) -> None:
    assert value_of(body) is ABSENT


@given(st.binary(max_size=200), st.sampled_from([b"--x\r\n", b"a=", b"{", b"--x--\r\n"]))
def test_no_body_breaks_it(noise: bytes, start: bytes) -> None:
    value_of(start + noise)
    value_of(start + noise + b"\r\n--x--\r\n")


def test_a_stored_boundary_is_always_the_same() -> None:
    kind = (("content-type", 'multipart/form-data; boundary="x1"'),)
    content = b"--x1 within"
    asked = replace(request(body=multipart("x1y", (FILE, b"--x1y"))), headers=kind)
    assert with_fixed_boundary(asked) == asked
    one = replace(request(body=multipart("x1", (FILE, content))), headers=kind)
    stored = with_fixed_boundary(one)
    assert stored.headers == (("content-type", f'multipart/form-data; boundary="{BOUNDARY}"'),)
    assert stored.body.startswith(f"--{BOUNDARY}\r\n".encode())
    assert with_fixed_boundary(stored) == stored
    for other in (request(body=b"{}"), replace(one, headers=()), replace(one, body=b"--x1")):
        assert with_fixed_boundary(other) == other
