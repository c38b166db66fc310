from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from mockserver.cassettes import foreign
from mockserver.cassettes.cassette import Interaction
from mockserver.cassettes.foreign import ForeignFile, ForeignInteraction
from mockserver.errors import CassetteError

PATH = Path("somewhere/tape.yml")
ZIPPED = zlib.compress(b'{"ok":true}')

#: As ``VCR::HTTPInteraction#to_hash`` writes it: text, bytes as base64 in lines of 60, and what
#: Psych makes of bytes in a string.
RUBY = f"""\
---
http_interactions:
- request:
    method: post
    uri: https://api.openai.com/v1/chat/completions
    body:
      encoding: UTF-8
      string: '{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"Grüße"}}]}}'
    headers:
      Content-Type:
      - application/json
      Authorization:
      - Bearer <OPENAI_KEY>
      X-Absent:
  response:
    status:
      code: 200
      message: OK
    headers:
      Date:
      - Tue, 04 Mar 2025 09:30:01 GMT
      Content-Type:
      - text/event-stream
      Set-Cookie:
      - a=1; path=/
      - b=2; path=/
    body:
      encoding: UTF-8
      string: |+
        data: {{"choices":[{{"delta":{{"content":"Grüße 🎉"}}}}]}}

        data: [DONE]

    http_version: '1.1'
    adapter_metadata:
      vcr_decompressed: gzip
  recorded_at: Tue, 04 Mar 2025 09:30:02 GMT
- request:
    method: get
    uri: https://api.openai.com/v1/models
    body:
      encoding: US-ASCII
      base64_string: ''
    headers: {{}}
  response:
    status:
      code: 200
      message:
    headers:
      Content-Encoding:
      - deflate
    body:
      encoding: ASCII-8BIT
      base64_string: |
        {base64.b64encode(ZIPPED).decode()[:8]}
        {base64.b64encode(ZIPPED).decode()[8:]}
    http_version:
  recorded_at: Tue, 04 Mar 2025 09:30:03 GMT
- request:
    method: get
    uri: https://example.com/
    body: ''
    headers: {{}}
  response:
    status:
      code: 200
      message: OK
    headers: {{}}
    body:
      encoding: ISO-8859-1
      string: Grüße
  recorded_at: not a time
- request:
    method: get
    uri: https://example.com/
    body:
    headers: {{}}
  response:
    status:
      code: 200
      message: OK
    headers: {{}}
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        {base64.b64encode(bytes(range(128, 140))).decode()}
  recorded_at: 2025-03-04 09:30:04 Z
recorded_with: VCR 6.1.0
"""


def read(text: str | bytes, path: Path = PATH) -> ForeignFile:
    found = foreign.read(text.encode() if isinstance(text, str) else text, path)
    assert found is not None
    return found


def taken(text: str | bytes) -> list[ForeignInteraction]:
    items = read(text).items
    assert not [i for i in items if isinstance(i, CassetteError)]
    return [i for i in items if isinstance(i, ForeignInteraction)]


def interactions(text: str | bytes) -> list[Interaction]:
    return [t.interaction for t in taken(text)]


def vcrpy(*responses: dict[str, Any], **request: Any) -> str:
    asked = {"method": "POST", "uri": "https://h/v1", "headers": {}, "body": "{}", **request}
    return json.dumps(
        {"version": 1, "interactions": [{"request": asked, "response": r} for r in responses]},
        indent=1,
    )


def answer(**changed: Any) -> dict[str, Any]:
    status = {"code": 200, "message": "OK"}
    return {"status": status, "headers": {}, "body": {"string": "hi"}, **changed}


# --- Ruby VCR ------------------------------------------------------------------------------


def test_ruby_vcr_is_read() -> None:
    first, *_ = interactions(RUBY)
    assert (first.request.method, first.request.uri) == (
        "POST",
        "https://api.openai.com/v1/chat/completions",
    )
    assert first.request.headers == (
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer <OPENAI_KEY>"),
    )
    assert json.loads(first.request.body)["messages"][0]["content"] == "Grüße"
    response = first.response
    assert (response.status, response.reason, response.wire.http) == (200, "OK", "HTTP/1.1")
    assert response.headers[-2:] == (("Set-Cookie", "a=1; path=/"), ("Set-Cookie", "b=2; path=/"))
    assert response.body.decode() == (
        'data: {"choices":[{"delta":{"content":"Grüße 🎉"}}]}\n\ndata: [DONE]\n\n'
    )
    assert response.wire.recorded == {
        "at": "2025-03-04T09:30:02Z",
        "by": "VCR 6.1.0",
        "format": "Ruby VCR",
        "file": "tape.yml",
    }


def test_ruby_bodies_are_the_bytes_that_travelled() -> None:
    _, zipped, latin, binary = interactions(RUBY)
    assert zipped.response.body == ZIPPED
    assert zipped.request.body == b""
    assert latin.response.body == "Grüße".encode("latin-1")
    assert binary.response.body == bytes(range(128, 140))


def test_times_are_kept_in_utc_where_they_are_known() -> None:
    times = [i.response.wire.recorded.get("at") for i in interactions(RUBY)]
    assert times[1:] == ["2025-03-04T09:30:03Z", None, "2025-03-04T09:30:04Z"]


def test_ruby_vcr_may_be_json() -> None:
    body = {"encoding": "UTF-8", "string": "🎉"}
    data = {
        "http_interactions": [
            {
                "request": {"method": "get", "uri": "https://h/", "body": body, "headers": {}},
                "response": {"status": {"code": 200}, "headers": {}, "body": body},
            }
        ],
        "recorded_with": "VCR 6.1.0",
    }
    (found,) = interactions(json.dumps(data))
    assert found.response.body == "🎉".encode()


# --- vcrpy ---------------------------------------------------------------------------------


def test_vcrpy_json_is_read() -> None:
    text = vcrpy(answer(body={"string": "🎉"}, headers={"date": ["Tue, 04 Mar 2025 09:30:01 GMT"]}))
    assert "\\ud83c" in text
    (found,) = interactions(text)
    assert found.response.body == "🎉".encode()
    assert found.response.wire.recorded == {
        "at": "2025-03-04T09:30:01Z",
        "by": "vcrpy",
        "format": "vcrpy 1",
        "file": "tape.yml",
    }


def test_what_older_vcrpy_wrote_for_httpx_is_read() -> None:
    old = {"status_code": 404, "http_version": "HTTP/2", "headers": {"a": ["b"]}, "content": "no"}
    (found,) = interactions(vcrpy(old))
    assert (found.response.status, found.response.body) == (404, b"no")
    assert found.response.wire.http == "HTTP/2"


def test_a_parsed_body_is_reported() -> None:
    response = {k: v for k, v in answer().items() if k != "body"}
    first, second = taken(vcrpy({**response, "parsed_body": {"ä": [1]}}, answer()))
    assert first.interaction.response.body == '{"ä": [1]}'.encode()
    assert first.interaction.response.wire.recorded["by"] == "pydantic-ai"
    assert (first.rebuilt, second.rebuilt) == (("response.body",), ())


def test_what_aiohttp_was_given_as_json_is_reported() -> None:
    (found,) = taken(vcrpy(answer(), body={"model": "m"}))
    assert found.interaction.request.body == b'{"model": "m"}'
    assert found.rebuilt == ("request.body",)


def test_unknown_keys_are_reported() -> None:
    (found,) = taken(vcrpy(answer(duration=3), tag="x"))
    assert found.extra == ("request.tag", "response.duration")


@pytest.mark.parametrize(("method", "code"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_that_cannot_have_a_body_needs_none(method: str, code: int) -> None:
    text = vcrpy(answer(body={}, status={"code": code, "message": ""}), method=method)
    assert interactions(text)[0].response.body == b""


# --- HTTP archives -------------------------------------------------------------------------


def archive(**response: Any) -> str:
    entry = {
        "startedDateTime": "2025-03-04T10:30:01.123+01:00",
        "request": {"method": "GET", "url": "https://h/v1", "headers": []},
        "response": {
            "status": 200,
            "statusText": "OK",
            "httpVersion": "h2",
            "headers": [],
            "content": {"size": 2, "text": "hi"},
            **response,
        },
    }
    creator = {"name": "Firefox", "version": "128"}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "entries": [entry]}}, indent=1)


def test_archives_are_read() -> None:
    (found,) = interactions(archive())
    assert found.response.wire.http == "h2"
    assert found.response.wire.recorded == {
        "at": "2025-03-04T09:30:01Z",
        "by": "Firefox 128",
        "format": "HAR 1.2",
        "file": "tape.yml",
    }


@pytest.mark.parametrize("time", [None, 1, [1], {}, "yesterday", "0001-01-01T00:00:00+14:00"])
def test_an_invalid_time_is_dropped(time: Any) -> None:
    data = json.loads(archive())
    data["log"]["entries"][0]["startedDateTime"] = time
    (found,) = interactions(json.dumps(data))
    assert "at" not in found.response.wire.recorded


# --- what cannot be read -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number", "message"),
    [
        (vcrpy(answer(), answer(body={})), 1, "has no body, not even an empty one"),
        (vcrpy(answer(status={})), 0, "a response needs 'status.code'"),
        (vcrpy(answer(body={"string": "\ud83c"})), 0, "unpaired surrogate"),
        (vcrpy(answer(headers={"a": "b\nc"})), 0, "header 'a' contains a line break"),
        (archive(content={"size": 2}), 0, "2 bytes of it were not saved"),
        (archive(headers=None), 0, "not HAR 1.2"),
        (archive(status=float("inf")), 0, "not HAR 1.2"),
        (RUBY.replace("base64_string: ''", "base64_string: '*'"), 1, "not base64"),
        (RUBY.replace("      string: Grüße", "      text: Grüße"), 2, "without 'string'"),
    ],
)
def test_an_unreadable_interaction_does_not_affect_others(
    text: str, number: int, message: str
) -> None:
    items = read(text).items
    assert [n for n, item in enumerate(items) if isinstance(item, CassetteError)] == [number]
    error = items[number]
    assert isinstance(error, CassetteError)
    assert message in str(error)
    assert error.hint
    assert error.line is not None
    root = "entries" if "entries" in text else "interactions"
    first = next(n for n, line in enumerate(text.splitlines(), 1) if root in line)
    assert first < error.line <= len(text.splitlines())


def test_an_error_names_the_line_in_json_too() -> None:
    text = vcrpy(answer(), answer(status={})).replace('"hi"', '"\\ud83c\\udf89"')
    error = read(text).items[1]
    assert isinstance(error, CassetteError)
    lines = text.splitlines()
    assert '"response": {' in lines[(error.line or 0) - 1]
    assert error.line is not None
    assert error.line > len(lines) / 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"log": [', r"tape\.yml:1: not JSON: .*fix"),
        ("a: [\n", r"tape\.yml:2: not valid YAML: .*fix"),
        (b"a: \xff", r"tape\.yml:1: not UTF-8"),
        (
            "- request: {method: GET}\n  response: {}\n",
            r"python -m vcr\.migration somewhere/tape\.yml",
        ),
        (
            "interactions:\n- request: {}\n  response: {wire: {v: 1}}\n",
            "already a tapecheck cassette",
        ),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str | bytes, message: str) -> None:
    with pytest.raises(CassetteError, match=message):
        read(text)


@pytest.mark.parametrize("text", ["a: 1", "- 1", "{}", "[]", "", "null", '{"log": {}}', "text"])
def test_other_files_are_no_recordings(text: str) -> None:
    assert foreign.read(text.encode(), PATH) is None
