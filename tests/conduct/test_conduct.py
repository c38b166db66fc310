"""Two SDKs in some situations; ``python -m tests.conduct`` tries all of them in all."""

from __future__ import annotations

import pytest

from tests.conduct.__main__ import tried
from tests.conduct.callers import CALLERS
from tests.conduct.situations import SITUATIONS

#: Those that end soon, one for each kind of evidence.
QUICK = ("nothing", "429 twice, then an answer", "a stream that is cut", "400")


@pytest.mark.parametrize("title", QUICK)
@pytest.mark.parametrize("name", ["openai-chat", "anthropic"])
def test_what_an_official_sdk_does_by_itself_is_no_mistake(name: str, title: str) -> None:
    _, text, failed = tried(CALLERS[name], SITUATIONS[title])
    assert not failed, text
    if title == "nothing":
        assert "0 failures" in text
