from __future__ import annotations

import logging

from harness.clients.logs import KEY_PREFIX, LogCapture

KEY = f"{KEY_PREFIX}1"
log = logging.getLogger("sdk")


def test_calls_at_once_with_one_key_each_get_its_records() -> None:
    with LogCapture() as capture, capture.of(KEY) as first:
        with capture.of(KEY) as second:
            log.info("sending %s", KEY)
        # The end of one call does not end the other.
        log.info("got an answer for %s", KEY)
        log.info("sending %s2", KEY_PREFIX)
    assert first == [f"sdk: sending {KEY}", f"sdk: got an answer for {KEY}"]
    assert second == [f"sdk: sending {KEY}"]
