"""The page under ``/__tapecheck/``, clicked through in a headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from mockserver import MockServer
from mockserver.backend import Settings
from tests.end_to_end.browsing import DRIVER, chromium, until, webdriver

pytestmark = pytest.mark.skipif(DRIVER is None, reason="no chromedriver here")
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer(backend=Settings()) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as made:
        yield made


def ask(server: MockServer, text: str) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=body, trust_env=False)
    return str(answer.json()["choices"][0]["message"]["content"])


def test_a_person_watches_requests_and_scripts_the_next_answer(
    server: MockServer, browser: webdriver.Chrome
) -> None:
    browser.get(f"{server.url}/__tapecheck/")
    until(browser, "#how", "OPENAI_BASE_URL")
    ask(server, MARKUP)
    until(browser, "#list", "/v1/chat/completions")
    browser.find_element("css selector", "#list button").click()
    until(browser, "#body", MARKUP)
    until(browser, "#events", "chat.completion")
    until(browser, "#verdict", "1 request")

    form = browser.find_element("id", "script")
    form.find_element("name", "value").send_keys(MARKUP)
    form.find_element("css selector", "button").click()
    until(browser, "#added", "added")
    assert ask(server, "Hi") == MARKUP
    until(browser, "#list", "#1")
    browser.find_element("css selector", "#list button").click()
    until(browser, "#events", MARKUP)
    assert browser.find_elements("css selector", "main img, main script") == []
    form.find_element("css selector", "option[value=call]").click()
    value = form.find_element("name", "value")
    assert "get_weather" in str(value.get_attribute("placeholder"))
    value.clear()
    value.send_keys("{bad")
    form.find_element("css selector", "button").click()
    until(browser, "#added", "not JSON")
    # A link leads back to the same request.
    link = browser.current_url
    browser.get("about:blank")
    browser.get(link)
    until(browser, "#detail-title", "Request #1")
    assert browser.get_log("browser") == []
