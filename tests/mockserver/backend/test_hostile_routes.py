"""Nothing that a client sends to any address gets an exception, or a status of a broken server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.backend.backend import Backend
from mockserver.backend.settings import Settings
from mockserver.cassettes.cassette import Request
from mockserver.dialects.registry import plain_dialects
from mockserver.vocabulary.model import Json

#: Names that bodies have, so that what is inside is read.
_NAMES = (
    *("model", "input", "prompt", "text", "texts", "messages", "contents", "content", "parts"),
    *("dimensions", "encoding_format", "query", "documents", "requests", "instances", "tools"),
    *("role", "type", "stream", "store", "previous_response_id", "conversation", "background"),
    *("embedding_types", "inputs", "images", "converse", "inputText", "name", "system", "items"),
    *("instructions", "metadata", "output", "call_id", "id", "top_n", "outputDimensionality"),
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["user", "float", "base64", "message", "function_call_output", "text"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


def routes() -> Iterator[tuple[str, str]]:
    for dialect in plain_dialects():
        for answering in (dialect, *dialect.served_only):
            yield from (("POST", path) for path in answering.answer_routes)
        yield from ((route.method, route.path) for route in dialect.side_routes)


@pytest.mark.parametrize(("method", "path"), sorted(set(routes())))
@given(st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=5) | _VALUES, st.text(max_size=3))
@settings(max_examples=8)
def test_every_body_gets_an_answer(method: str, path: str, body: Json, query: str) -> None:
    path = re.sub(r"\{\w+\*?\}", "any.titan-embed", path)
    text = json.dumps(body).encode()
    asked = Request(method=method, uri=f"http://provider{path}?limit={query!r}", body=text)
    backend = Backend(Settings())
    for _ in range(2):
        assert backend.answer(asked, 0.0).exchange.schedule.status < 500


@pytest.mark.parametrize(("method", "path"), sorted(set(routes())))
@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"1e999", b'{"a":NaN}'])
def test_bytes_that_are_no_json_get_an_answer(method: str, path: str, body: bytes) -> None:
    path = re.sub(r"\{\w+\*?\}", "cohere.embed", path)
    asked = Request(method=method, uri=f"http://provider{path}", body=body)
    assert Backend(Settings()).answer(asked, 0.0).exchange.schedule.status < 500


@pytest.mark.parametrize(("method", "path"), sorted(set(routes())))
@pytest.mark.parametrize("opened", [("[", "]"), ('{"content":', "}")], ids=["lists", "objects"])
def test_deep_bodies_get_an_answer(method: str, path: str, opened: tuple[str, str]) -> None:
    path = re.sub(r"\{\w+\*?\}", "any.titan-embed", path)
    backend = Backend(Settings())
    for name in ("input", "metadata", "contents", "items"):
        for depth in (300, 900, 980):
            inner = opened[0] * depth + "1" + opened[1] * depth
            body = f'{{"model":"m","{name}":{inner}}}'.encode()
            asked = Request(method=method, uri=f"http://provider{path}", body=body)
            assert backend.answer(asked, 0.0).exchange.schedule.status < 500
