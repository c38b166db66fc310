"""A headless Chromium, for tests that click through a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
DRIVER = shutil.which("chromedriver")
#: No connection but to the page, and no sandbox of its own in a container.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: Seconds for the page to show what has happened, on a busy machine.
WAIT = 60


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Start a browser of its own, and end it."""
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    made = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield made
    finally:
        made.quit()


def until(browser: webdriver.Chrome, css: str, text: str) -> None:
    """Wait until an element has a text."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.wait import WebDriverWait

    def shows(driver: webdriver.Chrome) -> bool:
        return any(text in found.text for found in driver.find_elements("css selector", css))

    waiting = WebDriverWait(browser, WAIT, 0.05, [StaleElementReferenceException])
    waiting.until(shows, f"{css} never showed {text!r}")
