"""The fixture ``llm`` in another project's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
HEAD = """
import os
import httpx
import openai
import pytest

def ask(text="hi", **options):
    with openai.OpenAI(**options) as client:
        answer = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": text}]
        )
    return answer.choices[0].message.content

def hasty(retries=1):
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    for count in range(retries + 1):
        httpx.post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json=body,
                   headers={"x-stainless-retry-count": str(count)})
"""


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(test_app=HEAD + text)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_a_test_scripts_its_provider(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
def test_app(llm):
    llm.fail(429, retry=0.01, times=2)
    llm.say("Hello")
    assert ask() == "Hello"

def test_other(llm):
    assert llm.asked == []
    assert ask("say x") == "x"

def test_nothing_is_left():
    assert "/s/" not in os.environ.get("OPENAI_BASE_URL", "")
"""
    run(pytester, monkeypatch, text, "-p", "no:randomly").assert_outcomes(passed=3)


def test_a_red_verdict_fails_the_test_and_an_excuse_does_not(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
def test_hasty(llm):
    llm.fail(429, retry=60)
    hasty()

def test_excused(llm):
    llm.fail(429, retry=60)
    hasty()
    llm.excuse("retry-after", "a job that cannot wait")

def test_wrong(llm):
    llm.fail(429, retry=60)
    hasty()
    assert False
"""
    # pytest repeats whole messages in its summary where CI is set.
    result = run(pytester, monkeypatch, text, "-p", "no:randomly", "-rN")
    result.assert_outcomes(passed=1, failed=2)
    lines = result.stdout.str()
    assert lines.count("FAIL  retry-after") == 2
    assert "Captured tapecheck verdict call" in lines


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_async_tests_and_workers(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    text = """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
@pytest.mark.parametrize("number", range(4))
async def test_async(llm, number):
    llm.say(f"Hello {number}")
    async with openai.AsyncOpenAI() as client:
        answer = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hi"}]
        )
    assert answer.choices[0].message.content == f"Hello {number}"
    assert len(llm.asked) == 1
"""
    run(pytester, monkeypatch, text, *arguments).assert_outcomes(passed=4)


def test_a_marker_has_settings(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
@pytest.mark.llm(key="sk-mine", rpm=1)
def test_limits(llm):
    assert ask("say x") == "x"
    with pytest.raises(openai.RateLimitError):
        ask(max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        ask(api_key="other")

@pytest.mark.llm(rpn=1)
def test_wrong(llm):
    pass
"""
    result = run(pytester, monkeypatch, text, "-p", "no:randomly", "--strict-markers")
    result.assert_outcomes(passed=1, errors=1)
    assert "unknown key 'rpn' in the settings (did you mean rpm?)" in result.stdout.str()


def test_answers_that_nobody_asks_for_are_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
def test_passes(llm):
    llm.say("never")

def test_fails(llm):
    llm.say("never")
    assert False

def test_asks(llm):
    llm.say("once", on="later")
    ask()
    assert [where.partition(":")[0] for where in llm.unused] == ["test_app.py"]

def test_scripts_nothing(llm):
    pass
"""
    result = run(pytester, monkeypatch, text, "-p", "no:randomly")
    result.assert_outcomes(passed=3, failed=1, warnings=1)
    lines = result.stdout.str()
    assert lines.count("no request came in, so that the answers at test_app.py:") == 2
    assert "make it in the test, or in a fixture behind llm" in lines
