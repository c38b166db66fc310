from __future__ import annotations

import html

import pytest

from harness.reports.markdown_text import code, fenced, html_code


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sse/crlf/eol=cr,gzip=yes@my-client", "`sse/crlf/eol=cr,gzip=yes@my-client`"),
        ("must usage usage.input_tokens", "`must usage usage.input_tokens`"),
        ("a|b", "<code>a&#124;b</code>"),
        ("`", "<code>&#96;</code>"),
        ("Grüße", "<code>Grüße</code>"),
        ("a\nb", "<code>a&#92;u000ab</code>"),
        ("", "<code></code>"),
        (" a", "<code> a</code>"),
    ],
)
def test_a_text_is_code(text: str, shown: str) -> None:
    assert code(text) == shown


def test_a_text_reads_the_same_in_html() -> None:
    text = "".join(map(chr, range(32, 127)))
    shown = html_code(text).removeprefix("<code>").removesuffix("</code>")
    assert html.unescape(shown) == text
    assert set(shown) <= set("&#;" + "".join(c for c in text if c.isalnum() or c == " "))


def test_a_long_text_is_clipped() -> None:
    assert code("x" * 1000, 10) == "<code>xxxxxxxxx…</code>"


def test_a_block_ends_where_it_ends() -> None:
    assert list(fenced(["a ``` b", "\n````"])) == [
        "`````text",
        "a ``` b",
        "\\u000a````",
        "`````",
    ]
    assert list(fenced([])) == ["```text", "```"]
