"""Recordings of other tools, as the tools write them."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.cassettes import foreign, loading
from mockserver.cassettes.cassette import Interaction
from mockserver.cassettes.formats import real_uri
from mockserver.errors import CassetteError

EVENTS = "data: {}\n\ndata: [DONE]\n\n"
CHAT = "https://api.example.com/v1/chat/completions"
ASKED = '{"model":"m","stream":true}'


def go_vcr(version: int) -> str:
    """Versions 1 and 2 of its files: those of go-vcr 1 and 2, and of 3 and 4."""
    new = "  id: 0\n" if version == 2 else ""
    proto = "    proto: HTTP/2.0\n" if version == 2 else ""
    return f"""---
version: {version}
interactions:
- request:
    body: '{ASKED}'
    form: {{}}
    headers:
      Content-Type:
      - application/json
    url: {CHAT}
    method: POST
  response:
{proto}    body: "data: {{}}\\n\\ndata: [DONE]\\n\\n"
    headers:
      Content-Type:
      - text/event-stream
    status: 200 OK
    code: 200
    duration: 376.6ms
{new}"""


LANGCHAIN = f"""
requests:
- body: !!binary |
    {base64.b64encode(ASKED.encode()).decode()}
  headers:
    Content-Type: ['**REDACTED**']
  method: POST
  uri: {CHAT}
responses:
- body:
    string: "data: {{}}\\n\\ndata: [DONE]\\n\\n"
  headers:
    Content-Type: '**REDACTED**'
  status:
    code: 200
    message: OK
"""

HTTPMOCK = f"""when:
  path: /v1/chat/completions
  method: POST
  query_param: []
  header:
  - name: content-type
    value: application/json
  body: '{ASKED}'
then:
  status: 200
  header:
  - name: content-type
    value: text/event-stream
  body_base64: {base64.b64encode(EVENTS.encode()).decode()}
"""

ISTR = f"""
interactions:
- request:
    body: '{ASKED}'
    headers:
      ? !!python/object/apply:multidict._multidict.istr
      - Content-Type
      : - application/json
    method: post
    uri: {CHAT}
  response:
    body:
      string: "data: {{}}\\n\\ndata: [DONE]\\n\\n"
    headers:
      ? !!python/object/apply:multidict.istr
        args: [Content-Type]
      : - text/event-stream
    status: {{code: 200, message: OK}}
version: 1
"""

OLD_HTTPX = f"""
interactions:
- request: {{body: '{ASKED}', headers: {{}}, method: POST, uri: '{CHAT}'}}
  response:
    content: "data: {{}}\\n\\ndata: [DONE]\\n\\n"
    headers: {{Content-Type: [text/event-stream]}}
    http_version: HTTP/1.1
    status_code: 200
version: 1
"""

PLACEHOLDER = f"""
http_interactions:
- request:
    method: post
    uri: "<MY_API_BASE>/v1/chat/completions"
    body: {{encoding: UTF-8, string: '{ASKED}'}}
    headers: {{}}
  response:
    status: {{code: 200, message: OK}}
    headers: {{Content-Type: [text/event-stream]}}
    body: {{encoding: UTF-8, string: "data: {{}}\\n\\ndata: [DONE]\\n\\n"}}
"""

NOCK = [
    {
        "scope": "https://api.example.com:443",
        "method": "POST",
        "path": "/v1/chat/completions",
        "body": {"model": "m", "stream": True},
        "status": 200,
        "response": EVENTS,
        "rawHeaders": ["Content-Type", "text/event-stream", "X-A", "1", "X-A", "2"],
        "responseIsBinary": False,
    }
]

WIREMOCK = {
    "request": {
        "url": "/v1/chat/completions",
        "method": "POST",
        "bodyPatterns": [{"equalToJson": ASKED, "ignoreArrayOrder": True}],
    },
    "response": {
        "status": 200,
        "headers": {"Content-Type": "text/event-stream"},
        "base64Body": base64.b64encode(EVENTS.encode()).decode(),
    },
}

ONE_FILE = {
    "request": {"method": "POST", "url": CHAT, "headers": {"A": "b"}, "body": ASKED},
    "response": {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"},
        "body": EVENTS,
    },
}


def netstring(value: Any) -> bytes:
    match value:
        case bool():
            data, kind = str(value).lower().encode(), b"!"
        case None:
            data, kind = b"", b"~"
        case int():
            data, kind = str(value).encode(), b"#"
        case float():
            data, kind = repr(value).encode(), b"^"
        case bytes():
            data, kind = value, b","
        case str():
            data, kind = value.encode(), b";"
        case dict():
            data, kind = b"".join(netstring(k) + netstring(v) for k, v in value.items()), b"}"
        case _:
            data, kind = b"".join(map(netstring, value)), b"]"
    return b"%d:%b%b" % (len(data), data, kind)


FLOW: dict[str, Any] = {
    "version": 21,
    "type": "http",
    "request": {
        "http_version": b"HTTP/1.1",
        "headers": [[b"content-type", b"application/json"]],
        "content": ASKED.encode(),
        "timestamp_start": 1.5,
        "host": "api.example.com",
        "port": 443,
        "method": b"POST",
        "scheme": b"https",
        "authority": b"",
        "path": b"/v1/chat/completions",
    },
    "response": {
        "http_version": b"HTTP/2.0",
        "headers": [[b"content-type", b"text/event-stream"]],
        "content": EVENTS.encode(),
        "status_code": 200,
        "reason": b"OK",
        "trailers": None,
    },
    "websocket": None,
    "intercepted": False,
}


def as_json(data: Any) -> bytes:
    return json.dumps(data).encode()


FILES = {
    "go-vcr 1": go_vcr(1).encode(),
    "go-vcr 2": go_vcr(2).encode(),
    "langchain": LANGCHAIN.encode(),
    "httpmock": HTTPMOCK.encode(),
    "istr": ISTR.encode(),
    "old httpx": OLD_HTTPX.encode(),
    "ruby placeholder": PLACEHOLDER.encode(),
    "nock": as_json(NOCK),
    "wiremock": as_json(WIREMOCK),
    "wiremock list": as_json({"mappings": [WIREMOCK]}),
    "dd-apm": as_json(ONE_FILE),
    "php-vcr": as_json([ONE_FILE]),
    "mitmproxy": netstring(FLOW),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_each_format_is_imported_and_served_as_it_is(
    name: str, zipped: bool, tmp_path: Path
) -> None:
    text = gzip.compress(FILES[name]) if zipped else FILES[name]
    found = foreign.read(text, Path("theirs"))
    assert found is not None
    (item,) = found.items
    assert not isinstance(item, CassetteError)
    (tmp_path / "theirs.yaml").write_bytes(text)
    loaded = loading.load(tmp_path / "theirs.yaml")
    assert loaded.left_out == ()
    for interaction in (item.interaction, loaded.interactions[0]):
        check(interaction)


def check(interaction: Interaction) -> None:
    request, response = interaction.request, interaction.response
    assert request.method.upper() == "POST"
    assert request.url.path == "/v1/chat/completions"
    assert json.loads(request.body) == json.loads(ASKED)
    assert (response.status, response.body.decode()) == (200, EVENTS)
    assert response.header("content-type") == "text/event-stream"


def test_several_documents_are_several_interactions() -> None:
    found = foreign.read(f"{HTTPMOCK}---\n{HTTPMOCK}".encode(), Path("x"))
    assert found is not None
    assert len(found.items) == 2


def test_encoded_answers_of_nock_are_hexadecimal() -> None:
    packed = gzip.compress(b"{}")
    for answer in ([packed[:5].hex(), packed[5:].hex()], packed.hex()):
        data = [{**NOCK[0], "response": answer, "headers": {"Content-Encoding": "gzip"}}]
        del data[0]["rawHeaders"]
        loaded = loading.parse(as_json(data), Path("x.json"))
        assert loaded.interactions[0].response.body == packed


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({**WIREMOCK, "request": {"urlPattern": "/a.*"}}, "more than one address"),
        ({**WIREMOCK, "request": {"url": "/a"}}, "matches any method"),
        ({**WIREMOCK, "response": {"status": 200, "bodyFileName": "a.json"}}, "another file: a"),
        ({**WIREMOCK, "response": {"status": 200, "fault": "EMPTY_RESPONSE"}}, "no answer, but EM"),
        ([{**NOCK[0], "responseIsBinary": True}], "not hexadecimal"),
        ({**ONE_FILE, "response": {"status": None}}, "status.code"),
        ({"fixtures": [{"match": {}, "response": {}}]}, "seems to be fixtures of aimock"),
        ({"openapi": "3.1.0"}, "seems to be an OpenAPI description"),
    ],
)
def test_what_holds_no_wire_is_named(data: Any, message: str) -> None:
    with pytest.raises(CassetteError, match=message):
        foreign.load(as_json(data), Path("x.json"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"response": None}, "never answered"),
        ({"websocket": {"messages": []}}, "a WebSocket"),
        ({"request": {}}, "has no answer"),
    ],
)
def test_flows_without_an_answer_are_left_out(change: dict[str, Any], message: str) -> None:
    loaded = foreign.load(netstring(FLOW) + netstring({**FLOW, **change}), Path("x.flow"))
    assert loaded is not None
    assert len(loaded.interactions) == 1
    (error,) = loaded.left_out
    assert message in error.message


@pytest.mark.parametrize(
    "text",
    [
        b"9:9:",
        b"12:1:a,",
        b"3:1:a}",
        b"1:2:3:4:5:6:",
        netstring(FLOW)[:-9],
        b"4:0:~~,",
        b"\x1f\x8bx",
    ],
)
def test_a_damaged_file_is_an_error(text: bytes) -> None:
    with pytest.raises(CassetteError):
        loading.parse(text, Path("x.flow"))


def test_waits_of_an_archive_are_kept() -> None:
    entry = {
        "request": {"method": "GET", "url": CHAT, "headers": []},
        "response": {"status": 200, "headers": [], "content": {"text": "x"}},
        "timings": {"blocked": 5, "dns": -1, "send": 1.5, "wait": 200.25, "receive": 50},
    }
    text = as_json({"log": {"entries": [entry]}})
    for loaded in (loading.parse(text, Path("x.har")), foreign.load(text, Path("x"))):
        assert loaded is not None
        wire = loaded.interactions[0].response.wire
        assert (wire.headers_ms, wire.end_ms) == (201.8, 251.8)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("<BASE_URL>/v1/x", "http://base-url.invalid/v1/x"),
        ("{{ base }}/v1/x", "http://base.invalid/v1/x"),
        ("${BASE}", "http://base.invalid/"),
        ("%{base}/x?y=1", "http://base.invalid/x?y=1"),
        ("/v1/x", "http://recorded.invalid/v1/x"),
        ("https://a/b", "https://a/b"),
        ("<half", "<half"),
        (None, None),
    ],
)
def test_a_placeholder_in_place_of_a_base_url(uri: Any, expected: Any) -> None:
    assert real_uri(uri) == expected


def test_files_in_folders_are_found_by_what_they_begin_with(tmp_path: Path) -> None:
    for name, text in (
        ("nock.json", FILES["nock"]),
        ("package.json", b'{"name": "x"}'),
        ("tape.yaml.gz", gzip.compress(FILES["istr"])),
        ("broken.gz", b"\x1f\x8bnothing"),
        ("a.flow", FILES["mitmproxy"]),
        ("note.flow", b"text"),
    ):
        (tmp_path / name).write_bytes(text)
    found = sorted(path.name for path in tmp_path.iterdir() if loading.is_recording(path))
    assert found == ["a.flow", "nock.json", "tape.yaml.gz"]
