"""The HTML page of a run, opened from a file and clicked through in a headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.browsing import DRIVER, chromium, until, webdriver
from tests.harness.reports.html.made import HOSTILE, written
from tests.harness.reports.made import FINDING, case, run_of

pytestmark = pytest.mark.skipif(DRIVER is None, reason="no chromedriver here")
SILENT = {"break": {"how": "reset", "reaction": "silent"}}
WIRE = ["wire event 1 of 2, bytes 0-9", "  data: x"]
#: A script that the page must never run.
ALARM = "window.alarm = [...document.querySelectorAll('img, main script, #detail script')]"


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as made:
        yield made


@pytest.fixture
def page(tmp_path: Path) -> str:
    hostile = FINDING | {"message": HOSTILE, "observed": HOSTILE, "wire": [HOSTILE]}
    more: dict[str, Any] = {"source": ["javascript:alert(1)", "https://example.com/a", "o/r#7"]}
    records = run_of(
        case("sse/a/recorded@one", "fail", FINDING | {"wire": WIRE}, reproduce=["curl x"], **more),
        case("sse/a/eol=cr@one"),
        case("sse/a/recorded@two"),
        case("sse/b/recorded@one", "known", hostile, title=HOSTILE),
        case("sse/b/recorded@two"),
        case("http/c/recorded@two"),
        case("http/c/reset=1@two", "fail", FINDING | {"kind": "false-success"}, **SILENT),
    )
    path = tmp_path / "page.html"
    path.write_text(written(records), encoding="utf-8")
    return path.as_uri()


def test_a_person_reads_the_page_of_a_run(page: str, browser: webdriver.Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    def find(css: str) -> Any:
        return browser.find_element("css selector", css)

    def press(*keys: str) -> None:
        browser.switch_to.active_element.send_keys(*keys)

    browser.get(page)
    until(browser, "#count", "3 of 3 scenarios")

    # The first table: what was not reported, and from there the case.
    find(".breaks a.r-silent").click()
    until(browser, "#detail-title", "two: reset")
    find("#detail .causes a").click()
    until(browser, "#detail-title", "http/c")
    assert "#case=http/c/reset" in browser.current_url
    press(Keys.ESCAPE)
    until(browser, "#count", "3 of 3")
    assert "#" not in browser.current_url
    assert browser.switch_to.active_element.get_attribute("aria-label").startswith("http/c, two")

    # The matrix by keyboard: down to the next group, left, and open.
    press(Keys.ARROW_DOWN)
    assert browser.switch_to.active_element.get_attribute("data-group") == "openai-chat sse"
    for key in (Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ENTER):
        press(key)
    until(browser, "#detail-title", "sse/a")
    for text in ("A title", "sse/a.yaml:7", '"Hello"', "data: x", "only recorded fails", "eol=cr"):
        until(browser, "#detail .parts", text)
    until(browser, "#detail .paste pre", "curl x")
    links = [a.get_attribute("href") for a in browser.find_elements("css selector", ".parts dd a")]
    assert links == ["https://example.com/a", "https://github.com/o/r/issues/7"]
    press("n")
    until(browser, "#detail-title", "sse/b")
    until(browser, "#detail .parts", "as agreed")
    until(browser, "#detail .message", "<img src=x onerror=alert(2)>")
    assert browser.execute_script(f"{ALARM}; return window.alarm.length") == 0
    link = browser.current_url

    # The filters, and what they leave.
    find("#detail .close").click()
    press("/")
    press("must sse")
    until(browser, "#count", "2 of 3")
    find("#known option[value=new]").click()
    until(browser, "#count", "1 of 3")
    find("#reset").click()
    until(browser, "#count", "3 of 3")
    find("#level option[value=may]").click()
    find("#which summary").click()
    find("#which-list input[value='0']").click()
    until(browser, "#count", "1 of 3")

    # An address opens its case, in a new window too; an unknown one says so.
    browser.get("about:blank")
    browser.get(link)
    until(browser, "#detail-title", "sse/b")
    browser.get("about:blank")
    browser.get(f"{page}#case=a/b/recorded@nobody")
    until(browser, "#state", "This page has no case a/b/recorded@nobody.")

    # A small screen does not scroll sideways; an old browser is told.
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert browser.execute_script("return document.documentElement.scrollWidth") == 360
    old = {"source": "delete window.DecompressionStream"}
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", old)
    browser.get("about:blank")
    browser.get(page)
    until(browser, "#state", "This browser cannot unpack")
    assert browser.get_log("browser") == []
