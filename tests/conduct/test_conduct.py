"""Two SDKs in every situation; ``python -m tests.conduct`` tries all of them."""

from __future__ import annotations

import pytest

from tests.conduct.__main__ import tried
from tests.conduct.callers import CALLERS
from tests.conduct.situations import SITUATIONS


@pytest.mark.parametrize("title", SITUATIONS)
@pytest.mark.parametrize("name", ["openai-chat", "anthropic"])
def test_what_an_official_sdk_does_by_itself_is_no_mistake(name: str, title: str) -> None:
    _, text, failed = tried(CALLERS[name], SITUATIONS[title])
    assert not failed, text
    if title == "nothing":
        assert "0 failures" in text
