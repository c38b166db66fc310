from __future__ import annotations

import base64
import hashlib
import random
import re
from pathlib import Path

import pytest

from harness.errors import ReportError
from harness.reports import html
from tests.harness.reports.html.made import HOSTILE, packed, written
from tests.harness.reports.made import FINDING, Record, case, run_of

BREAK = {"how": "reset", "reaction": "silent"}


def hostile(name: str) -> Record:
    finding = FINDING | {
        "message": HOSTILE,
        "field": HOSTILE,
        "expected": [HOSTILE],
        "observed": {HOSTILE: HOSTILE},
        "wire": [HOSTILE],
    }
    more = {"title": HOSTILE, "source": [HOSTILE], "reproduce": [HOSTILE], "about": [HOSTILE]}
    return case(name, "known", finding, known=HOSTILE, **more)


def test_nothing_that_a_client_says_is_markup() -> None:
    records = run_of(hostile("a/b/recorded@one"), problems=(HOSTILE,), patterns=[HOSTILE])
    records[0]["adapters"][0]["versions"] = [HOSTILE]
    page = written(records)
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<img" not in page
    for unseen in "\u2028\u2029\x1b\x00\u202e\u2066\ud800":
        assert unseen not in page
        assert unseen not in "".join(packed(page)["texts"])
    page.encode()
    assert "javascript:alert(3)\\u2028" in "".join(packed(page)["texts"])


def test_only_our_script_and_style_may_run() -> None:
    page = written(run_of(case("a/b/recorded@one")))
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;; ")
    addresses = re.findall(r'(?:src|href|action)="?([^"\s>]*)', page.split('id="packed"')[0])
    assert all(address.startswith(("#", "data:")) for address in addresses)


def test_the_same_records_give_the_same_page() -> None:
    records = run_of(case("a/b/recorded@one", "fail"), case("a/b/cut=1@two"))
    assert written(records) == written(records)


def test_the_first_table_says_what_clients_do_at_a_break() -> None:
    page = written(
        run_of(
            case("a/b/reset=1@one", "fail", **{"break": BREAK}),
            case("a/b/reset=1@two", **{"break": BREAK | {"reaction": "told"}}),
        )
    )
    tables = page.split("<table")
    assert 'title="1 case: silent success"' in tables[1]
    assert 'href="#break=reset&amp;client=one&amp;did=silent"' in tables[1]
    assert 'title="1 case told"' in tables[1]
    assert packed(page)["breaks"] == [
        {"c": 0, "how": "reset", "reaction": "silent", "at": [[0, 0]]}
    ]


def test_records_of_an_older_version_have_a_page() -> None:
    old = case("a/b/recorded@one", "fail")
    old["findings"] = [{"check": "turn", "message": "differs", "blame": "client"}]
    for name in ("level", "dialect"):
        del old[name]
    records = run_of(old)
    del records[0]["adapters"][0]["level"]
    page = written(records)
    assert "of a version that did not note it" in page
    assert "not noted" in page
    (cell,) = packed(page)["cells"]
    assert cell["mark"] == "must"


def test_half_a_run_has_no_page() -> None:
    with pytest.raises(ReportError):
        written(run_of(case("a/b/recorded@one"))[:-1])


def test_a_page_of_a_large_matrix_is_small() -> None:
    """A tenth of 25 clients and 400 scenarios; one cell of eight is wrong, each in its own way."""
    chance = random.Random(5)

    def of(client: int, scenario: int) -> Record:
        name = f"openai-chat/scenario-{scenario}/recorded@client-{client}"
        if chance.random() > 0.125:
            return case(name, **{"break": BREAK | {"reaction": "told"}})
        text = "".join(chance.choices("abcdefghij ", k=900))
        finding = FINDING | {"message": text[:90], "expected": text, "observed": text[:-40]}
        finding["wire"] = ["wire event 3 of 9, bytes 1-500", f"  {text[:500]}"]
        return case(name, "fail", finding, reproduce=[text], **{"break": BREAK})

    records = run_of(*(of(c, s) for c in range(25) for s in range(40)))
    page = written(records)
    assert len(page.encode()) <= html.LIMIT / 10
    assert len(packed(page)["cells"]) == 1_000


def test_long_values_are_clipped_if_a_page_would_be_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "".join(random.Random(5).choices("abcdefghij", k=4_000))
    records = run_of(case("a/b/recorded@one", "fail", FINDING | {"expected": text}))
    whole = written(records)
    monkeypatch.setattr(html, "LIMIT", len(whole) - 1)
    short = written(records)
    assert len(short) < len(whole)
    assert "shown up to 800 characters" in short


def test_the_files_of_the_page_are_plain() -> None:
    folder = Path(html.__file__).parent
    for path in (*folder.glob("*.js"), *folder.glob("*.css")):
        text = path.read_text(encoding="utf-8")
        assert "</" not in text, "it would end the element that it stands in"
        assert "innerHTML" not in text
        assert "http://" not in text.replace("https?://", "")
