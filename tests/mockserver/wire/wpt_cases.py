"""Parsing cases of the web platform tests for EventSource, as data.

From web-platform-tests/wpt, eventsource/format-*.any.js (BSD-3-Clause): the content type and the
body that the server sends, and the events that a browser dispatches, as (type, data, last event
id).
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    id: str
    content_type: str
    body: bytes
    events: list[tuple[str, str, str]]
    retry: int | None = None


SSE = "text/event-stream"

CASES = [
    Case(
        "bom",
        SSE,
        b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n\n",
        [("message", "1", ""), ("message", "3", "")],
    ),
    Case(
        "bom-2",
        SSE,
        b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\ndata:3\n\n\n",
        [("message", "2", ""), ("message", "3", "")],
    ),
    Case(
        "comments",
        SSE,
        b"data:1\r:\x00\n:\r\ndata:2\n:"
        + b"x" * 2048
        + b"\rdata:3\n:data:fail\r:"
        + b"x" * 2048
        + b"\ndata:4\n\n",
        [("message", "1\n2\n3\n4", "")],
    ),
    Case(
        "data-before-final-empty-line",
        SSE,
        b"retry:1000\ndata:test1\n\nid:test\ndata:test2\n",
        [("message", "test1", "")],
        1000,
    ),
    Case(
        "field-data",
        SSE,
        b"data:\n\ndata\ndata\n\ndata:test\n\n\n",
        [("message", "", ""), ("message", "\n", ""), ("message", "test", "")],
    ),
    Case(
        "field-event",
        SSE,
        b"event:test\ndata:x\n\ndata:x\n\n\n",
        [("test", "x", ""), ("message", "x", "")],
    ),
    Case("field-event-empty", SSE, b"event: \ndata:data\n\n\n", [("message", "data", "")]),
    Case(
        "field-id",
        SSE,
        b"id: \xe2\x80\xa6\nretry: 200\ndata: hello\n\n",
        [("message", "hello", "…")],
        200,
    ),
    Case(
        "field-id-persists",
        SSE,
        b"id: 1\ndata: 1\n\ndata:2\n\n",
        [("message", "1", "1"), ("message", "2", "1")],
    ),
    Case(
        "field-id-changes",
        SSE,
        b"id: 1\ndata: 1\n\nid: 2\ndata:2\n\ndata:3\n\n",
        [("message", "1", "1"), ("message", "2", "2"), ("message", "3", "2")],
    ),
    Case(
        "field-id-resets",
        SSE,
        b"id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n",
        [("message", "1", "1"), ("message", "2", ""), ("message", "3", "")],
    ),
    Case(
        "field-id-null-00",
        SSE,
        b"id: \x00\x00\nretry: 200\ndata: hello\n\n",
        [("message", "hello", "")],
        200,
    ),
    Case(
        "field-id-null-x0",
        SSE,
        b"id: x\x00\nretry: 200\ndata: hello\n\n",
        [("message", "hello", "")],
        200,
    ),
    Case(
        "field-id-null-0x",
        SSE,
        b"id: \x00x\nretry: 200\ndata: hello\n\n",
        [("message", "hello", "")],
        200,
    ),
    Case(
        "field-id-null-x0x",
        SSE,
        b"id: x\x00x\nretry: 200\ndata: hello\n\n",
        [("message", "hello", "")],
        200,
    ),
    Case(
        "field-id-null-space0",
        SSE,
        b"id:  \x00\nretry: 200\ndata: hello\n\n",
        [("message", "hello", "")],
        200,
    ),
    Case(
        "field-parsing",
        SSE,
        b"data:\x00\ndata:  2\rData:1\ndata\x00:2\ndata:1\r\x00data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
        [("message", "\x00\n 2\n1\n3\n\n4", "")],
    ),
    Case("field-retry", SSE, b"retry:03000\ndata:x\n\n\n", [("message", "x", "")], 3000),
    Case(
        "field-retry-bogus",
        SSE,
        b"retry:3000\nretry:1000x\ndata:x\n\n\n",
        [("message", "x", "")],
        3000,
    ),
    Case("field-retry-empty", SSE, b"retry\ndata:test\n\n\n", [("message", "test", "")]),
    Case(
        "field-unknown",
        SSE,
        b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n\n",
        [("message", "test\n\ntest", "")],
    ),
    Case(
        "leading-space",
        SSE,
        b"data:\ttest\rdata: \ndata:test\n\n\n",
        [("message", "\ttest\n\ntest", "")],
    ),
    Case(
        "newlines", SSE, b"data:test\r\ndata\ndata:test\r\n\r\n", [("message", "test\n\ntest", "")]
    ),
    Case("null-character", SSE, b"data:\x00\n\n\n\n", [("message", "\x00", "")]),
    Case(
        "utf-8",
        "text/event-stream;charset=windows-1252",
        b"data:ok\xe2\x80\xa6\n\n\n",
        [("message", "ok…", "")],
    ),
    Case(
        "event-data",
        SSE,
        b"data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n",
        [("message", "msg\nmsg", ""), ("message", "", ""), ("message", "end", "")],
    ),
    Case("mime-bogus", "x bogus", b"data: data\n\n\n", []),
    Case("mime-valid-bogus", "text/x-bogus", b"data: data\n\n\n", []),
    Case(
        "mime-trailing-semicolon",
        "text/event-stream;",
        b"data: data\n\n\n",
        [("message", "data", "")],
    ),
]
