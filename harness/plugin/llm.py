"""The fixture ``llm``: a provider that a test scripts, and the verdict on the application.

    def test_app(llm):
        llm.fail(429, retry=0.2, times=2)
        llm.say("Hello")
        assert my_app.ask("hi") == "Hello"

The variables from which clients read base URLs and keys lead to it while the test runs. A failure
of the verdict fails the test. ``@pytest.mark.llm(rpm=60, lenient=True)`` gives it settings.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mockserver import Llm

_UNASKED = (
    "no request came in, so that the answers at {} were not given: a client asks the address that "
    "it was made with, so make it in the test, or in a fixture behind llm"
)

_USED = pytest.StashKey["Llm"]()


@pytest.fixture
def llm(request: pytest.FixtureRequest) -> Iterator[Llm]:
    """Yield a scripted provider of this test alone. See :class:`mockserver.Llm`."""
    from mockserver import MockServerError
    from mockserver import llm as opened

    marker = request.node.get_closest_marker("llm")
    try:
        made = opened(**(marker.kwargs if marker else {}))
    except MockServerError as exc:
        pytest.fail(str(exc), pytrace=False)
    with made as provider:
        request.node.stash[_USED] = provider
        yield provider


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed if the verdict on the application is red."""
    provider = item.stash.get(_USED, None)
    if provider is None:
        return (yield)
    try:
        result = yield
    except BaseException:
        text = f"{provider.verdict.text}\n{_unasked(provider) or ''}".rstrip()
        item.add_report_section("call", "tapecheck verdict", text)
        raise
    verdict = provider.verdict
    if verdict.failed:
        pytest.fail(verdict.text, pytrace=False)
    if message := _unasked(provider):
        item.warn(pytest.PytestWarning(f"llm: {message}"))
    return result


def _unasked(provider: Llm) -> str | None:
    """Return what is wrong where answers were scripted and nobody asked."""
    if provider.asked or not provider.unused:
        return None
    return _UNASKED.format(", ".join(provider.unused))
