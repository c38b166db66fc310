from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from harness.reports import markdown
from tests.harness.reports.made import FINDING, Record, case, run_of


def written(records: list[Record], before: list[Record] | None = None) -> str:
    stream = io.StringIO()
    markdown.write(records, stream, here=Path("/specs"), before=before)
    return stream.getvalue()


def test_a_good_run_is_short() -> None:
    assert written(run_of(case("a/b/recorded@one"), case("a/b/cut=1@one"))) == (
        "## tapecheck: all as expected\n\n"
        "2 cases: 2 passed, 0 failed.\n\n"
        "| scenarios | `one` |\n| --- | --- |\n| **`a`** | ✓ 1/1 |\n\n"
        "✓ Fault sweep of `one`: 1 fault in 1 stream, all reported.\n"
    )


def test_failures_and_problems_follow() -> None:
    finding = FINDING | {"message": "<b> differs", "observed": "```\n# Not a heading"}
    text = written(run_of(case("a/b/recorded@one", "fail", finding), problems=("a | b",)))
    assert "## tapecheck: failed" in text
    assert "| `a/b` | ✗ 0/1 |" in text
    assert "- <code>a &#124; b</code>" in text
    assert (
        "<summary>1 case: <b><code>must text</code></b>\n<code>&#60;b&#62; differs</code>" in text
    )
    # The block of code ends where it should, whatever is in it.
    assert text.count("\n````") == 2


def test_levels_and_facts_are_said() -> None:
    one = case("a/b/recorded@one", "fail", judged=["text"], unexposed=["model"])
    text = written(run_of(one, case("a/c/recorded@one", "fail")))
    assert "findings: 2 must, 0 should, 0 may; fails for must.\n" in text
    assert "`one`: 1 of 2 facts judged; not exposed, so not judged: model.\n" in text
    assert "<summary>2 cases: <b><code>must text</code></b>" in text
    assert "in 2 scenarios: a/** (2)\n" in text


def test_a_comment_does_not_grow_without_end() -> None:
    findings = [FINDING | {"field": f"f{n}"} for n in range(500)]
    records = run_of(*(case(f"a/s{n}/recorded@one", "fail", f) for n, f in enumerate(findings)))
    text = written(records)
    assert "… and 480 more causes." in text
    assert len(text) < 65_536
    assert "| … and 460 more rows | |" in text


def test_nor_does_one_with_long_texts() -> None:
    long = {"message": "`" * 20_000, "observed": "<" * 20_000}
    findings = [FINDING | long | {"field": f"f{n}" * 500} for n in range(30)]
    cases = [case(f"a/s{n}/recorded@one", "fail", f) for n, f in enumerate(findings)]
    text = written(run_of(*cases, problems=tuple("*" * 20_000 for _ in range(50))))
    assert len(text) < 65_536
    assert "- … and 30 more problems\n" in text
    assert re.search(r"… and \d+ more causes\.\n$", text)


def test_what_changed_is_said_by_cause() -> None:
    usage = FINDING | {"kind": "usage", "field": "usage.input_tokens"}
    before = run_of(
        *(case(f"a/s{n}/recorded@one", "fail") for n in range(3)),
        case("a/s3/recorded@one", "fail", usage),
        case("a/s4/recorded@one"),
        seed=7,
    )
    after = run_of(
        *(case(f"a/s{n}/recorded@one", "fail") for n in range(2)),
        case("a/s2/recorded@one"),
        case("a/s3/recorded@one", "known", usage),
        case("a/s4/recorded@one", "fail"),
        case("a/s5/recorded@one", "fail"),
    )
    text = written(after, before)
    assert text.startswith("## tapecheck: failed, 2 cases newly failing\n")
    assert "| newly failing | 2 | 1 |\n| fixed | 1 | 1 |\n| known to fail now | 1 | 1 |\n" in text
    assert "| still failing | 2 | 1 |\n" in text
    assert "\n- `seed 7 before, 0 now`\n" in text
    assert (
        "**Newly failing**\n\n"
        "- 2 cases: `must text`, such as `a/s4/recorded@one` (1 not played before)\n\n"
        "**Fixed**\n\n"
        "- 1 case: `must text`, in `a/s2/recorded@one`\n\n"
        "**Known to fail now**\n\n"
        "- 1 case: `must usage usage.input_tokens`, in `a/s3/recorded@one`\n\n"
        "**Still failing**\n\n"
        "- 2 cases: `must text`, such as `a/s0/recorded@one`\n"
    ) in text


def test_without_a_change_there_is_no_list() -> None:
    records = run_of(case("a/b/recorded@one"))
    text = written(records, records)
    assert "| newly failing | 0 | 0 |" in text
    assert "known to fail now" not in text
    assert "**" not in text.partition("| scenarios")[0]
    assert "differ" not in text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script><img src=x onerror=y>",
        "@team #1 !2 owner/name#3 https://example.com www.example.com a@example.com",
        "`` ` ``` ```` <!-- \n\n</details></code></summary>\n# Heading\n- list",
        "| a | b |\n| --- | --- |\n\\| \\`",
        "[link](javascript:x) ![image](http://example.com/x.png) *a* **b** _c_ ~~d~~ &lt; &#64;x",
        "\r\n\t    indented\x00\x1b[31m\u202e\u2028\ud800",
    ],
)
def test_what_a_client_returns_is_never_markup(hostile: str) -> None:
    finding = FINDING | {"message": hostile, "field": hostile, "observed": hostile, "kind": "text"}
    name = f"a/{hostile.replace('/', '')}/recorded@one"
    failed = case(name, "fail", finding)
    text = written(run_of(failed, problems=(hostile,), patterns=[hostile]), run_of(failed))
    page = _Page()
    page.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    assert page.tags <= ALLOWED
    assert page.attributes <= {("class", "language-text")}
    for word in ("@team", "#1", "!2", "https:", "www.", "javascript", "Heading", "indented"):
        assert word not in page.outside


#: What the page is made of.
ALLOWED = {
    *("h2", "h3", "p", "ul", "li", "strong", "code", "pre", "b", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


class _Page(HTMLParser):
    """The tags and attributes of a page, and its text outside of code."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.outside = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)
        self._depth += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "code"

    def handle_data(self, data: str) -> None:
        self.outside += data * (self._depth == 0)
