"""Files as other recorders write them, all of the same exchange."""

from __future__ import annotations

import base64
import json
from typing import Any

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


#: dd-apm-test-agent marks a body that is no text.
MARKED = {
    **ONE_FILE,
    "response": {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": "text/event-stream"},
        "body": f"base64:{base64.b64encode(EVENTS.encode()).decode()}",
    },
}


def removed(answer: str) -> bytes:
    """Return what LangChain's tests write today: nothing is left of the address."""
    asked = {"method": "POST", "uri": "**REDACTED**", "headers": {}, "body": ASKED}
    response = {"status": {"code": 200}, "headers": {}, "body": {"string": answer}}
    return as_json({"requests": [asked], "responses": [response]})


LLM_VCR = f"""
name: test_chat
interactions:
- method: POST
  url: {CHAT}
  request_headers: {{content-type: application/json}}
  request_body: {ASKED}
  status_code: 200
  response_headers: {{content-type: text/event-stream}}
  response_body: null
  streaming: true
  chunks: ["data: {{}}\\n\\n", "data: [DONE]\\n\\n"]
"""

LLM_RECORDER: dict[str, Any] = {
    "hash": "0123456789abcdef",
    "request": {
        "url": CHAT,
        "method": "POST",
        "body": json.loads(ASKED),
        "timestamp": 1600000000000,
    },
    "response": {
        "status": 200,
        "statusText": "OK",
        "headers": {"content-type": "text/event-stream"},
        "chunks": [EVENTS[:4], "", EVENTS[4:]],
        "chunkTimings": [3, 0, 40],
        "isStreaming": True,
    },
}

R_VCR = f"""
http_interactions:
- request:
    method: post
    uri: {CHAT}
    body: {{encoding: '', string: '{ASKED}'}}
    headers: {{Content-Type: application/json}}
  response:
    status: {{status_code: '200', message: OK, explanation: 'Request fulfilled'}}
    headers: {{status: HTTP/2 200, content-type: text/event-stream}}
    body: {{encoding: UTF-8, string: "data: {{}}\\n\\ndata: [DONE]\\n\\n"}}
  recorded_at: 2020-03-23 16:03:15 GMT
  recorded_with: vcr/0.5.4, webmockr/0.6.0
"""

BETAMAX = {
    "http_interactions": [
        {
            "request": {
                "body": {"encoding": "utf-8", "string": ASKED},
                "headers": {"Content-Type": ["application/json"]},
                "method": "POST",
                "uri": CHAT,
            },
            "response": {
                "body": {
                    "encoding": None,
                    "base64_string": base64.b64encode(EVENTS.encode()).decode(),
                },
                "headers": {"content-type": ["text/event-stream"]},
                "status": {"code": 200, "message": "OK"},
                "url": CHAT,
            },
            "recorded_at": "2024-02-08T02:44:36",
        }
    ],
    "recorded_with": "betamax/0.9.0",
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
    "llm-vcr": LLM_VCR.encode(),
    "llm-recorder": as_json({"meta": {"name": "a"}, "recordings": [LLM_RECORDER]}),
    "llm-recorder list": as_json([LLM_RECORDER]),
    "R vcr": R_VCR.encode(),
    "betamax": as_json(BETAMAX),
    "dd-apm binary": as_json(MARKED),
    "nock of n8n": as_json([{k: v for k, v in NOCK[0].items() if k != "rawHeaders"}]),
}
